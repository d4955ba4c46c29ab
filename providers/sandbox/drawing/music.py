"""Music without samples: a few periods of a tone are computed once, repeated, shaped and mixed."""

import math
import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from operator import add, mul

from .pcm import SAMPLE_RATE, Samples

_WAVE_SAMPLES = 1200
"""About so many samples of a tone are computed: enough periods that a whole number of samples is in tune."""


@dataclass(frozen=True)
class Timbre:
    """How a tone sounds: its overtones, how it begins and how it dies away."""

    overtones: tuple[float, ...]
    """Strength of the tone itself and of the overtones after it."""
    attack: float
    """Seconds until it is fully there."""
    decay: float
    """Seconds in which it falls to a third; 0: it holds."""
    release: float
    """Seconds of its end."""


PAD = Timbre((1.0, 0.42, 0.2, 0.11, 0.05), attack=0.9, decay=0.0, release=1.3)
CHIME = Timbre((1.0, 0.0, 0.22, 0.0, 0.07), attack=0.012, decay=0.55, release=0.5)
VOICES: dict[str, Timbre] = {
    "warm": Timbre((1.0, 0.5, 0.28, 0.14, 0.07, 0.03), attack=0.045, decay=0.9, release=0.10),
    "bell": Timbre((1.0, 0.05, 0.42, 0.0, 0.16, 0.0, 0.06), attack=0.006, decay=0.28, release=0.12),
    "glass": Timbre((1.0, 0.12, 0.02), attack=0.07, decay=1.6, release=0.16),
    "reed": Timbre((1.0, 0.08, 0.5, 0.05, 0.3, 0.03, 0.16), attack=0.03, decay=0.0, release=0.07),
}


def silence(seconds: float) -> Samples:
    """So many seconds of nothing, to mix into."""
    return array("f", bytes(4 * round(seconds * SAMPLE_RATE)))


def mix_tone(into: Samples, at: float, seconds: float, pitch: float, loudness: float, timbre: Timbre) -> None:
    """Add one tone, `at` seconds from the beginning, `pitch` in hertz; what reaches past the end is cut off."""
    first = round(at * SAMPLE_RATE)
    length = min(round(seconds * SAMPLE_RATE), len(into) - first)
    if length <= 0:
        return
    wave = _wave(round(pitch, 3), timbre.overtones)
    tone = (wave * (length // len(wave) + 1))[:length]
    shaped = map(mul, tone, _envelope(length, timbre, loudness))
    into[first : first + length] = array("f", map(add, into[first : first + length], shaped))


def fade_ends(samples: Samples, seconds: float) -> None:
    """Let it come out of silence and go back into it."""
    length = min(round(seconds * SAMPLE_RATE), len(samples) // 2)
    rise = array("f", (0.5 - 0.5 * math.cos(math.pi * n / length) for n in range(length)))
    if length:
        samples[:length] = array("f", map(mul, samples[:length], rise))
        samples[-length:] = array("f", map(mul, samples[-length:], reversed(rise)))


def pad(into: Samples, rng: random.Random, loudness: float) -> Iterator[float]:
    """Slow chords over the whole length, with a few chimes; yields the share that is done, chord by chord."""
    seconds = len(into) / SAMPLE_RATE
    tonic = 110.0 * 2 ** (rng.randrange(-3, 6) / 12)
    chords = [CHORDS[0], *rng.sample(CHORDS[1:], len(CHORDS) - 1)]
    bar = rng.uniform(2.6, 3.2)
    for number in range(math.ceil(seconds / bar)):
        yield number * bar / seconds
        chord = chords[number % len(chords)]
        for voice, step in enumerate(chord):
            for detune in (0.9985, 1.0015):
                pitch = tonic * 2 ** ((step + (12 if voice else 0)) / 12) * detune
                mix_tone(into, number * bar - (0.5 if number else 0), bar + 1.2, pitch, loudness / 11, PAD)
        for beat in range(4):
            if rng.random() < 0.55:
                pitch = tonic * 2 ** ((rng.choice(chord) + rng.choice((24, 36))) / 12)
                mix_tone(into, (number + beat / 4) * bar, 1.8, pitch, loudness * rng.uniform(0.05, 0.12), CHIME)


CHORDS = ((0, 4, 7, 11, 14), (-3, 0, 4, 7, 11), (-7, -3, 0, 4, 9), (-5, -1, 2, 5, 9), (-8, -1, 4, 7, 11))
"""Semitones above the tonic: I, vi, IV, V and iii, each with soft upper voices."""


@lru_cache(maxsize=128)
def _wave(pitch: float, overtones: tuple[float, ...]) -> Samples:
    cycles = max(1, round(_WAVE_SAMPLES * pitch / SAMPLE_RATE))
    length = round(cycles * SAMPLE_RATE / pitch)
    total = sum(overtones)
    steps = [(cycles * (n + 1) * math.tau / length, level / total) for n, level in enumerate(overtones) if level]
    return array("f", (sum(level * math.sin(step * i) for step, level in steps) for i in range(length)))


@lru_cache(maxsize=8)
def _envelope(length: int, timbre: Timbre, loudness: float) -> Samples:
    """Computed at every 16th sample and held straight between them."""
    stride, seconds = 16, length / SAMPLE_RATE
    release = min(timbre.release, seconds / 2)

    def level(n: int) -> float:
        t = n * stride / SAMPLE_RATE
        rise = min(1.0, t / timbre.attack)
        fall = min(1.0, max(0.0, (seconds - t) / release))
        held = math.exp(-t / timbre.decay) if timbre.decay else 1.0
        return loudness * rise * rise * (3 - 2 * rise) * fall * fall * (3 - 2 * fall) * held

    levels = [level(n) for n in range(length // stride + 2)]
    ramp = [(start, (end - start) / stride) for start, end in pairwise(levels)]
    return array("f", (start + slope * n for start, slope in ramp for n in range(stride)))[:length]
