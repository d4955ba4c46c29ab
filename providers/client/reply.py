"""A gateway's reply as plain data, and what can be read from any reply whatever the gateway."""

import codecs
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Literal

from pydantic import JsonValue
from pydantic_core import from_json

from ...domain.job import RemoteOutput
from ...domain.nesting import without_deep_values
from ...domain.surrogates import without_lone_surrogates

WAIT_LIMIT_SECONDS = 86_400.0
"""A longer wish is cut to this; a gateway's number is data."""


_DIGITS_MAX = 300


@dataclass(frozen=True)
class Reply:
    """An HTTP reply. `body` is the parsed JSON, or the bytes where it is none."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: JsonValue | bytes
    received_at: datetime
    held: Mapping[str, RemoteOutput] = field(default_factory=dict[str, RemoteOutput])
    """Media of the body that went to a sink, by the token that stands for each."""
    medium: RemoteOutput | None = None
    """The whole body, where it is a medium and went to a sink."""
    is_long: bool = False
    """Whether to make anything of it takes so long that it is done beside the event loop."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """What a body that is not JSON says, for a message; empty for HTML and binary data."""
        if not isinstance(self.body, bytes):
            return self.body if isinstance(self.body, str) else ""
        text = self.body[:2000].decode("utf-8", "replace").strip()
        return "" if text.startswith("<") or "\ufffd" in text or "\x00" in text else text


class NoReply(Exception):
    """No usable reply came. `outcome` says whether the request may have reached the gateway."""

    def __init__(self, outcome: Literal["refused", "lost"], message: str) -> None:
        super().__init__(message)
        self.outcome: Literal["refused", "lost"] = outcome
        self.message = message


def parse_body(content_type: str, data: bytes) -> JsonValue | bytes:
    """The JSON that a body holds, else its bytes. Deep nesting and what breaks off count as no JSON.

    What programs write that keep to no standard is replaced, so that the rest stays readable, the id of a paid job
    above all: half an emoji, NaN, a number of thousands of digits, line breaks in a text, bytes that are not UTF-8.
    """
    if is_medium(content_type):
        return data
    text = data.removeprefix(codecs.BOM_UTF8)
    try:
        parsed: JsonValue = from_json(text, allow_inf_nan=False)
    except ValueError:
        return _loosely_parsed(text, data)
    return parsed


def is_medium(content_type: str) -> bool:
    """Whether a body of this type is the medium itself."""
    return content_type.lower().startswith(("audio/", "video/", "image/"))


def _loosely_parsed(text: bytes, otherwise: bytes) -> JsonValue | bytes:
    if not text.lstrip().startswith((b"{", b"[")) or without_deep_values(text) is not text:
        return otherwise
    mended = without_lone_surrogates(text).decode("utf-8", "replace")
    try:
        parsed: JsonValue = json.loads(
            mended, strict=False, parse_constant=_number_or_none, parse_float=_number_or_none, parse_int=_number_or_none
        )
    except (ValueError, RecursionError):
        return otherwise
    return parsed


def _number_or_none(text: str) -> int | float | None:
    if len(text) > _DIGITS_MAX:
        return None
    number = float(text)
    if not isfinite(number):
        return None
    return int(text) if text.removeprefix("-").isdecimal() else number


_PROSE = re.compile(
    r"(?:retry|try again|resets?|wait)\D{0,24}?(?:after|in|for)\s*~?\s*(\d{1,9}(?:\.\d{1,6})?)\s*"
    r"(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h)?\b",
    re.IGNORECASE,
)
_RATE_LIMIT_TIME = re.compile(r"(?:^|[;,\s])(?:t|reset)\s*=\s*(\d{1,9})")


def retry_after(reply: Reply, prose: str = "") -> float | None:
    """Seconds that the gateway asks to wait: Retry-After (seconds or date), rate-limit headers, or its prose."""
    told = _header_seconds(reply)
    if told is None:
        found = _PROSE.search(prose[:2000])
        told = float(found[1]) * _unit_seconds(found[2]) if found else None
    return None if told is None else min(max(told, 0.0), WAIT_LIMIT_SECONDS)


def _header_seconds(reply: Reply) -> float | None:
    headers, now = reply.headers, reply.received_at
    value = headers.get("retry-after", "").strip()
    if _is_number(value):
        return float(value)
    moment = http_date(value)
    if moment is not None:
        return (moment - (http_date(headers.get("date", "")) or now)).total_seconds()
    if reply.ok:
        return None
    standard = _RATE_LIMIT_TIME.search(headers.get("ratelimit", ""))
    if standard:
        return float(standard[1])
    for name in ("ratelimit-reset", "x-ratelimit-reset"):
        value = headers.get(name, "").strip()
        if _is_number(value):
            return _delay_or_moment(float(value), now)
    return None


def _is_number(value: str) -> bool:
    return re.fullmatch(r"\d{1,13}(\.\d{1,9})?", value) is not None


def _delay_or_moment(value: float, now: datetime) -> float:
    if value > 1e12:
        value /= 1000
    return value - now.timestamp() if value > 1e9 else value


def http_date(value: str) -> datetime | None:
    """An HTTP date, in UTC; `None` for anything else."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _unit_seconds(unit: str | None) -> float:
    word = (unit or "s").lower()
    if word.startswith(("ms", "milli")):
        return 0.001
    return {"m": 60.0, "h": 3600.0}.get(word[0], 1.0)
