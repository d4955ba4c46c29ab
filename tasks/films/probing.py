"""What a clip of a film really shows and how long it really is: its first picture is decoded for that."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

from typing import TYPE_CHECKING, BinaryIO

import av

from ...domain.kept_media import PILLOW_FORMATS, Measured, MediaFacts
from ..previews.measure import measure
from ..previews.video_frames import picture_stream, shown_size
from .reading import opened

if TYPE_CHECKING:
    from av.container import InputContainer


def probe(file: BinaryIO, mime_type: str) -> Measured:
    """The facts of a clip. What the decoders raise on hostile bytes comes through."""
    if mime_type in PILLOW_FORMATS:
        return measure(file, mime_type)
    with opened(file, mime_type) as container:
        has_audio = bool(container.streams.audio)
        stream = picture_stream(container)
        if stream is None or mime_type.startswith("audio/"):
            facts = MediaFacts(duration_seconds=_seconds(container), has_audio=has_audio)
            return Measured(facts, "audio" if has_audio else None)
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        seconds = _seconds(container)
        if stream.duration and stream.time_base:
            # The sound may be longer than the pictures, of which the last would stand still then.
            seconds = float(stream.duration * stream.time_base)
        rate = stream.average_rate or stream.guessed_rate
        picture = next(iter(container.decode(stream)))
        width, height = shown_size(picture, stream.sample_aspect_ratio)
        facts = MediaFacts(width, height, seconds, float(rate) if rate else None, has_audio)
        return Measured(facts, "video")


def _seconds(container: "InputContainer") -> float | None:
    return container.duration / av.time_base if container.duration and container.duration > 0 else None
