"""The files: MP4 with H.264 and AAC, playable from its first bytes on; stills; sounds."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from typing import Literal

import av
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from PIL import Image

from ..spec import FRAMES_PER_SECOND, RenderSpec
from .sound import SAMPLE_RATE, Samples, audio_frame

_PRESETS = {"fast": ("superfast", "23"), "quality": ("veryfast", "20")}
_FRUGAL = "subme=1:bframes=1:rc-lookahead=4:no-mbtree=1"
"""Scenes slide by whole pixels, so that a finer search finds nothing; fewer frames in hand spare memory at 4k. With a
tree of macroblocks x264 gives other bytes for the same pictures now and then."""
_INDEX_BYTES, _INDEX_BYTES_A_FRAME = 4096, 64
"""Room for the index before the media: more than it takes, also with a soundtrack."""
_QUALITY = {"low": 70, "medium": 85, "high": 95}
_Codec = Literal["pcm_s16le", "libmp3lame", "flac", "libopus"]
_CODECS: dict[str, _Codec] = {"wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac", "ogg": "libopus"}


def encode_still(picture: Image.Image, spec: RenderSpec) -> bytes:
    """A PNG, JPEG or WebP file; `quality` matters to the latter two."""
    file = BytesIO()
    picture.save(file, spec.output_format, quality=_QUALITY.get(spec.quality, 90))
    return file.getvalue()


def encode_sound(samples: Samples, output_format: str) -> bytes:
    """A WAV, MP3, FLAC or Ogg file."""
    file = BytesIO()
    with av.open(file, "w", format=output_format, options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(_CODECS[output_format], rate=SAMPLE_RATE, layout="mono")
        container.mux(stream.encode(audio_frame(samples)))
        container.mux(stream.encode(None))
    return file.getvalue()


def encode_mp4(
    spec: RenderSpec, frame_at: Callable[[int], Image.Image], sound: "Samples | None", advance: Callable[[float], None]
) -> bytes:
    """The file. One encoder thread, no clock and no random number in it: equal frames give equal bytes.

    `advance` is told the progress, 0 to 1, before each frame.
    """
    file = BytesIO()
    options = {"fflags": "+bitexact", "moov_size": str(_INDEX_BYTES + spec.frames * _INDEX_BYTES_A_FRAME)}
    with av.open(file, "w", format="mp4", options=options) as container:
        pictures = _picture_stream(container, spec)
        if sound is not None:
            audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
            audio.bit_rate = 96_000
            container.mux(audio.encode(audio_frame(sound)))
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
