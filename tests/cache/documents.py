"""Documents for the store's tests, and how to make a store for them."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from pydantic import JsonValue
from ulid import ULID

from rushes.cache.embedded.store import Document, TaskStore

SCHEMA = 3


def a_document(**fields: JsonValue) -> Document:
    """A valid document of a new task; `fields` take the place of its own."""
    return {
        "task_id": str(ULID()),
        "kind": "video",
        "state": "queued",
        "owner": "local",
        "open": True,
        "worker": None,
        "prompt": "a red fox running through snow",
        **fields,
    }


def opened(
    folder: Path, *, schema: int = SCHEMA, timeout_seconds: float = 5.0
) -> AbstractAsyncContextManager[TaskStore]:
    """The store in `folder`."""
    return TaskStore.opened(folder, schema=schema, timeout_seconds=timeout_seconds)


def task_ids(documents: list[Document]) -> list[JsonValue]:
    return [document["task_id"] for document in documents]
