"""Small real media, made by the libraries that the world uses for them."""

# PyAV leaves the parameters of Packet and add_stream open.
# pyright: reportUnknownMemberType=false

import io
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import av
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from PIL import Image

WIDTH, HEIGHT, FRAME_RATE, SECONDS, SAMPLE_RATE = 64, 48, 10, 1, 48_000


@cache
def image(pillow_format: str) -> bytes:
    """A picture, 64 by 48 pixels."""
    file = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), "orange").save(file, pillow_format)
    return file.getvalue()


@cache
def turned_photo(pillow_format: str) -> bytes:
    """The same picture, which viewers show 48 by 64 pixels large, because its EXIF says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT), "orange").save(file, pillow_format, exif=exif)
    return file.getvalue()


@cache
def movie(
    container_format: str,
    *,
    video: str | None = None,
    audio: str | None = None,
    options: tuple[tuple[str, str], ...] = (),
) -> bytes:
    """One second in a container of FFmpeg, with the encoders `video` and `audio`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sample"
        with av.open(str(path), "w", format=container_format, options=dict(options)) as container:
            pictures = cast("VideoStream", container.add_stream(video, rate=FRAME_RATE)) if video else None
            sound = cast("AudioStream", container.add_stream(audio, rate=SAMPLE_RATE, layout="mono")) if audio else None
            if pictures is not None:
                pictures.width, pictures.height, pictures.pix_fmt = WIDTH, HEIGHT, "yuv420p"
                for number in range(FRAME_RATE * SECONDS):
                    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
                    for plane in frame.planes:
                        plane.update(bytes([number]) * plane.buffer_size)
                    frame.pts = number
                    frame.time_base = Fraction(1, FRAME_RATE)
                    container.mux(pictures.encode(frame))
                container.mux(pictures.encode())
            if sound is not None:
                samples = 960
                for number in range(SAMPLE_RATE * SECONDS // samples):
                    noise = av.AudioFrame(format="s16", layout="mono", samples=samples)
                    noise.planes[0].update(bytes(noise.planes[0].buffer_size))
                    noise.sample_rate = SAMPLE_RATE
                    noise.pts = number * samples
                    for converted in av.AudioResampler(sound.format, "mono", SAMPLE_RATE).resample(noise):
                        container.mux(sound.encode(converted))
                container.mux(sound.encode())
        return path.read_bytes()


def mp4() -> bytes:
    return movie("mp4", video="libx264", audio="aac")
