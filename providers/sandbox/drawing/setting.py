"""Setting type: where a text breaks and how large it may be. Pure; what letters measure is asked from outside."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import takewhile

MeasureAt = Callable[[str, int], float]
"""Width of a text at a size, both in pixels."""

LEADING = 1.14
"""Distance of two lines, in sizes."""
ELLIPSIS = "…"


@dataclass(frozen=True)
class Setting:
    """A set text: its lines at its size."""

    lines: tuple[str, ...]
    size: int

    @property
    def height(self) -> float:
        """Of all lines, in pixels."""
        return len(self.lines) * self.size * LEADING


def set_text(text: str, width: float, height: float, sizes: tuple[int, int], measure: MeasureAt) -> Setting:
    """The text in a box, as large as fits between the two sizes, in lines of even length.

    A text that does not fit at the smallest size is cut, with an ellipsis. Without room for one letter: no lines.
    """
    smallest, largest = sizes
    for size in range(largest, smallest - 1, -max(1, largest // 24)):
        measure_here = partial(_measured, measure, size)
        lines = wrap(text, width, measure_here) if size * LEADING <= height else []
        fits = len(lines) * size * LEADING <= height and all(measure_here(line) <= width for line in lines)
        if lines and fits:
            return Setting(_evened(text, lines, width, measure_here), size)
    return _cut(text, width, height, smallest, measure)


def _measured(measure: MeasureAt, size: int, text: str) -> float:
    return measure(text, size)


def wrap(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Lines no wider than `width`, broken between words, and inside a word only where it alone is too wide."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        joined = (line + piece).strip() if not line else line + piece
        if measure(joined.rstrip()) <= width:
            line = joined
            continue
        if line.strip():
            lines.append(line.strip())
        *full, line = _broken(piece.strip(), width, measure)
        lines.extend(full)
    return [*lines, line.strip()] if line.strip() else lines


def _pieces(text: str) -> Iterator[str]:
    """Words with the space before them; letters of scripts without spaces one by one."""
    for match in re.finditer(r"\s*\S+", text):
        piece = ""
        for letter in match[0]:
            if _stands_alone(letter) and piece.strip():
                yield piece
                piece = ""
            piece += letter
        yield piece


def _stands_alone(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in ("W", "F") and unicodedata.category(letter).startswith("L")


def _broken(word: str, width: float, measure: Callable[[str], float]) -> list[str]:
    parts = [""]
    for letter in word:
        if parts[-1] and measure(parts[-1] + letter) > width:
            parts.append("")
        parts[-1] += letter
    return parts


def _evened(text: str, lines: list[str], width: float, measure: Callable[[str], float]) -> tuple[str, ...]:
    """The same number of lines in the narrowest box that still gives it, so that no word is left alone."""
    narrow, wide = width / max(1, len(lines)), width
    for _ in range(7):
        middle = (narrow + wide) / 2
        tried = wrap(text, middle, measure)
        if len(tried) <= len(lines) and all(measure(line) <= middle for line in tried):
            wide = middle
        else:
            narrow = middle
    return tuple(wrap(text, wide, measure))


def _cut(text: str, width: float, height: float, size: int, measure: MeasureAt) -> Setting:
    lines = wrap(text, width, partial(_measured, measure, size))[: int(height / (size * LEADING))]
    lines = list(takewhile(lambda line: measure(line, size) <= width, lines))
    while lines:
        last = lines[-1]
        while last and measure(last + ELLIPSIS, size) > width:
            last = last[:-1].rstrip()
        if last:
            return Setting((*lines[:-1], last + ELLIPSIS), size)
        lines.pop()
    return Setting((), size)
