"""Small real media: an H.264 MP4, a PNG, JPEG or WebP, a tone; made once for each shape, then cached."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# PyAV's stubs leave packets and images open.

import functools
import io
import math
import struct
import wave
from fractions import Fraction
from typing import Final

from .jobs import Shape

MIME_TYPES: Final = {
    "mp4": "video/mp4",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "pcm": "audio/pcm",
}

_FRAMES_PER_SECOND: Final = 4
_SAMPLES_PER_SECOND: Final = 24_000
_CONTAINERS: Final = {
    "mp3": ("mp3", "libmp3lame"),
    "opus": ("ogg", "libopus"),
    "flac": ("flac", "flac"),
    "aac": ("adts", "aac"),
}


def media_bytes(shape: Shape, number: int) -> bytes:
    """The medium of this shape; `number` tells apart the outputs of different jobs. Blocks: call it in a thread."""
    width, height = _pixels(shape.aspect_ratio)
    if shape.kind == "video":
        return video(width, height, max(1, round(shape.duration_seconds)), number % 97)
    if shape.kind == "image":
        return image(width, height, shape.format, number % 97)
    return audio(max(1, round(shape.duration_seconds)), shape.format, number % 97)


def _pixels(aspect_ratio: str) -> tuple[int, int]:
    wide, _, high = aspect_ratio.partition(":")
    if not (wide.isdigit() and high.isdigit() and int(wide) and int(high)):
        return 64, 64
    scale = 64 / max(int(wide), int(high))
    return max(16, 2 * round(int(wide) * scale / 2)), max(16, 2 * round(int(high) * scale / 2))


def _colour(number: int) -> tuple[int, int, int]:
    return (37 * number) % 256, (91 * number + 60) % 256, (151 * number + 120) % 256


@functools.cache
def image(width: int, height: int, file_format: str, number: int) -> bytes:
    from PIL import Image

    target = io.BytesIO()
    Image.new("RGB", (width, height), _colour(number)).save(target, file_format)
    return target.getvalue()


@functools.cache
def video(width: int, height: int, seconds: int, number: int) -> bytes:
    import av
    from PIL import Image

    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=_FRAMES_PER_SECOND, options={"threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(seconds * _FRAMES_PER_SECOND):
            picture = Image.new("RGB", (width, height), _colour(number + index))
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))  # type: ignore[no-untyped-call]
        container.mux(stream.encode())
    return target.getvalue()


def _samples(seconds: int, number: int) -> bytes:
    step = 2 * math.pi * (220 + 5 * number) / _SAMPLES_PER_SECOND
    count = seconds * _SAMPLES_PER_SECOND
    return b"".join(struct.pack("<h", int(8000 * math.sin(step * index))) for index in range(count))


@functools.cache
def audio(seconds: int, file_format: str, number: int) -> bytes:
    samples = _samples(seconds, number)
    if file_format == "pcm":
        return samples
    if file_format == "wav":
        target = io.BytesIO()
        with wave.open(target, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(_SAMPLES_PER_SECOND)
            file.writeframes(samples)
        return target.getvalue()
    return _encoded_audio(samples, file_format)


def _encoded_audio(samples: bytes, file_format: str) -> bytes:
    import av
    from av.audio.stream import AudioStream

    container_name, codec = _CONTAINERS[file_format]
    target = io.BytesIO()
    with av.open(target, "w", format=container_name) as container:
        stream = container.add_stream(codec, rate=_SAMPLES_PER_SECOND)
        assert isinstance(stream, AudioStream)
        fifo, resampler = av.AudioFifo(), av.AudioResampler(stream.format, "mono", _SAMPLES_PER_SECOND)
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples) // 2)
        frame.planes[0].update(samples)
        frame.sample_rate, frame.pts, frame.time_base = _SAMPLES_PER_SECOND, 0, Fraction(1, _SAMPLES_PER_SECOND)
        for resampled in resampler.resample(frame):
            fifo.write(resampled)
        for part in fifo.read_many(stream.frame_size or 1024, partial=True):
            container.mux(stream.encode(part))
        container.mux(stream.encode())
    return target.getvalue()
