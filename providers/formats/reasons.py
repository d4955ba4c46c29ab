"""From a gateway's words and HTTP statuses to our failure reasons, where its own codes do not settle it.

A reason by words needs words that speak of its subject: money of a lack of it, not of a refund; a medium of one that
went in, not of the one that should have come out; anything else is left to who asks, and at last `provider_error`.
`tests/providers/sentences.toml` holds what each sentence must give.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

from pydantic import JsonValue

from ...domain.errors import FailureReason
from ..format import Fault
from .readings import parse_number
from .wording import (
    ANY_MEDIUM,
    BROKEN,
    CHINESE_FETCH,
    CLAUSE_END,
    CONTENT,
    CREDITS,
    FETCHED,
    GIVEN_BACK,
    GIVEN_BACK_PERHAPS,
    INVALID,
    KEY,
    MADE,
    NOT_CONTENT,
    NOT_INPUT,
    NOUNS,
    OF_MEDIA,
    RATE,
    REFUND,
    SENTENCE_END,
    TIME,
    UNSUPPORTED,
    any_of,
)

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

_TOLD_BY_WORDS: Mapping[int, Sequence[FailureReason]] = {
    **dict.fromkeys(
        (400, 422),
        (
            "rate_limited",
            "insufficient_credits",
            "content_violation",
            "unsupported",
            "invalid_media",
            "unauthorized",
        ),
    ),
    403: ("rate_limited", "insufficient_credits", "content_violation"),
    503: ("rate_limited",),
}
"""The reasons that a refusal of this status may have; else it is the status' own."""

TEXT_READ = 2000
"""Characters of a text that are looked at."""


def words_of(text: str) -> str:
    """A text or code as words: `IMAGE_GENERATION_FAILED` and `PromptTooLong` become words.

    What is quoted at length (the prompt, as a rule) is left out, for it is not the gateway that says it.
    """
    own = re.sub(r'"[^"]{12,}"', " ", text[:TEXT_READ])
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", own)
    return re.sub(r"(?<=\w)_(?=\w)", " ", spaced)


def tells_of_no_charge(text: str) -> bool:
    """Whether a gateway says in words that nothing was charged, or that it was given back.

    A refund that is only possible, conditional or denied is none.
    """
    return any(GIVEN_BACK.search(part) and not GIVEN_BACK_PERHAPS.search(part) for part in _parts(text))


def reason_in(
    text: str, among: Sequence[FailureReason] | None = None, given: frozenset[str] | None = None
) -> FailureReason | None:
    """The reason that a free text speaks of, by its words (English, and Chinese for the gateways that use it).

    A heuristic for where the gateway gives no code; `among` bounds what it may answer. `given` names the kinds of input
    media in the request: `invalid_media` needs the noun of one of them (`None`: not known, so any).
    """
    told = " ".join(part for part in _parts(text) if not (GIVEN_BACK.search(part) or REFUND.search(part)))
    return next((reason for reason in _reasons_in(told, given) if among is None or reason in among), None)


def _parts(text: str) -> list[str]:
    return [part for part in SENTENCE_END.split(words_of(text)) if part and part.strip()]


def _reasons_in(text: str, given: frozenset[str] | None) -> Iterator[FailureReason]:
    """Every reason that the text speaks of, the most telling first."""
    if RATE.search(text):
        yield "rate_limited"
    if CREDITS.search(text):
        yield "insufficient_credits"
    if CONTENT.search(text) and not NOT_CONTENT.search(text):
        yield "content_violation"
    clauses = [clause for clause in CLAUSE_END.split(text) if clause]
    if any(_is_about_given_media(clause, given) for clause in clauses):
        yield "invalid_media"
    if UNSUPPORTED.search(text):
        yield "unsupported"
    if TIME.search(text):
        yield "timeout"
    if KEY.search(text):
        yield "unauthorized"
    if any(INVALID.search(clause) and not NOT_INPUT.search(clause) for clause in clauses):
        yield "invalid_input"


def _is_about_given_media(clause: str, given: frozenset[str] | None) -> bool:
    """About a medium that went in and could not be used; not about one that could not be made, or that nobody gave."""
    kinds = frozenset(NOUNS) if given is None else given & frozenset(NOUNS)
    named = {kind for kind, noun in NOUNS.items() if re.search(rf"\b(?:{noun})", clause, re.IGNORECASE)}
    if not kinds or (named and not named & kinds) or MADE.search(clause) or UNSUPPORTED.search(clause):
        return False
    return _unusable_medium(kinds).search(clause) is not None


@cache
def _unusable_medium(kinds: frozenset[str]) -> re.Pattern[str]:
    nouns = "|".join(NOUNS[kind] for kind in sorted(kinds))
    medium = rf"(?:{nouns}|{ANY_MEDIUM})"
    return any_of(
        rf"{FETCHED}\b.{{0,30}}\b{medium}",
        rf"\b{medium}\b.{{0,30}}\b{FETCHED}\b",
        rf"\b{BROKEN}\b.{{0,20}}\b{medium}\b",
        rf"\b{medium}\b.{{0,12}}\b{OF_MEDIA}?\b.{{0,24}}\b{BROKEN}\b",
        rf"(?:{nouns}).{{0,8}}{CHINESE_FETCH}|{CHINESE_FETCH}.{{0,8}}(?:{nouns})",
    )


def reason_of_status(status: int) -> FailureReason:
    """What an HTTP status alone says."""
    return REASON_OF_STATUS.get(status, "invalid_input" if 400 <= status < 500 else "provider_error")


def reason_of_refusal(status: int, text: str, given: frozenset[str] | None = None) -> FailureReason:
    """What a refusal's status says, and where one status stands for many reasons its words."""
    told = _TOLD_BY_WORDS.get(status)
    return (reason_in(text, told, given) if told else None) or reason_of_status(status)


def of_submission(fault: Fault | None) -> Fault | None:
    """A fault of a submission: what was not found then is the model."""
    if fault is None or fault.reason != "not_found":
        return fault
    return replace(fault, reason="unsupported")


def first_text(*values: JsonValue) -> str | None:
    """The first value that is text and not empty."""
    return next((value for value in values if isinstance(value, str) and value.strip()), None)


def has_error_object(body: Mapping[str, JsonValue]) -> bool:
    """`{error: {message, type or code}}`: the form of OpenAI, which many gateways share; others write less into it."""
    error = body.get("error")
    if not isinstance(error, dict) or first_text(error.get("message")) is None:
        return False
    return first_text(error.get("type"), error.get("code")) is not None


def http_status(code: JsonValue) -> int | None:
    """A code in a body that is the status of an HTTP error, as a number or as text."""
    number = parse_number(code)
    return int(number) if number is not None and 400 <= number < 600 else None
