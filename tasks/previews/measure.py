"""What a kept file really is: size in pixels, duration, streams. Blocks; pillow and PyAV are imported only when used.

Images are not decoded and videos probed for a few megabytes at most. That bounds no index that a container holds or
claims to hold, so this runs in the child process (`child.py`).
"""

import os
from typing import TYPE_CHECKING, BinaryIO

from ...domain.kept_media import CONTAINERS, PILLOW_FORMATS, UNREADABLE, Measured, MediaFacts

if TYPE_CHECKING:
    from av.container import InputContainer
    from PIL.Image import Image

_PROBE = {"probesize": "5000000", "analyzeduration": "5000000"}


_ORIENTATION_TAG = 0x0112
_SIDEWAYS = frozenset({5, 6, 7, 8})
"""EXIF's orientations in which viewers turn the picture by a quarter."""


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

    from .video_frames import picture_stream

    with opened_container(file, container_format) as container:
        seconds = container.duration / av.time_base if container.duration and container.duration > 0 else None
        has_audio = bool(container.streams.audio)
        video = picture_stream(container) if may_be_video else None
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
