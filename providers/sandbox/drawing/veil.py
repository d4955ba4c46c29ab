"""Smooth noise, for clouds, nebulae and the like."""

import random


class Veil:
    """Smooth noise over a plane."""

    def __init__(self, rng: random.Random, across: int = 7, down: int = 7) -> None:
        self._across, self._down = across, down
        self._values = [[rng.random() for _ in range(across)] for _ in range(down + 1)]

    def ring(self, x: float, y: float) -> float:
        """0 to 1; the value at x = 1 is that at x = 0."""
        px, py = (x % 1.0) * self._across, min(0.999, max(0.0, y)) * self._down
        column, row = int(px), int(py)
        sx, sy = _smooth(px - column), _smooth(py - row)
        top, bottom = self._values[row], self._values[row + 1]
        next_column = (column + 1) % self._across
        upper = top[column % self._across] * (1 - sx) + top[next_column] * sx
        lower = bottom[column % self._across] * (1 - sx) + bottom[next_column] * sx
        return upper * (1 - sy) + lower * sy


def _smooth(share: float) -> float:
    return share * share * (3 - 2 * share)
