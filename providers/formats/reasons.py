"""From a gateway's words and HTTP statuses to our failure reasons, where its own codes do not settle it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import JsonValue

from ...domain.errors import FailureReason
from ..client.reply import Reply
from ..format import Fault

REASON_OF_STATUS: Mapping[int, FailureReason] = {
    400: "invalid_input",
    401: "unauthorized",
    402: "insufficient_credits",
    403: "unauthorized",
    404: "not_found",
    408: "timeout",
    410: "unsupported",
    413: "invalid_input",
    415: "invalid_media",
    422: "invalid_input",
    429: "rate_limited",
    499: "cancelled",
    501: "unsupported",
    504: "timeout",
    524: "timeout",
    529: "rate_limited",
}

_WORDS: Sequence[tuple[FailureReason, str]] = (
    (
        "content_violation",
        r"content.?(polic|filter|violat|moderat|safety|does not meet)|safety|sensitive|moderation|nsfw|violat|copyright"
        r"|prohibited|inappropriate|real person|responsible ai|违规|敏感|审核|版权|真人",
    ),
    (
        "insufficient_credits",
        r"insufficient.{0,20}(credit|balance|quota|fund)|credits?\b|balance|quota|billing|余额|额度",
    ),
    ("rate_limited", r"too many requests|rate.?limit|throttl|overloaded|上游负载"),
    ("timeout", r"time[d ]?.?out|超时"),
    (
        "invalid_media",
        r"download(ing)? (of )?(the )?(image|video|audio|media|file|failed)|(image|media|video|audio).{0,24}"
        r"(invalid|unreachable|too large|cannot|could not|failed|format|corrupt|download|access)"
        r"|(invalid|unsupported|cannot|could not|failed).{0,24}(image|media|video file|audio file)|图片|图像",
    ),
    ("unauthorized", r"(invalid|expired|missing|incorrect).{0,20}(token|api.?key)|unauthori[sz]ed|令牌"),
    ("invalid_input", r"invalid|required|must be|too long|参数"),
)
_COMPILED: Sequence[tuple[FailureReason, re.Pattern[str]]] = [
    (reason, re.compile(pattern, re.IGNORECASE)) for reason, pattern in _WORDS
]


def reason_in(text: str, among: Sequence[FailureReason] | None = None) -> FailureReason | None:
    """The reason that a free text speaks of, by keywords (English, and Chinese for the gateways that use it).

    A heuristic for where the gateway gives no code; `among` bounds what it may answer.
    """
    for reason, pattern in _COMPILED:
        if (among is None or reason in among) and pattern.search(text[:2000]):
            return reason
    return None


def reason_of_status(status: int) -> FailureReason:
    """What an HTTP status alone says."""
    return REASON_OF_STATUS.get(status, "invalid_input" if 400 <= status < 500 else "provider_error")


def status_fault(reply: Reply, message: str | None, code: str | None = None) -> Fault | None:
    """The fault that a reply's HTTP status tells of; `None` for a 2xx."""
    if reply.ok:
        return None
    reason = reason_of_status(reply.status)
    return Fault(reason, message or reply.text or f"HTTP {reply.status}", code or str(reply.status))


def of_submission(fault: Fault | None) -> Fault | None:
    """A fault of a submission: what was not found then is the model."""
    if fault is None or fault.reason != "not_found":
        return fault
    return replace(fault, reason="unsupported")


def first_text(*values: JsonValue) -> str | None:
    """The first value that is text and not empty."""
    return next((value for value in values if isinstance(value, str) and value.strip()), None)
