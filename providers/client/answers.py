"""A gateway's answer as it is kept: bounded JSON without secrets, so that what a field meant can be looked up later."""

import json
import re

from pydantic import JsonValue

from ...domain.failure import clean_text
from .reply import Reply

ANSWER_BYTES_MAX = 8 * 1024

REMOVED = "[removed]"

_LIMITS = ((600, 60), (120, 12), (40, 4))
"""Longest text and longest list, tried in this order until the whole fits."""

_DEPTH_MAX = 12
_SECRET_NAMES = re.compile(r"secret|password|authorization|api[-_]?key|access[-_]?token|signing", re.IGNORECASE)

_ID_HEADERS = ("x-request-id", "request-id", "x-shuyou-requestid", "x-trace-id", "x-correlation-id", "cf-ray")
_ID_FIELDS = ("trace_id", "request_id")
_ID_CHARACTERS_MAX = 120


def kept_answer(body: JsonValue | bytes) -> str | None:
    """A reply's body as at most `ANSWER_BYTES_MAX` of JSON; `None` where it is none.

    Long texts (media in base64) and long lists are cut, with a note of what was cut, and what stands under the name of
    a secret is removed. The gateway's key was taken out when the reply was read (`redaction.py`).
    """
    if isinstance(body, bytes) or body is None:
        return None
    text = ""
    for text_max, list_max in _LIMITS:
        text = json.dumps(_cut(body, text_max, list_max, _DEPTH_MAX), separators=(",", ":"))
        if len(text) <= ANSWER_BYTES_MAX:
            return text
    return json.dumps({"cut off": text[: ANSWER_BYTES_MAX // 2]})


def support_ids(reply: Reply) -> dict[str, str]:
    """Request and trace ids by the gateway's own names, from the headers and the top of the body."""
    found: dict[str, JsonValue] = {name: reply.headers.get(name) for name in _ID_HEADERS}
    body = reply.body if isinstance(reply.body, dict) else {}
    inner = body.get("error")
    for part in (body, inner if isinstance(inner, dict) else {}):
        found |= {name: part[name] for name in _ID_FIELDS if name in part}
    texts = {name: clean_text(value, _ID_CHARACTERS_MAX) for name, value in found.items() if isinstance(value, str)}
    return {name: text for name, text in texts.items() if text}


def _cut(value: JsonValue, text_max: int, list_max: int, depth: int) -> JsonValue:
    if isinstance(value, str):
        return _cut_text(value, text_max)
    if not isinstance(value, (dict, list)):
        return value
    if depth == 0:
        return "[deeper]"
    left_out = len(value) - list_max
    if isinstance(value, list):
        rows = [_cut(each, text_max, list_max, depth - 1) for each in value[:list_max]]
        return [*rows, f"[{left_out} more]"] if left_out > 0 else rows
    named = {
        _cut_text(name, 100): REMOVED if _SECRET_NAMES.search(name) else _cut(each, text_max, list_max, depth - 1)
        for name, each in list(value.items())[:list_max]
    }
    return {**named, "…": f"[{left_out} more]"} if left_out > 0 else named


def _cut_text(text: str, text_max: int) -> str:
    return text if len(text) <= text_max else f"{text[:text_max]}… [{len(text)} characters]"
