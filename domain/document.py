"""Documents: a task's record as plain JSON, and how an older one is brought up to date. Pure."""

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from .errors import StoreDamaged, StoreTooNew

Document = dict[str, JsonValue]
"""One record as JSON. Its index fields: `task_id`, `schema`, `revision`, `kind`, `state`, `owner` (texts and whole
numbers), `open` (bool: somebody must still work on it), `worker` (the process that does, or null)."""

Migration = Callable[[Document], Document]
"""Takes a document of one schema to the next."""


def number_of(document: Document, field: str) -> int:
    """A field that must be a whole number.

    Raises:
        StoreDamaged: it is not.
    """
    value = document.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise StoreDamaged(f"A record of the task store has no `{field}`.")
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
