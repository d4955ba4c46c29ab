"""The files: MP4 with H.264 and AAC, playable from its first bytes on; stills; sounds."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

from collections.abc import Callable
from fractions import Fraction
from io import BytesIO, RawIOBase
from typing import Final, Literal

import av
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from PIL import Image

from ..spec import FRAMES_PER_SECOND, RenderSpec
from .sound import SAMPLE_RATE, Samples, audio_frames

_PRESETS = {"fast": ("superfast", "23"), "quality": ("veryfast", "20")}
_FRUGAL = "subme=1:bframes=1:rc-lookahead=4:no-mbtree=1"
"""Scenes slide by whole pixels, so that a finer search finds nothing; fewer frames in hand spare memory at 4k. With a
tree of macroblocks x264 gives other bytes for the same pictures now and then."""
_QUALITY = {"low": 70, "medium": 85, "high": 95}
_CODECS: Final[dict[str, Literal["pcm_s16le", "libmp3lame", "flac", "libopus"]]] = {
    "wav": "pcm_s16le",
    "mp3": "libmp3lame",
    "flac": "flac",
    "ogg": "libopus",
}


def encode_still(picture: Image.Image, spec: RenderSpec) -> bytes:
    """A PNG, JPEG or WebP file; `quality` matters to the latter two."""
    file, quality = BytesIO(), _QUALITY.get(spec.quality, 90)
    options = {"png": {"compress_level": 4}, "webp": {"quality": quality, "method": 3}}
    picture.save(file, spec.output_format.upper(), **options.get(spec.output_format, {"quality": quality}))
    return file.getvalue()


def encode_sound(samples: Samples, output_format: str) -> bytes:
    """A WAV, MP3, FLAC or Ogg file."""
    file = BytesIO()
    with av.open(file, "w", format=output_format, options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(_CODECS[output_format], rate=SAMPLE_RATE, layout="mono")
        for frame in audio_frames(samples):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def encode_mp4(
    spec: RenderSpec, frame_at: Callable[[int], Image.Image], sound: "Samples | None", advance: Callable[[float], None]
) -> bytes:
    """The file. One encoder thread, no clock and no random number in it: equal frames give equal bytes.

    `advance` is told the progress, 0 to 1, before each frame.
    """
    file = BytesIO()
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(file, "w", format="mp4", options=options, io_open=lambda *_: _Reader(file)) as container:
        pictures = _picture_stream(container, spec)
        if sound is not None:
            audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
            audio.bit_rate = 96_000
            for chunk in audio_frames(sound):
                container.mux(audio.encode(chunk))
            container.mux(audio.encode(None))
        reformatter = VideoReformatter()
        for number in range(spec.frames):
            advance(number / spec.frames)
            frame = _video_frame(frame_at(number), reformatter)
            frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_SECOND)
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
    return file.getvalue()


def _picture_stream(container: OutputContainer, spec: RenderSpec) -> VideoStream:
    preset, crf = _PRESETS.get(spec.quality, _PRESETS["quality"])
    options = {"preset": preset, "crf": crf, "g": str(2 * FRAMES_PER_SECOND), "x264-params": _FRUGAL}
    stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND, options=options)
    stream.width, stream.height, stream.pix_fmt = spec.width, spec.height, "yuv420p"
    context = stream.codec_context
    context.thread_count = 1
    context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
    return stream


def _video_frame(picture: Image.Image, reformatter: VideoReformatter) -> av.VideoFrame:
    frame = av.VideoFrame(picture.width, picture.height, "rgb0")
    frame.planes[0].update(picture.tobytes("raw", "RGBX", frame.planes[0].line_size))
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
