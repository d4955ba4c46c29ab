"""Sounds: the waveform as a picture, and how loud it is in words."""

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...domain.errors import RequestRefused
from .glimpse import Glimpse
from .picture import SIDE_MAX, jpeg_of

if TYPE_CHECKING:
    from av.container import InputContainer
    from PIL.Image import Image

RATE = 8_000
"""Samples a second that are looked at, in mono."""
GRAIN = 80
"""Samples of one grain: 10 ms."""
SECONDS_MAX = 900.0
"""A longer sound is shown up to here."""

FULL_SCALE = 32_768
SILENCE = FULL_SCALE * 10 ** (-60 / 20)
"""Below -60 dB full scale."""

HEIGHT = 288
AXIS_HEIGHT = 28
PAPER, LINE, WAVE, INK = (24, 24, 27), (63, 63, 70), (96, 165, 250), (228, 228, 231)

Grain = tuple[int, int]
"""Lowest and highest sample."""


@dataclass(frozen=True)
class LoudnessCurve:
    """A sound in grains of 10 ms."""

    grains: Sequence[Grain]
    cut: bool
    """Whether the sound goes on after `SECONDS_MAX`."""

    @property
    def seconds(self) -> float:
        return len(self.grains) * GRAIN / RATE

    @property
    def peak(self) -> int:
        return max((max(-low, high) for low, high in self.grains), default=0)

    @property
    def silent_share(self) -> float:
        silent = sum(max(-low, high) < SILENCE for low, high in self.grains)
        return silent / max(1, len(self.grains))


def glimpse_of_sound(container: "InputContainer") -> Glimpse:
    """The waveform over time.

    Raises:
        RequestRefused: the file holds no sound.
    """
    if not container.streams.audio:
        raise RequestRefused("invalid_media", "The file holds no sound.", hint="Open the file itself.")
    envelope = envelope_of(container)
    return Glimpse(jpeg_of(waveform(envelope)), f"waveform, {loudness(envelope)}")


def envelope_of(container: "InputContainer") -> LoudnessCurve:
    """The lowest and highest sample of each 10 ms."""
    grains: list[Grain] = []
    rest: array[int] = array("h")
    for samples in _samples(container):
        rest += samples
        whole = len(rest) - len(rest) % GRAIN
        grains += (_grain(rest[start : start + GRAIN]) for start in range(0, whole, GRAIN))
        rest = rest[whole:]
        if len(grains) * GRAIN >= SECONDS_MAX * RATE:
            return LoudnessCurve(grains, cut=True)
    if rest:
        grains.append(_grain(rest))
    return LoudnessCurve(grains, cut=False)


def _grain(samples: "array[int]") -> Grain:
    return min(samples), max(samples)


def _samples(container: "InputContainer") -> "Iterator[array[int]]":
    from av import AudioResampler

    resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
    for frame in container.decode(container.streams.audio[0]):
        for resampled in resampler.resample(frame):
            yield _as_array(bytes(resampled.planes[0]), resampled.samples)
    for resampled in resampler.resample(None):
        yield _as_array(bytes(resampled.planes[0]), resampled.samples)


def _as_array(data: bytes, count: int) -> "array[int]":
    samples = array("h")
    samples.frombytes(data[: count * samples.itemsize])
    return samples


def loudness(envelope: LoudnessCurve) -> str:
    """`peak -3.1 dB, 12 % silence`; `all silence`."""
    if envelope.peak < SILENCE:
        return "all silence"
    peak = 20 * math.log10(envelope.peak / FULL_SCALE)
    cut = f", only the first {SECONDS_MAX:g} s" if envelope.cut else ""
    return f"peak {min(peak, 0.0):.1f} dB, {100 * envelope.silent_share:.0f} % silence{cut}"


def waveform(envelope: LoudnessCurve) -> "Image":
    """The envelope over an axis of seconds; what is not silence is scaled so that its peak fills the picture."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (SIDE_MAX, HEIGHT + AXIS_HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(15)
    middle, reach = HEIGHT / 2, HEIGHT / 2 - 6
    draw.line([(0, middle), (SIDE_MAX, middle)], fill=LINE)
    for second in _ticks(envelope.seconds):
        x = second / envelope.seconds * (SIDE_MAX - 1)
        draw.line([(x, 0), (x, HEIGHT)], fill=LINE)
        anchor = "lt" if second == 0 else "rt" if x > SIDE_MAX - 40 else "mt"
        draw.text((x, HEIGHT + 7), f"{second:g} s", fill=INK, font=font, anchor=anchor)
    loudest = envelope.peak if envelope.peak >= SILENCE else FULL_SCALE
    for x, (low, high) in enumerate(columns(envelope.grains, SIDE_MAX)):
        top, bottom = middle - high / loudest * reach, middle - low / loudest * reach
        draw.line([(x, top), (x, bottom)], fill=WAVE)
    return image


def columns(grains: Sequence[Grain], count: int) -> Iterator[Grain]:
    """The grains as `count` columns, each with its lowest and highest sample."""
    for number in range(count if grains else 0):
        start = number * len(grains) // count
        part = grains[start : max(start + 1, (number + 1) * len(grains) // count)]
        yield min(low for low, _ in part), max(high for _, high in part)


def _ticks(seconds: float) -> Iterator[float]:
    """Round moments, about eight of them."""
    if seconds <= 0:
        return
    rough = seconds / 8
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    number = 0
    while number * step <= seconds:
        yield round(number * step, 6)
        number += 1
