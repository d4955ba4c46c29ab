"""A word that was probably meant: for every name that a person or an agent may have misspelt."""

from collections.abc import Iterable
from difflib import get_close_matches

CUTOFF = 0.6


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one, whatever the case of either; `None` where none is near."""
    spelt = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), spelt, n=1, cutoff=CUTOFF)
    return spelt[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean …?)`, to stand behind the word; nothing where no known word is near."""
    near = nearest(word, known)
    return f" (did you mean {near!r}?)" if near else ""
