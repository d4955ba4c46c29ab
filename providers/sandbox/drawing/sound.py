"""Sound: a quiet pad of slow chords under a video, and a melody in the pace of the words for `generate_audio`."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

import math
import random
from array import array
from collections.abc import Callable
from io import BytesIO
from operator import add, mul
from typing import Literal

import av

from ..spec import RenderSpec
from .pcm import SAMPLE_RATE, Samples, audio_frames

_CODECS: dict[str, Literal["pcm_s16le", "libmp3lame", "flac", "libopus"]] = {
    "wav": "pcm_s16le",
    "mp3": "libmp3lame",
    "flac": "flac",
    "ogg": "libopus",
}
_CHORDS = ((0, 4, 7, 11), (-3, 0, 4, 7), (-7, -3, 0, 4), (-5, -1, 2, 7))
"""Semitones above the tonic: I, vi, IV and V, each with a soft fourth voice."""


def soundtrack(spec: RenderSpec, seed: int) -> Samples:
    """The pad: as long as the pictures, fading in and out."""
    return _pad(spec.frames / 24, random.Random(f"pad {seed}"), 0.10)  # noqa: S311


def encode_sound(spec: RenderSpec, seed: int, advance: Callable[[float], None]) -> bytes:
    """The file of `generate_audio`."""
    samples = _pad(spec.duration_seconds, random.Random(f"sound {seed}"), 0.25)  # noqa: S311
    advance(0.6)
    file = BytesIO()
    with av.open(file, "w", format=spec.output_format, options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(_CODECS[spec.output_format], rate=SAMPLE_RATE, layout="mono")
        for frame in audio_frames(samples):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _pad(seconds: float, rng: random.Random, loudness: float) -> Samples:
    length = round(seconds * SAMPLE_RATE)
    tonic = 220.0 * 2 ** (rng.randrange(-5, 5) / 12)
    chords = rng.sample(_CHORDS, len(_CHORDS))
    bar = round(2.5 * SAMPLE_RATE)
    samples: Samples = array("f")
    while len(samples) < length:
        chord = chords[len(samples) // bar % len(chords)]
        samples.extend(_chord([tonic * 2 ** (step / 12) for step in chord], bar, loudness / len(chord)))
    del samples[length:]
    return samples


def _chord(pitches: list[float], length: int, loudness: float) -> Samples:
    total = array("f", bytes(4 * length))
    for pitch in pitches:
        period = round(SAMPLE_RATE / pitch)
        wave = array("f", (loudness * math.sin(2 * math.pi * i / period) for i in range(period)))
        tone = (wave * (length // period + 1))[:length]
        total = array("f", map(add, total, tone))
    swell = array("f", (math.sin(math.pi * i / length) for i in range(length)))
    return array("f", map(mul, total, swell))
