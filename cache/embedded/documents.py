"""Documents: what a record must have, how it becomes a row's text and back, and how an older one is brought up to date.

Pure functions; nothing here reads or writes.
"""

import json
from collections.abc import Callable, Mapping
from typing import NoReturn, cast
from urllib.parse import quote, unquote

from pydantic import JsonValue

from ...domain.errors import StoreDamaged, StoreTooNew

Document = dict[str, JsonValue]
"""One record as JSON. Its index fields: `task_id`, `schema`, `revision`, `kind`, `state`, `owner` (texts and whole
numbers), `open` (bool: somebody must still work on it), `worker` (the process that does, or null)."""

Migration = Callable[[Document], Document]
"""Takes a document of one schema to the next."""

FINAL_STATES = frozenset({"succeeded", "failed", "cancelled", "unknown"})

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


def number_of(document: Document, field: str) -> int:
    """A field that must be a whole number.

    Raises:
        StoreDamaged: it is not.
    """
    value = document.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise StoreDamaged(f"A record of the task store has no `{field}`.")
    return value


def tag_of(document: Document) -> str:
    """What the index finds a document by: `open|done`, owner, kind and state."""
    parts = (text_of(document, "owner"), text_of(document, "kind"), text_of(document, "state"))
    quoted = (quote(part, safe="", errors="surrogatepass") for part in parts)
    return "/".join(("open" if document["open"] else "done", *quoted))


def tag_prefix(*, is_open: bool, owner: str | None) -> str:
    """What the tags of one owner (or of all) begin with."""
    prefix = "open/" if is_open else "done/"
    return prefix if owner is None else f"{prefix}{quote(owner, safe='', errors='surrogatepass')}/"


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


def migrated(document: Document, schema: int, migrations: Mapping[int, Migration]) -> Document:
    """The document in schema `schema`, brought there step by step (`migrations[1]` leads from 1 to 2).

    Raises:
        StoreTooNew: it was written by a newer rushes.
        StoreDamaged: no step leads on, or the document is not what a step expects.
    """
    found = number_of(document, "schema")
    task_id = document.get("task_id")
    if found > schema:
        raise StoreTooNew(
            f"The record of task {task_id!r} was written by a newer rushes (schema {found}; this one knows {schema}).",
            hint="Update rushes, then try again; the record was left as it is.",
        )
    for step in range(found, schema):
        migration = migrations.get(step)
        if migration is None:
            raise StoreDamaged(f"The record of task {task_id!r} has schema {step}, which this rushes cannot read.")
        try:
            document = {**migration(document), "schema": step + 1}
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise StoreDamaged(f"The record of task {task_id!r} is not what schema {step} promises.") from error
    return document
