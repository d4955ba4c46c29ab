"""Frames and a soundtrack as an MP4 file: H.264 and AAC, playable from its first bytes on."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

from collections.abc import Callable
from fractions import Fraction
from io import BytesIO, RawIOBase
from typing import Protocol

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from PIL import Image

from ..spec import FRAMES_PER_SECOND, RenderSpec
from .pcm import SAMPLE_RATE, Samples, audio_frames

_PRESETS = {"fast": ("superfast", "23"), "quality": ("veryfast", "20")}
_FRUGAL = "subme=1:bframes=1:rc-lookahead=4"
"""Scenes slide by whole pixels, so that a finer search finds nothing; fewer frames in hand spare memory at 4k."""


class Frames(Protocol):
    """Whatever draws frame N."""

    def frame(self, number: int) -> Image.Image: ...


def encode_mp4(spec: RenderSpec, frames: Frames, sound: "Samples | None", advance: Callable[[float], None]) -> bytes:
    """The file. One encoder thread, no clock and no random number in it: equal frames give equal bytes.

    `advance` is told the progress before each frame.
    """
    file = BytesIO()
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(file, "w", format="mp4", options=options, io_open=lambda *_: _Reader(file)) as container:
        picture_stream = _picture_stream(container, spec)
        sound_stream = _sound_stream(container) if sound is not None else None
        if sound is not None and sound_stream is not None:
            for chunk in audio_frames(sound):
                container.mux(sound_stream.encode(chunk))
            container.mux(sound_stream.encode(None))
        reformatter = VideoReformatter()
        for number in range(spec.frames):
            advance(number / spec.frames)
            frame = _video_frame(frames.frame(number), reformatter)
            frame.pts = number
            frame.time_base = Fraction(1, FRAMES_PER_SECOND)
            container.mux(picture_stream.encode(frame))
        container.mux(picture_stream.encode(None))
    return file.getvalue()


def _picture_stream(container: OutputContainer, spec: RenderSpec) -> VideoStream:
    preset, crf = _PRESETS.get(spec.quality, _PRESETS["quality"])
    options = {"preset": preset, "crf": crf, "g": str(2 * FRAMES_PER_SECOND), "x264-params": _FRUGAL}
    stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND, options=options)
    stream.width, stream.height, stream.pix_fmt = spec.width, spec.height, "yuv420p"
    context = stream.codec_context
    context.thread_count = 1
    context.color_primaries = context.color_trc = context.colorspace = 1
    context.color_range = 1
    return stream


def _sound_stream(container: OutputContainer) -> AudioStream:
    stream = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
    stream.bit_rate = 96_000
    return stream


def _video_frame(picture: Image.Image, reformatter: VideoReformatter) -> av.VideoFrame:
    frame = av.VideoFrame(picture.width, picture.height, "rgb0")
    plane = frame.planes[0]
    plane.update(picture.tobytes("raw", "RGBX", plane.line_size))
    return reformatter.reformat(
        frame, format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )


class _Reader(RawIOBase):
    """A second look into the file being written: the muxer reads it back to move its index to the front."""

    def __init__(self, file: BytesIO) -> None:
        self._file = file
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        end = None if size < 0 else self._position + size
        with self._file.getbuffer() as view:
            data = view[self._position : end].tobytes()
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        with self._file.getbuffer() as view:
            base = (0, self._position, len(view))[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position
