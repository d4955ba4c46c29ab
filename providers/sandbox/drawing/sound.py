"""Sound without samples: soft chords under a video, and for `generate_audio` a melody in the rhythm of the words."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

import math
import random
import re
import zlib
from array import array
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from operator import add, mul
from typing import Final, TypeAlias

import av

from ..spec import RenderSpec

Samples: TypeAlias = "array[float]"
"""Mono, -1 to 1."""
SAMPLE_RATE: Final = 24_000

_CHORDS = ((0, 4, 7, 11, 14), (-3, 0, 4, 7, 11), (-7, -3, 0, 4, 9), (-5, -1, 2, 5, 9))
"""Semitones above the tonic: I, vi, IV and V, each with soft upper voices."""
_SCALES = ((0, 2, 4, 7, 9), (0, 3, 5, 7, 10), (0, 2, 5, 7, 9), (0, 2, 3, 7, 8))
"""Five tones each; the language chooses one."""
_TIMBRES = {
    "pad": (1.0, 0.42, 0.2, 0.11, 0.05),
    "warm": (1.0, 0.5, 0.28, 0.14, 0.07, 0.03),
    "bell": (1.0, 0.05, 0.42, 0.0, 0.16, 0.0, 0.06),
    "glass": (1.0, 0.12, 0.02),
    "reed": (1.0, 0.08, 0.5, 0.05, 0.3, 0.03, 0.16),
}
"""Strength of the tone itself and of its overtones."""
_SYLLABLE = re.compile(r"[^\W\d_aeiouy]*[aeiouy]+|\w{1,3}|[.,;:!?…]", re.IGNORECASE)
_SYLLABLES_MAX = 400


def chords(seconds: float, seed: int, loudness: float) -> Samples:
    """Slow chords of this length, out of silence and back into it."""
    rng = random.Random(f"pad {seed}")  # noqa: S311
    samples: Samples = array("f", bytes(4 * round(seconds * SAMPLE_RATE)))
    tonic, bar = 110.0 * 2 ** (rng.randrange(-3, 6) / 12), rng.uniform(2.6, 3.2)
    for number in range(math.ceil(seconds / bar)):
        for voice, step in enumerate(_CHORDS[number % 4]):
            pitch = tonic * 2 ** ((step + (12 if voice else 0)) / 12)
            for detuned in (0.9985 * pitch, 1.0015 * pitch):
                _mix(samples, number * bar, bar + 0.8, detuned, loudness / 11, "pad", attack=0.8)
    return samples


def spoken(spec: RenderSpec, seed: int) -> Samples:
    """The melody: one note a syllable and a breath at each stop, spread over the length, above soft chords."""
    samples = chords(spec.duration_seconds, seed, 0.1)
    notes = melody(spec.title, spec.duration_seconds, seed, spec.language)
    for at, seconds, semitones in notes:
        _mix(samples, at, seconds * 1.25, 220 * 2 ** (semitones / 12), 0.3, spec.voice, attack=0.03)
    return samples


def melody(text: str, seconds: float, seed: int, language: str) -> Iterator[tuple[float, float, int]]:
    """Begin and length in seconds, and semitones above the voice's tonic, of each note."""
    scale = _SCALES[zlib.crc32(language.lower().encode()) % len(_SCALES)] if language else _SCALES[0]
    parts = _SYLLABLE.findall(text)[:_SYLLABLES_MAX]
    lengths = [0.75 + 0.12 * min(4, len(part)) for part in parts]
    now, degree = 0.0, 4
    for part, length in zip(parts, lengths, strict=True):
        share = length * seconds / sum(lengths)
        if part.isalnum():
            turn = zlib.crc32(f"{seed}{part.lower()}".encode()) % 5 - 2
            degree = min(9, max(0, degree + turn))
            yield now, share, scale[degree % 5] + 12 * (degree // 5)
        now += share


def _mix(into: Samples, at: float, seconds: float, pitch: float, loudness: float, timbre: str,
         *, attack: float) -> None:  # fmt: skip
    """Add one tone, `pitch` in hertz; what reaches past the end is cut off."""
    first = round(at * SAMPLE_RATE)
    length = min(round(seconds * SAMPLE_RATE), len(into) - first)
    if length > 0:
        wave = _wave(round(pitch, 3), _TIMBRES[timbre])
        tone = (wave * (length // len(wave) + 1))[:length]
        shaped = map(mul, tone, _envelope(length, attack, loudness))
        into[first : first + length] = array("f", map(add, into[first : first + length], shaped))


@lru_cache(maxsize=128)
def _wave(pitch: float, overtones: tuple[float, ...]) -> Samples:
    """A few periods: as many as make a whole number of samples in tune."""
    cycles = max(1, round(1200 * pitch / SAMPLE_RATE))
    length = round(cycles * SAMPLE_RATE / pitch)
    steps = [(cycles * n * math.tau / length, level / sum(overtones)) for n, level in enumerate(overtones, 1)]
    return array("f", (sum(level * math.sin(step * i) for step, level in steps) for i in range(length)))


@lru_cache(maxsize=8)
def _envelope(length: int, attack: float, loudness: float) -> Samples:
    rise, end = attack * SAMPLE_RATE, min(length, SAMPLE_RATE)

    def level(n: int) -> float:
        share = min(1.0, n / rise, (length - n) / end)
        return loudness * share * share * (3 - 2 * share)

    return array("f", map(level, range(length)))


def audio_frames(samples: Samples) -> Iterator[av.AudioFrame]:
    """Mono frames of 1024 samples; the last is as short as it must be."""
    for start in range(0, len(samples), 1024):
        chunk = samples[start : start + 1024]
        frame = av.AudioFrame(format="fltp", layout="mono", samples=len(chunk))
        plane = frame.planes[0]
        plane.update(chunk.tobytes().ljust(plane.buffer_size, b"\0"))
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
        yield frame
