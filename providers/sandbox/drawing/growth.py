"""What stands on the land, as outlines for a silhouette: firs, round trees, grass, trunks, houses, boats.

Every function yields polygons around x = 0 with the ground at y = 0 and up being negative, `height` tall.
"""

import math
import random
from collections.abc import Iterator

Outline = list[tuple[float, float]]


def fir(rng: random.Random, height: float) -> Iterator[Outline]:
    """A fir: tiers that narrow towards the top."""
    tiers = rng.randint(4, 6)
    width = height * rng.uniform(0.17, 0.23)
    yield [(-height * 0.018, 2), (height * 0.018, 2), (0, -height)]
    for tier in range(tiers):
        low = -height * (0.08 + 0.80 * tier / tiers)
        high = min(low - height * 0.34, -height * (tier + 1) / tiers)
        half = width * (1 - 0.82 * tier / tiers) * rng.uniform(0.9, 1.08)
        droop = height * 0.03
        yield [
            (-half, low + droop),
            (-half * 0.35, low),
            (half * 0.35, low),
            (half, low + droop),
            (0, max(high, -height)),
        ]


def round_tree(rng: random.Random, height: float) -> Iterator[Outline]:
    """A broad tree: a trunk and a crown of several rounds."""
    yield [(-height * 0.03, 2), (height * 0.03, 2), (height * 0.015, -height * 0.6), (-height * 0.015, -height * 0.6)]
    yield _circle(0, -height * 0.68, height * 0.24)
    for turn in range(9):
        angle = math.tau * (turn + rng.uniform(-0.3, 0.3)) / 9
        reach, radius = height * rng.uniform(0.17, 0.24), height * rng.uniform(0.09, 0.15)
        yield _circle(1.15 * reach * math.cos(angle), -height * 0.68 + 0.8 * reach * math.sin(angle), radius)


def grass(rng: random.Random, height: float) -> Iterator[Outline]:
    """A tuft of bent blades."""
    for _ in range(rng.randint(4, 7)):
        root, tall = rng.uniform(-0.35, 0.35) * height, height * rng.uniform(0.45, 1.0)
        bend, thick = rng.uniform(-0.5, 0.5) * tall, height * 0.035
        middle = (root + bend * 0.3, -tall * 0.6)
        yield [(root - thick, 3), middle, (root + bend, -tall), (middle[0] + thick, middle[1]), (root + thick, 3)]


def trunk(rng: random.Random, height: float) -> Iterator[Outline]:
    """A tall trunk that leaves the picture at its top, with a few bare branches."""
    half = height * rng.uniform(0.012, 0.022)
    lean = rng.uniform(-0.03, 0.03) * height
    yield [(-half * 1.7, 4), (half * 1.7, 4), (half, -height * 0.1), (lean + half * 0.7, -height),
           (lean - half * 0.7, -height), (-half, -height * 0.1)]  # fmt: skip
    for _ in range(rng.randint(2, 5)):
        up, side = height * rng.uniform(0.35, 0.95), rng.choice((-1, 1))
        root = lean * up / height
        reach = height * rng.uniform(0.06, 0.16)
        yield [(root, -up), (root + side * reach, -up - reach * 0.6), (root, -up + half * 0.9)]


def house(rng: random.Random, height: float) -> Iterator[Outline]:
    """A building: a block, sometimes stepped, sometimes with a mast."""
    half = height * rng.uniform(0.16, 0.34)
    yield _block(-half, half, height * 0.86)
    step = half * rng.uniform(0.4, 0.85)
    offset = rng.uniform(-0.3, 0.3) * half
    yield _block(offset - step, offset + step, height * rng.uniform(0.9, 0.97))
    if rng.random() < 0.4:
        mast = offset + rng.uniform(-0.5, 0.5) * step
        yield _block(mast - height * 0.006, mast + height * 0.006, height)


def boat(rng: random.Random, height: float) -> Iterator[Outline]:
    """A small sailing boat."""
    way = rng.choice((-1, 1))
    yield [(x * height, y * height) for x, y in ((-0.34, -0.10), (0.36, -0.12), (0.24, 0.03), (-0.26, 0.03))]
    yield [(way * x * height, y * height) for x, y in ((0.0, -1.0), (0.30, -0.17), (0.0, -0.17))]
    yield [(way * x * height, y * height) for x, y in ((-0.03, -0.92), (-0.03, -0.17), (-0.27, -0.17))]


def _block(left: float, right: float, height: float) -> Outline:
    return [(left, 3), (left, -height), (right, -height), (right, 3)]


def _circle(x: float, y: float, radius: float) -> Outline:
    return [(x + radius * math.cos(a * math.tau / 20), y + radius * math.sin(a * math.tau / 20)) for a in range(20)]
