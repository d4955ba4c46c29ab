"""Steering words: `[fail:timeout]` in a prompt makes the sandbox behave so (table in the package's docstring)."""

import re
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
    asked = dict(_read(match[1].lower(), (match[2] or "").strip().lower()) for match in _WORD.finditer(prompt))
    return " ".join(_WORD.sub(" ", prompt).split()), Steering.model_validate(asked)


def _read(word: str, value: str) -> tuple[str, object]:
    match word:
        case "fail" | "refuse":
            right, read = f"[{word}:REASON] with one of {', '.join(GATEWAY_REASONS)}", value
            is_right = value in GATEWAY_REASONS
        case "slow":
            right, read = f"[slow:SECONDS] with 0 to {SLOW_SECONDS_MAX:g}", value
            is_right = _is_number(value, SLOW_SECONDS_MAX)
        case "outputs":
            right, read = f"[outputs:N] with 0 to {OUTPUTS_MAX}", value
            is_right = _is_number(value, OUTPUTS_MAX) and "." not in value
        case _:
            right, read, is_right = f"[{word}] without a value", "true", not value
    if is_right:
        return ("slow_seconds" if word == "slow" else word), read
    given = f"[{word}:{value[:40]}]" if value else f"[{word}]"
    raise RequestRefused("invalid_input", f"the sandbox does not know the steering word {given}; write {right}")


def _is_number(value: str, most: float) -> bool:
    return re.fullmatch(r"\d{1,4}(\.\d{1,3})?", value, re.ASCII) is not None and float(value) <= most
