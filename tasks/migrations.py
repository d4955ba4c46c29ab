"""Steps from an older shape of the record to the next, by the version they start from (`record.SCHEMA`)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pydantic import JsonValue

from ..domain.document import Document

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


MIGRATIONS: Mapping[int, Callable[[Document], Document]] = MappingProxyType({1: _nested_outputs})
