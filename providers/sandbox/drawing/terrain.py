"""Lines of the land: ridges as heights 0 to 1 over a circle, so that a strip of land can be laid end to end."""

import math
import random
from collections.abc import Callable

Line = Callable[[float], float]
"""The height, 0 to 1, at a place 0 to 1; the line closes: its end meets its beginning."""


def hills(rng: random.Random, count: float, roughness: float) -> Line:
    """Rounded hills, about `count` of them; `roughness` 0 to 1 adds smaller ones."""
    octaves = [_noise(rng, max(2, round(count * 2**octave))) for octave in range(5)]
    weights = [roughness**octave for octave in range(5)]
    return lambda place: _spread(sum(w * o(place) for w, o in zip(weights, octaves, strict=True)) / sum(weights))


def peaks(rng: random.Random, count: float, roughness: float) -> Line:
    """Sharp mountains, about `count` great ones among smaller ones; `roughness` 0 to 1 breaks their slopes."""
    tents: list[tuple[float, float, float]] = []
    for number in range(round(count * 2.5)):
        great = number < count
        top = rng.uniform(0.72, 1.0) if great else rng.uniform(0.35, 0.7)
        at = (number + rng.uniform(-0.3, 0.3)) / count if great else rng.random()
        tents.append((at % 1.0, top, rng.uniform(0.9, 1.35) * count))
    rocks = [_noise(rng, round(count * factor)) for factor in (7, 15, 33)]

    def height(place: float) -> float:
        slope = max(top - steep * _ring_distance(place, at) for at, top, steep in tents)
        rough = sum(w * abs(2 * rock(place) - 1) for w, rock in zip((0.5, 0.3, 0.2), rocks, strict=True))
        return min(1.0, max(0.0, max(0.12, slope) - 0.22 * roughness * rough))

    return height


def _ring_distance(first: float, second: float) -> float:
    apart = abs(first - second) % 1.0
    return min(apart, 1.0 - apart)


def dunes(rng: random.Random, count: float) -> Line:
    """Long windward slopes and short steep lees."""
    base = hills(rng, count, 0.25)
    lean = _noise(rng, max(2, round(count / 2)))

    def height(place: float) -> float:
        phase = (place * round(count) + 0.4 * lean(place)) % 1.0
        crest = math.pow(math.sin(math.pi * math.pow(phase, 1.9)), 1.4)
        return 0.55 * crest + 0.45 * base(place)

    return height


def swell(rng: random.Random, count: int) -> Line:
    """Waves of water: low, even and round."""
    parts = [(max(1, round(count * factor)), rng.uniform(0, math.tau), 1 / factor) for factor in (0.5, 1, 1.8, 3.1)]
    total = sum(weight for _, _, weight in parts)
    return lambda place: 0.5 + sum(w * math.sin(math.tau * k * place + p) for k, p, w in parts) / (2 * total)


def _spread(height: float) -> float:
    return min(1.0, max(0.0, (height - 0.5) * 1.6 + 0.5))


def _noise(rng: random.Random, points: int) -> Line:
    """Values between random ones at so many even places, joined by smooth curves."""
    values = [rng.random() for _ in range(points)]

    def at(place: float) -> float:
        position = (place % 1.0) * points
        index = int(position)
        share = position - index
        share = share * share * (3 - 2 * share)
        first, second = values[index % points], values[(index + 1) % points]
        return first + (second - first) * share

    return at
