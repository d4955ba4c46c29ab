"""Steering words: `[fail:timeout]` in a prompt makes the sandbox behave so (table in the package's docstring)."""

import re
from collections.abc import Callable
from typing import get_args

from pydantic import BaseModel, ConfigDict

from ...domain.errors import FailureReason, RequestRefused

SLOW_SECONDS_MAX = 600.0
OUTPUTS_MAX = 8

_RUSHES_OWN = {"cancelled", "outcome_unknown", "result_expired", "internal"}
GATEWAY_REASONS: tuple[FailureReason, ...] = tuple(
    reason for reason in get_args(FailureReason) if reason not in _RUSHES_OWN
)
"""The failure reasons that a gateway can give; the others are rushes' own findings."""

_WORD = re.compile(r"\[\s*(fail|refuse|slow|outputs|lost|expire)\s*(?::([^\[\]]*))?\]", re.IGNORECASE)


class Steering(BaseModel):
    """How a prompt asks the sandbox to behave; the default is an ordinary success."""

    model_config = ConfigDict(frozen=True)

    refuse: FailureReason | None = None
    fail: FailureReason | None = None
    lost: bool = False
    slow_seconds: float = 0.0
    outputs: int | None = None
    expire: bool = False


def read_steering(prompt: str) -> tuple[str, Steering]:
    """The prompt without its steering words, in single spaces, and what they ask for; the last of a kind wins.

    Raises:
        RequestRefused: a steering word has no value, or one that does not exist (`invalid_input`).
    """
    asked: dict[str, object] = {}
    for match in _WORD.finditer(prompt):
        word, value = match[1].lower(), (match[2] or "").strip()
        field, read = _READERS[word]
        asked[field] = read(word, value)
    title = " ".join(_WORD.sub(" ", prompt).split())
    return title, Steering.model_validate(asked)


def _reason(word: str, value: str) -> FailureReason:
    for reason in GATEWAY_REASONS:
        if reason == value.lower():
            return reason
    raise _refusal(word, value, f"[{word}:REASON] with one of {', '.join(GATEWAY_REASONS)}")


def _seconds(word: str, value: str) -> float:
    if re.fullmatch(r"\d{1,4}(\.\d{1,3})?", value, re.ASCII) and float(value) <= SLOW_SECONDS_MAX:
        return float(value)
    raise _refusal(word, value, f"[{word}:SECONDS] with 0 to {SLOW_SECONDS_MAX:g}")


def _number(word: str, value: str) -> int:
    if re.fullmatch(r"\d{1,2}", value, re.ASCII) and int(value) <= OUTPUTS_MAX:
        return int(value)
    raise _refusal(word, value, f"[{word}:N] with 0 to {OUTPUTS_MAX}")


def _flag(word: str, value: str) -> bool:
    if not value:
        return True
    raise _refusal(word, value, f"[{word}] without a value")


def _refusal(word: str, value: str, right: str) -> RequestRefused:
    given = f"[{word}:{value[:40]}]" if value else f"[{word}]"
    return RequestRefused("invalid_input", f"the sandbox does not know the steering word {given}; write {right}")


_READERS: dict[str, tuple[str, Callable[[str, str], object]]] = {
    "refuse": ("refuse", _reason),
    "fail": ("fail", _reason),
    "lost": ("lost", _flag),
    "slow": ("slow_seconds", _seconds),
    "outputs": ("outputs", _number),
    "expire": ("expire", _flag),
}
