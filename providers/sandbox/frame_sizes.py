"""Picture sizes: the pixels that an aspect ratio, a resolution tier or a `WIDTHxHEIGHT` stands for."""

import math
import re

from ...domain.errors import RequestRefused

ASPECT_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "4:5", "5:4", "21:9", "9:21")
VIDEO_LINES = {"480p": 480, "720p": 720, "1080p": 1080, "4k": 2160}
"""The shorter side of a video, in pixels."""
IMAGE_SIDES = {"1k": 1024, "2k": 2048, "4k": 4096}
"""The side of a square image, in pixels; other ratios have the same area."""
SIDE_MIN, SIDE_MAX = 64, 4096
RATIO_MAX = 4.0
LONG_SIDE_MAX_4K = 3840


def video_size(aspect_ratio: str, resolution: str) -> tuple[int, int]:
    """Width and height of a video, both even; the longer side stays within 3840 so that players can decode it."""
    across, down = _ratio(aspect_ratio)
    short = VIDEO_LINES[resolution]
    long = short * max(across, down) / min(across, down)
    if long > LONG_SIDE_MAX_4K:
        short, long = round(short * LONG_SIDE_MAX_4K / long), LONG_SIDE_MAX_4K
    return (_even(long), _even(short)) if across >= down else (_even(short), _even(long))


def image_size(aspect_ratio: str, resolution: str) -> tuple[int, int]:
    """Width and height of an image, both even, with the area that the tier names."""
    across, down = _ratio(aspect_ratio)
    side = IMAGE_SIDES[resolution]
    return _even(side * math.sqrt(across / down)), _even(side * math.sqrt(down / across))


def parse_size(size: str) -> tuple[int, int]:
    """Width and height of `WIDTHxHEIGHT`, rounded down to even numbers.

    Raises:
        RequestRefused: not of that form, or out of bounds (`invalid_input`).
    """
    match = re.fullmatch(r"\s*(\d{1,5})\s*[xX*]\s*(\d{1,5})\s*", size, re.ASCII)
    if match is None:
        raise RequestRefused("invalid_input", f"size is {size[:40]!r}; write WIDTHxHEIGHT, such as 1024x768")
    width, height = int(match[1]), int(match[2])
    if min(width, height) < SIDE_MIN or max(width, height) > SIDE_MAX:
        raise RequestRefused(
            "invalid_input", f"size is {size[:40]!r}; each side may be {SIDE_MIN} to {SIDE_MAX} pixels"
        )
    if max(width, height) > RATIO_MAX * min(width, height):
        raise RequestRefused(
            "invalid_input", f"size is {size[:40]!r}; one side may be at most {RATIO_MAX:g} times the other"
        )
    return width & ~1, height & ~1


def is_of_ratio(width: int, height: int, aspect_ratio: str) -> bool:
    """The size has this ratio, give or take 3 %."""
    across, down = _ratio(aspect_ratio)
    return abs(width / height / (across / down) - 1) <= 0.03


def _ratio(aspect_ratio: str) -> tuple[int, int]:
    across, _, down = aspect_ratio.partition(":")
    return int(across), int(down)


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))
