"""The melody of a text: one note a syllable, a breath at each comma, a fall at each full stop. Pure."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_SCALES = ((0, 2, 4, 7, 9), (0, 3, 5, 7, 10), (0, 2, 5, 7, 9), (0, 2, 3, 7, 8))
"""Five tones each; the language chooses one."""
_TOKEN = re.compile(r"\w+|[.,;:!?…—-]")
_SYLLABLE = re.compile(r"[^\W\d_aeiouy]*[aeiouy]+(?:[^\W\d_aeiouy]+$)?|\w{1,3}", re.IGNORECASE)
"""Consonants up to a vowel; of other scripts, up to three letters."""
_PAUSES = {",": 0.8, ";": 1.0, ":": 1.0, "-": 0.5, "—": 1.0, ".": 1.6, "!": 1.6, "?": 1.6, "…": 1.8}
SYLLABLES_MAX = 400


@dataclass(frozen=True)
class Note:
    """One sung syllable."""

    at: float
    """Seconds from the beginning."""
    seconds: float
    semitones: int
    """Above the voice's tonic."""
    stressed: bool


def melody(text: str, seconds: float, seed: int, language: str) -> tuple[Note, ...]:
    """The notes of the text, spread over exactly the given time."""
    scale = _SCALES[zlib.crc32(language.lower().encode()) % len(_SCALES)] if language else _SCALES[0]
    parts = list(_parts(text))
    total = sum(length for length, _, _ in parts) or 1.0
    notes: list[Note] = []
    now, degree = 0.0, 4
    for length, syllable, stressed in parts:
        share = length * seconds / total
        if syllable:
            turn = zlib.crc32(f"{seed}{syllable.lower()}".encode()) % 5 - 2
            degree = min(9, max(0, degree + turn + (1 if stressed else 0) - (1 if degree > 6 else 0)))
            notes.append(Note(now, share, scale[degree % 5] + 12 * (degree // 5), stressed))
        now += share
    return tuple(notes)


def _parts(text: str) -> Iterator[tuple[float, str, bool]]:
    """Relative length, letters (none for a pause), and whether a word begins."""
    count = 0
    for token in _TOKEN.findall(text):
        if token in _PAUSES:
            yield _PAUSES[token], "", False
            continue
        for number, syllable in enumerate(_SYLLABLE.findall(token)):
            count += 1
            if count > SYLLABLES_MAX:
                return
            yield 0.75 + 0.12 * min(4, len(syllable)), syllable, number == 0
        yield 0.3, "", False
