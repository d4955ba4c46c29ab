"""What a small picture is, of one output or of several."""

from collections.abc import Mapping
from dataclasses import dataclass

JPEG = "image/jpeg"


@dataclass(frozen=True)
class Glimpse:
    """A JPEG of at most 1024 pixels a side and 500 KB, and what it shows, in a few words."""

    jpeg: bytes
    shows: str


@dataclass(frozen=True)
class Grid:
    """Small pictures of several outputs in one JPEG, in the order asked for."""

    jpeg: bytes
    problems: Mapping[int, str]
    """Why there is no picture, by place from 0."""
