"""What a kept file really is: size in pixels, duration, streams. Blocks; pillow and PyAV are imported only when used.

Images are not decoded and videos probed for a few megabytes at most. That bounds no index that a container holds or
claims to hold, so this runs in the child process of `decoder.py`.
"""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal

if TYPE_CHECKING:
    from av.container import InputContainer
    from PIL.Image import Image

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

_PROBE = {"probesize": "5000000", "analyzeduration": "5000000"}


_ORIENTATION_TAG = 0x0112
_SIDEWAYS = frozenset({5, 6, 7, 8})
"""EXIF's orientations in which viewers turn the picture by a quarter."""


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
    holds: Literal["video", "image", "audio"] | None
    problem: str | None = None
    """Why measuring was given up, where it took too much. An unreadable file is no such problem."""


UNREADABLE = Measured(MediaFacts(), None)


def is_measurable(mime_type: str) -> bool:
    """Whether there is something to ask of such a file."""
    return mime_type in PILLOW_FORMATS or mime_type in CONTAINERS


def measure(file: BinaryIO, mime_type: str) -> Measured:
    """Measure an open file whose type was told by its bytes. What the decoders raise on hostile bytes comes through."""
    if mime_type in PILLOW_FORMATS:
        return _measure_image(file, PILLOW_FORMATS[mime_type])
    if mime_type in CONTAINERS:
        return _measure_streams(file, CONTAINERS[mime_type], may_be_video=mime_type.startswith("video/"))
    return UNREADABLE


def opened_container(file: BinaryIO, container_format: str) -> "InputContainer":
    """FFmpeg's view of an open file, read from its beginning on by C code alone. Nothing else can be opened by it."""
    import av

    if os.name != "posix":
        return av.open(str(file.name), format=container_format, options={"protocol_whitelist": "file", **_PROBE})
    file.seek(0)
    options = {"protocol_whitelist": "fd", "fd": str(file.fileno()), **_PROBE}
    return av.open("fd:", format=container_format, options=options)


def _measure_image(file: BinaryIO, pillow_format: str) -> Measured:
    from PIL import Image

    with Image.open(file, formats=(pillow_format,)) as image:
        width, height = image.size[::-1] if _is_sideways(image) else image.size
        return Measured(MediaFacts(width=width, height=height), "image")


def _is_sideways(image: "Image") -> bool:
    # Asking a PNG for EXIF that it has not shown yet would decode it.
    if "exif" not in image.info:
        return False
    try:
        return image.getexif().get(_ORIENTATION_TAG) in _SIDEWAYS
    except SyntaxError:
        # Pillow's word for EXIF that is none.
        return False


def _measure_streams(file: BinaryIO, container_format: str, *, may_be_video: bool) -> Measured:
    import av
    from av.stream import Disposition

    with opened_container(file, container_format) as container:
        seconds = container.duration / av.time_base if container.duration and container.duration > 0 else None
        has_audio = bool(container.streams.audio)
        # The cover of a piece of music is a video stream too.
        pictures = (stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic)
        video = next(pictures, None) if may_be_video else None
        if video is None:
            return Measured(MediaFacts(duration_seconds=seconds, has_audio=has_audio), "audio" if has_audio else None)
        facts = MediaFacts(
            width=video.codec_context.width or None,
            height=video.codec_context.height or None,
            duration_seconds=seconds,
            frame_rate=float(video.average_rate) if video.average_rate else None,
            has_audio=has_audio,
        )
        return Measured(facts, "video")
