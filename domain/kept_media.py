"""Media as every room speaks of them: what a kept file is, what was measured of it, and what decoding it may take."""

import errno
from dataclasses import dataclass
from pathlib import Path

# Not from `request`: the process that decodes imports this too, and is small without pydantic.
from .media_types import Kind

PILLOW_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/avif": "AVIF",
}

CONTAINERS = {
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/mp4": "mp4",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "video/mp4": "mp4",
    "video/ogg": "ogg",
    "video/quicktime": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
}
"""FFmpeg's demuxer for each type. It is never left to guess: a playlist would make it open other files and hosts."""


@dataclass(frozen=True)
class Kept:
    """What a record says of a kept file."""

    path: Path
    size_bytes: int | None
    sha256: str | None


class KeptFileChanged(OSError):
    """The file's bytes are not the ones that were kept."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.ESTALE, "it has changed since it was kept", str(path))


@dataclass(frozen=True)
class Bounds:
    """What one question about a file may take of the process that decodes."""

    memory_bytes: int
    """Beyond what that process has when it is idle."""
    processor_seconds: int
    wall_seconds: float
    file_bytes: int = 0
    """Of a file that it writes."""


@dataclass(frozen=True)
class MediaFacts:
    """Measured facts of a medium, as viewers show it; None where not known."""

    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    frame_rate: float | None = None
    """Frames a second, on average."""
    has_audio: bool | None = None


@dataclass(frozen=True)
class Measured:
    """The facts, and what the file holds: a container called a video may hold only sound; None where unreadable."""

    facts: MediaFacts
    holds: Kind | None
    problem: str | None = None
    """Why measuring was given up, where it took too much. An unreadable file is no such problem."""


UNREADABLE = Measured(MediaFacts(), None)


def is_measurable(mime_type: str) -> bool:
    """Whether there is something to ask of such a file."""
    return mime_type in PILLOW_FORMATS or mime_type in CONTAINERS
