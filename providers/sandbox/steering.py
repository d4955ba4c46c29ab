"""Steering words: `[fail:timeout]` in a prompt makes the sandbox behave so (the table in the README)."""

import re
from typing import get_args

from pydantic import Field, ValidationError

from ...domain.errors import FailureReason, RequestRefused
from ...domain.value import Value

_RUSHES_OWN = {"cancelled", "outcome_unknown", "result_expired", "internal"}
GATEWAY_REASONS: tuple[FailureReason, ...] = tuple(word for word in get_args(FailureReason) if word not in _RUSHES_OWN)
"""The failure reasons that a gateway can give; the others are rushes' own findings."""

_WORD = re.compile(r"\[\s*(fail|refuse|slow|outputs|lost|expire)\s*(?::([^\[\]]*))?\]", re.IGNORECASE)
_REASON = f":REASON] with one of {', '.join(GATEWAY_REASONS)}"
_FORMS = {"fail": _REASON, "refuse": _REASON, "slow": ":SECONDS] with 0 to 600", "outputs": ":N] with 0 to 8"}


class Steering(Value):
    """How a prompt asks the sandbox to behave; the default is an ordinary success."""

    refuse: FailureReason | None = None
    fail: FailureReason | None = None
    lost: bool = False
    slow_seconds: float = Field(default=0.0, ge=0, le=600)
    outputs: int | None = Field(default=None, ge=0, le=8)
    expire: bool = False


def read_steering(prompt: str) -> tuple[str, Steering]:
    """The prompt without its steering words, in single spaces, and what they ask for; the last of a kind wins.

    Raises:
        RequestRefused: a steering word has no value, or one that does not exist (`invalid_input`).
    """
    asked: dict[str, object] = {}
    for match in _WORD.finditer(prompt):
        word, value = match[1].lower(), (match[2] or "").strip().lower()
        read = {"slow_seconds" if word == "slow" else word: value if word in _FORMS else True}
        try:
            asked |= Steering.model_validate(read).model_dump(exclude_unset=True)
            is_right = (word in _FORMS or not value) and value not in _RUSHES_OWN
        except ValidationError:
            is_right = False
        if not is_right:
            given, right = f"[{word}:{value[:40]}]" if value else f"[{word}]", _FORMS.get(word, "] without a value")
            message = f"the sandbox does not know the steering word {given}; write [{word}{right}"
            raise RequestRefused("invalid_input", message)
    return " ".join(_WORD.sub(" ", prompt).split()), Steering.model_validate(asked)
