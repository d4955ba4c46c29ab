"""Small media files, made here."""

import hashlib
import math
import wave
from array import array
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image

from rushes.domain.record import Keeping, KeptMedia, Output

RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)

Colour = tuple[int, int, int]


def kept(path: Path, mime_type: str, **facts: object) -> Output:
    data = path.read_bytes()
    measured = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    fields = {"path": str(path), "mime_type": mime_type, **measured, **facts}
    return Output(kept=KeptMedia.model_validate(fields), keeping=Keeping(status="kept"))


def a_video(
    path: Path,
    colours: Sequence[Colour],
    *,
    size: tuple[int, int] = (320, 180),
    seconds_each: float = 1.0,
    begins_at: float = 0.0,
) -> Output:
    """Ten frames a second, each colour in turn; one key frame only. `begins_at` is what the file calls its start."""
    rate = 10
    with av.open(str(path), "w", format="mp4") as container:
        # PyAV leaves a type variable open.
        stream = container.add_stream("libx264", rate=rate, options={"g": "1000"})  # pyright: ignore[reportUnknownMemberType]
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, rate)
        number = 0
        for colour in colours:
            for _ in range(round(seconds_each * rate)):
                frame = av.VideoFrame(size[0], size[1], "rgb24")
                plane = frame.planes[0]
                plane.update(bytes(colour) * (plane.buffer_size // 3) + bytes(plane.buffer_size % 3))
                frame.pts, frame.time_base = number + round(begins_at * rate), Fraction(1, rate)
                container.mux(stream.encode(frame))  # pyright: ignore[reportUnknownMemberType]
                number += 1
        container.mux(stream.encode(None))  # pyright: ignore[reportUnknownMemberType]
    duration = len(colours) * seconds_each
    return kept(path, "video/mp4", width=size[0], height=size[1], duration_seconds=duration, frame_rate=rate)


def an_image(path: Path, size: tuple[int, int], colour: Colour = RED, mode: str = "RGB") -> Output:
    Image.new(mode, size, colour).save(path)
    mime_type = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}[path.suffix]
    return kept(path, mime_type, width=size[0], height=size[1])


def a_sound(path: Path, seconds: float, *, loudness: float = 0.5, rate: int = 16_000) -> Output:
    """A tone of 440 Hz; `loudness` 0 is silence, 1 full scale."""
    top = loudness * 32_767
    samples = array("h", (round(top * math.sin(2 * math.pi * 440 * n / rate)) for n in range(round(seconds * rate))))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return kept(path, "audio/wav", duration_seconds=seconds)
