"""A flat body as the parts of a form, for servers that take `multipart/form-data` only."""

import base64
import binascii
import json
from collections.abc import Mapping

from pydantic import JsonValue

Part = tuple[str | None, str | bytes, str | None]
"""File name (`None` for a plain field), content, content type."""


def form_parts(body: Mapping[str, JsonValue]) -> list[tuple[str, Part]]:
    """Each field as a part: a data URL as a file, a list of them as that many, text as it is, all else as JSON text."""
    return [(name, _part(name, each)) for name, value in body.items() for each in _several(value)]


def _several(value: JsonValue) -> list[JsonValue]:
    files = isinstance(value, list) and all(isinstance(each, str) and split_data_url(each) for each in value)
    return value if isinstance(value, list) and files else [value]


def _part(name: str, value: JsonValue) -> Part:
    if not isinstance(value, str):
        return (None, json.dumps(value, ensure_ascii=False), None)
    held = split_data_url(value)
    if held is None:
        return (None, value, None)
    mime_type, data = held
    return (f"{name}.{mime_type.rpartition('/')[2].partition('+')[0]}", data, mime_type)


def data_url(mime_type: str, data: bytes) -> str:
    """Bytes as a base64 data URL."""
    return f"data:{mime_type};base64,{base64.b64encode(data).decode('ascii')}"


def split_data_url(text: str) -> tuple[str, bytes] | None:
    """Type and bytes of a base64 data URL; `None` if it is none."""
    head, comma, payload = text.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    try:
        data = base64.b64decode(payload, validate=False)
    except (binascii.Error, ValueError):
        return None
    return head.removeprefix("data:").partition(";")[0] or "application/octet-stream", data
