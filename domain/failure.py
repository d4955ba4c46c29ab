"""Failures: why a task ended without outputs, whether it cost money, and what to do now (design §2)."""

import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from .errors import Charged, FailureError, FailureReason

MESSAGE_LIMIT = 500
"""Longest failure message, in characters. Text from a gateway is data: bounded and cleaned."""

HINTS: Mapping[FailureReason, str] = {
    "content_violation": "Change the prompt or the input media; the same request will be refused again.",
    "invalid_input": "Correct the arguments that the message names and call again.",
    "invalid_media": "Give another input medium (an https URL, or a PNG, JPEG or WebP file under 10 MB).",
    "unsupported": "Call list_models to see what is offered, then choose another model, provider or value.",
    "insufficient_credits": "Ask the user to add credit at the gateway, or name another provider.",
    "rate_limited": "Wait a minute and call again.",
    "unauthorized": "Ask the user to check the gateway's API key (rushes doctor shows which are set).",
    "not_found": "Check the id or the model's name.",
    "provider_error": "The gateway failed; try again, or name another provider.",
    "timeout": "The gateway did not finish in time and may still charge; check its dashboard before you ask again.",
    "cancelled": "The task was cancelled; call the generating tool again if you still want it.",
    "outcome_unknown": "The gateway may have accepted and may charge this; check its dashboard, "
    "and use force_new only if a second charge is acceptable.",
    "result_expired": "The result's URL is gone; generate again if it is still wanted.",
    "internal": "A fault in rushes; see its log on stderr, and report it.",
}

_HINTS_IF_FREE: Mapping[FailureReason, str] = {
    "timeout": "The gateway took too long and charges nothing; try again later, or name another provider.",
}
_HINTS_IF_PAID_OR_UNKNOWN: Mapping[FailureReason, str] = {
    "cancelled": "The gateway may charge it all the same; generate it again only if a second charge is acceptable.",
}

_WORTH_REPEATING: frozenset[FailureReason] = frozenset({"rate_limited", "provider_error", "cancelled"})
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


class Failure(BaseModel):
    """Why a task ended without outputs."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    reason: FailureReason
    message: str
    provider_code: str | None = None
    charged: Charged = "unknown"
    retry_safe: bool = False
    """True where the same call, made again as it is, cannot pay twice and may succeed."""
    hint: str = ""


def clean_text(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Text from outside as one bounded line: no control or invisible formatting characters, at most `limit` long."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def failure(
    reason: FailureReason,
    message: str,
    *,
    charged: Charged,
    provider_code: str | None = None,
    retry_safe: bool | None = None,
    hint: str | None = None,
) -> Failure:
    """A failure with the standing hint of its reason, and `retry_safe` derived from reason and money state."""
    if retry_safe is None:
        retry_safe = reason in _WORTH_REPEATING and charged == "no"
    return Failure(
        reason=reason,
        message=clean_text(message) or reason.replace("_", " "),
        provider_code=clean_text(provider_code, 100) if provider_code else None,
        charged=charged,
        retry_safe=retry_safe,
        hint=hint if hint is not None else standing_hint(reason, charged),
    )


def standing_hint(reason: FailureReason, charged: Charged) -> str:
    """What to do now after a failure of which no more is known than its reason and its money state."""
    told = _HINTS_IF_FREE if charged == "no" else _HINTS_IF_PAID_OR_UNKNOWN
    return told.get(reason, HINTS[reason])


def recharged(why: Failure, charged: Charged) -> Failure:
    """The same failure after more is known about the money; a standing hint changes with it."""
    stands = why.hint == standing_hint(why.reason, why.charged)
    hint = standing_hint(why.reason, charged) if stands else why.hint
    return why.model_copy(update={"charged": charged, "hint": hint})


def failure_of(error: FailureError) -> Failure:
    """The failure that an error stands for."""
    return failure(
        error.reason, error.message, charged=error.charged, provider_code=error.provider_code, hint=error.hint
    )
