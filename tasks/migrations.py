"""Steps from an older shape of the record to the next, by the version they start from (`record.SCHEMA`)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from pydantic import JsonValue

from ..domain.document import ALWAYS, COUNTS_AFTER_SUCCESS, Document

_REMOTE = ("url", "authenticated", "fallback_url", "expires_at", "mime_type")
_KEPT = ("path", "mime_type", "bytes", "sha256", "width", "height", "duration_seconds", "frame_rate", "has_audio")


def _nested_outputs(document: Document) -> Document:
    """Schema 1 told in one flat object where an output lies, its local file, and how far its download was."""
    outputs = document.get("outputs")
    if not isinstance(outputs, list):
        raise ValueError("no outputs")
    return {**document, "outputs": [_nested(output) for output in outputs]}


def _nested(output: JsonValue) -> Document:
    if not isinstance(output, dict):
        raise ValueError("not an output")
    kept = {name: output[name] for name in _KEPT if name in output}
    return {
        "remote": {name: output[name] for name in _REMOTE if name in output},
        "kept": kept if kept.get("path") is not None else None,
        "keeping": {
            "status": output.get("keeping", "pending"),
            "attempts": output.get("keep_attempts", 0),
            "after": output.get("keep_after"),
            "problem": output.get("keep_problem"),
        },
    }


def _counting(document: Document) -> Document:
    """Schema 2 did not tell until when an equal call is answered with the task: it was asked of the whole record."""
    return {**document, "counts_until": _counts_until(document)}


def _counts_until(document: Document) -> str | None:
    state, told = document["state"], document.get("failure")
    why = told if isinstance(told, dict) else {}
    in_vain = why.get("charged") == "unknown" or (why.get("reason"), why.get("charged")) == ("internal", "yes")
    if state in ("queued", "running", "unknown") or (state == "failed" and in_vain):
        return ALWAYS
    if state == "failed" and document.get("outputs"):
        return ALWAYS if document["open"] else _a_while_after(document["updated_at"])
    ended = document.get("finished_at")
    return _a_while_after(ended) if state == "succeeded" and ended is not None else None


def _a_while_after(moment: JsonValue) -> str:
    return (datetime.fromisoformat(str(moment)) + COUNTS_AFTER_SUCCESS).isoformat()


MIGRATIONS: Mapping[int, Callable[[Document], Document]] = MappingProxyType({1: _nested_outputs, 2: _counting})
