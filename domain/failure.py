"""Failures: why a task ended without outputs, whether it cost money, and what to do now."""

import json
import re
from collections.abc import Mapping
from urllib.parse import quote

from pydantic import ConfigDict

from .errors import Charged, FailureError, FailureReason
from .value import Value

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
    "outcome_unknown": "The gateway may have accepted and may charge this: if its dashboard shows the job, call "
    "check_task with its id as job_id; use force_new only if a second charge is acceptable.",
    "result_expired": "The result's URL is gone; generate again if it is still wanted.",
    "budget_exceeded": "Ask the user whether the budget in rushes.toml may be raised, or ask for something cheaper.",
    "confirmation_needed": "Tell the user the price; if they agree, make the call in `next`.",
    "internal": "A fault in rushes; see its log on stderr, and report it.",
}

_HINTS_IF_FREE: Mapping[FailureReason, str] = {
    "timeout": "The gateway took too long and charges nothing; try again later, or name another provider.",
}
_HINTS_IF_UNKNOWN: Mapping[FailureReason, str] = {
    "provider_error": "The gateway failed and may charge all the same; check its dashboard, name another provider, or "
    "use force_new if a second charge is acceptable.",
    "rate_limited": "The gateway may charge all the same; wait a minute, and use force_new if a second charge is "
    "acceptable.",
    "timeout": "The gateway did not finish in time and may still charge; check its dashboard, "
    "and use force_new only if a second charge is acceptable.",
}
_HINTS_IF_PAID_OR_UNKNOWN: Mapping[FailureReason, str] = {
    "cancelled": "The gateway may charge it all the same; generate it again only if a second charge is acceptable.",
}

_WORTH_REPEATING: frozenset[FailureReason] = frozenset({"rate_limited", "provider_error", "cancelled"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that a person does not see and a model reads: soft hyphens, fillers, zero-width and direction marks,
variation selectors, and the tags that can spell a whole hidden text."""

_QUOTES = re.compile('["\u201c-\u201f\u2033\u2036\u275d\u275e\u301d-\u301f\uff02]')
_CODE = re.compile(r"[^\w.:/+-]+")
_NOT_IN_URLS = re.compile(r'[\s"<>\x00-\x1f\x7f-\x9f]')

_MARK = 'The gateway says: "'
WORDS_LIMIT = 380
"""Characters of a gateway's own words that a message repeats."""
ID_LIMIT = 1024
"""Characters of a gateway's id that are shown. It is handed back as it is, so none is cut."""


class Failure(Value):
    """Why a task ended without outputs."""

    model_config = ConfigDict(extra="ignore")

    reason: FailureReason
    message: str
    provider_code: str | None = None
    charged: Charged = "unknown"
    retry_safe: bool = False
    """True where the same call, made again as it is, cannot pay twice and may succeed."""
    hint: str = ""


def without_invisible(text: str) -> str:
    """The text without the characters that a person does not see."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def invisible_escaped(document: str) -> str:
    """A JSON document in which each character that a person does not see is written as its escape."""
    return document if document.isascii() else _INVISIBLE.sub(lambda found: json.dumps(found[0])[1:-1], document)


def clean_text(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Text from outside as one bounded line: no control or invisible formatting characters, at most `limit` long."""
    line = " ".join(_CONTROL.sub(" ", without_invisible(text[: 20 * limit + 1000])).split())
    if len(line) <= limit:
        return line
    before, marked, words = line[: limit - 1].rpartition(_MARK)
    if marked and '"' not in words:
        # Where the gateway's words are cut, their quotation ends all the same: ours go on after it.
        return f'{before}{marked}{words[:-1].rstrip()}…"'
    return line[: limit - 1].rstrip() + "…"


def visible_url(url: str) -> str:
    """The same address as one word: blanks, quotation marks and what a person would not see are percent-encoded."""
    encoded = _NOT_IN_URLS.sub(lambda found: quote(found[0]), url)
    return encoded if encoded.isascii() else _INVISIBLE.sub(lambda found: quote(found[0]), encoded)


def shown_id(text: str, limit: int = ID_LIMIT) -> str:
    """A gateway's id as it is where it is one word that is seen whole, as ids are; else as the gateway's words."""
    is_word = without_invisible(text) == text and text.isprintable() and not any(map(str.isspace, text))
    return clean_text(text, limit) if is_word else gateway_says(text, limit)


def gateway_says(text: str, limit: int = WORDS_LIMIT) -> str:
    """A stranger's words, marked as such: `The gateway says: "…"`. Quotation marks in them cannot end the quotation."""
    return f'{_MARK}{_QUOTES.sub(chr(39), clean_text(text, limit))}"'


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
        provider_code=_clean_code(provider_code) if provider_code else None,
        charged=charged,
        retry_safe=retry_safe,
        hint=hint if hint is not None else standing_hint(reason, charged),
    )


def _clean_code(code: str) -> str | None:
    """A gateway's code as one word, so that it cannot be a sentence to whoever reads it."""
    return _CODE.sub("_", clean_text(code, 100)).strip("_") or None


def standing_hint(reason: FailureReason, charged: Charged) -> str:
    """What to do now after a failure of which no more is known than its reason and its money state."""
    if charged == "unknown" and reason in _HINTS_IF_UNKNOWN:
        return _HINTS_IF_UNKNOWN[reason]
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
