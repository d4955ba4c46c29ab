"""Samples on their way to an encoder."""

from array import array
from collections.abc import Iterator
from fractions import Fraction
from typing import TypeAlias

import av

Samples: TypeAlias = "array[float]"
"""Mono, -1 to 1."""

SAMPLE_RATE = 24_000
"""Samples a second: plenty for tones that are made without anything above 7 kHz."""
_CHUNK = 1024


def audio_frames(samples: Samples) -> Iterator[av.AudioFrame]:
    """Mono frames of 1024 samples; the last is as short as it must be."""
    for start in range(0, len(samples), _CHUNK):
        chunk = samples[start : start + _CHUNK]
        frame = av.AudioFrame(format="fltp", layout="mono", samples=len(chunk))
        plane = frame.planes[0]
        plane.update(chunk.tobytes().ljust(plane.buffer_size, b"\0"))
        frame.sample_rate = SAMPLE_RATE
        frame.pts = start
        frame.time_base = Fraction(1, SAMPLE_RATE)
        yield frame
