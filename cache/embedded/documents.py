"""Documents: what a record must have, how it becomes a row's text and back.

Pure functions; nothing here reads or writes.
"""

import json
from functools import lru_cache
from typing import NoReturn, cast
from urllib.parse import quote, unquote

from pydantic import JsonValue

from ...domain.document import Document, number_of
from ...domain.errors import StoreDamaged

TASK_PREFIX = "task:"


def task_key(task_id: str) -> str:
    """The row key of a task; keys sort as their task ids do."""
    return TASK_PREFIX + task_id


def checked(document: Document) -> Document:
    """The document itself.

    Raises:
        ValueError: an index field is missing or of the wrong type.
    """
    for field in ("task_id", "kind", "state", "owner"):
        value = document.get(field)
        if not isinstance(value, str) or not value:
            raise ValueError(f"`{field}` must be a text that is not empty, not {value!r}")
    if not isinstance(document.get("open"), bool):
        raise ValueError(f"`open` must be true or false, not {document.get('open')!r}")
    if not isinstance(document.get("worker"), str | None):
        raise ValueError(f"`worker` must be a text or null, not {document.get('worker')!r}")
    if not text_of(document, "task_id").isascii():
        raise ValueError("`task_id` must be ASCII text")
    return document


def text_of(document: Document, field: str) -> str:
    """A field that `checked` has found to be text."""
    return cast("str", document[field])


def tag_of(document: Document) -> str:
    """What the index finds a document by: `open|done`, owner, kind and state."""
    is_open = document["open"] is True
    return _tag(is_open, text_of(document, "owner"), text_of(document, "kind"), text_of(document, "state"))


@lru_cache(maxsize=1024)
def _tag(is_open: bool, *parts: str) -> str:
    quoted = (quote(part, safe="", errors="surrogatepass") for part in parts)
    return "/".join(("open" if is_open else "done", *quoted))


def tag_prefix(*, is_open: bool, owner: str | None) -> str:
    """What the tags of one owner (or of all) begin with."""
    prefix = "open/" if is_open else "done/"
    return prefix if owner is None else f"{prefix}{quote(owner, safe='', errors='surrogatepass')}/"


def owner_of(tag: str) -> str:
    """The owner that a tag names."""
    return unquote(tag.split("/")[1], errors="surrogatepass")


def kind_and_state(tag: str) -> tuple[str, str]:
    """The kind and the state that a tag names."""
    _, kind, state = tag.rsplit("/", 2)
    return unquote(kind), unquote(state)


def encode(value: JsonValue) -> str:
    """One line of ASCII JSON.

    Raises:
        ValueError: the value cannot be JSON (not a number, too deep, a foreign type).
    """
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, RecursionError) as error:
        raise ValueError(f"this cannot be kept as JSON: {error}") from error


def decode(text: object, key: str) -> JsonValue:
    """The value that `encode` wrote for the row `key`.

    Raises:
        StoreDamaged: the text is something else.
    """
    if not isinstance(text, str):
        raise StoreDamaged(f"The row {key!r} of the task store is not text that rushes wrote.")
    try:
        return cast("JsonValue", json.loads(text, parse_constant=_refuse_constant))
    except (ValueError, RecursionError) as error:
        raise StoreDamaged(f"The row {key!r} of the task store is not JSON.") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def document_of(text: object, key: str) -> Document:
    """The document in the row of a task, of whatever schema.

    Raises:
        StoreDamaged: the row holds no document, or the document of another task.
    """
    value = decode(text, key)
    if not isinstance(value, dict) or key != f"{TASK_PREFIX}{value.get('task_id')}":
        raise StoreDamaged(f"The row {key!r} of the task store holds no record of that task.")
    number_of(value, "schema")
    number_of(value, "revision")
    return value
