"""Sound without samples: a melody in the rhythm of the words."""

import math
import re
import zlib
from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction
from operator import add, mul
from typing import Final, TypeAlias

import av

Samples: TypeAlias = "array[float]"
"""Mono, -1 to 1."""
SAMPLE_RATE: Final = 24_000

_SCALE = (0, 2, 4, 7, 9)
"""Semitones above the tonic."""
_TIMBRE = (1.0, 0.5, 0.28, 0.14, 0.07, 0.03)
"""Strength of the tone itself and of its overtones."""
_TONIC_HERTZ, _LOUDNESS, _ATTACK_SECONDS = 220.0, 0.3, 0.03
_SYLLABLE = re.compile(r"[^\W\d_aeiouy]*[aeiouy]+|\w{1,3}|[.,;:!?…]", re.IGNORECASE)
_SYLLABLES_MAX = 400


def song(text: str, seconds: float, seed: int, advance: Callable[[float], None]) -> Samples:
    """The melody of a text, of this length. `advance` is told the progress, 0 to 1, at least once a second of it."""
    samples: Samples = array("f", bytes(4 * round(seconds * SAMPLE_RATE)))
    for begin, lasting, semitones in melody(text, seconds, seed):
        first = round(begin * SAMPLE_RATE)
        length = min(round(1.25 * lasting * SAMPLE_RATE), len(samples) - first)
        wave = _wave(_TONIC_HERTZ * 2 ** (semitones / 12))
        tone = (wave * (length // len(wave) + 1))[:length]
        rise, fall = _ATTACK_SECONDS * SAMPLE_RATE, max(1, min(length, SAMPLE_RATE))
        for start in range(0, length, SAMPLE_RATE):
            advance((first + start) / len(samples))
            end = min(length, start + SAMPLE_RATE)
            shares = (min(1.0, n / rise, (length - n) / fall) for n in range(start, end))
            shaped = map(mul, tone[start:end], (_LOUDNESS * share * share * (3 - 2 * share) for share in shares))
            place = slice(first + start, first + end)
            samples[place] = array("f", map(add, samples[place], shaped))
    return samples


def melody(text: str, seconds: float, seed: int) -> Iterator[tuple[float, float, int]]:
    """Begin and length in seconds, and semitones above the tonic, of a note a syllable, with a breath at each stop."""
    parts = _SYLLABLE.findall(text)[:_SYLLABLES_MAX]
    lengths = [0.75 + 0.12 * min(4, len(part)) for part in parts]
    now, degree = 0.0, 4
    for part, length in zip(parts, lengths, strict=True):
        share = length * seconds / sum(lengths)
        if part.isalnum():
            degree = min(9, max(0, degree + zlib.crc32(f"{seed}{part.lower()}".encode()) % 5 - 2))
            yield now, share, _SCALE[degree % 5] + 12 * (degree // 5)
        now += share


def _wave(pitch: float) -> Samples:
    """A few periods: as many as make a whole number of samples in tune."""
    cycles = max(1, round(1200 * pitch / SAMPLE_RATE))
    length = round(cycles * SAMPLE_RATE / pitch)
    steps = [(cycles * n * math.tau / length, level / sum(_TIMBRE)) for n, level in enumerate(_TIMBRE, 1)]
    return array("f", (sum(level * math.sin(step * i) for step, level in steps) for i in range(length)))


def audio_frame(samples: Samples) -> av.AudioFrame:
    """All of it in one frame, which the encoder cuts and converts as it needs."""
    frame = av.AudioFrame(format="flt", layout="mono", samples=len(samples))
    frame.planes[0].update(samples.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, 0, Fraction(1, SAMPLE_RATE)
    return frame
