"""Which tasks were made from which: a row for each pair, whose key is the index.

The parents stand in each task's own document; these rows lead the other way. A task's parents never change.
"""

from ...domain.document import Document
from .database import Database
from .diskcache_adapter import PutRow

_PREFIX = "child:"
_PRESENT = "true"
"""JSON, as every value of the store is."""

_SELECT_CHILDREN = (
    "SELECT key FROM Cache INDEXED BY Cache_key_raw WHERE key >= ? AND key < ? AND raw = 1 ORDER BY key LIMIT ?"
)


def rows_of(document: Document) -> list[PutRow]:
    """The rows by which the parents of a new document lead to it."""
    parents, task_id = document.get("parents"), document.get("task_id")
    listed = parents if isinstance(parents, list) else []
    return [PutRow(f"{_of(parent)}{task_id}", _PRESENT) for parent in listed if isinstance(parent, str)]


def children(db: Database, task_id: str, *, limit: int = 100) -> list[str]:
    """Ids of the tasks whose documents name this one among their `parents`, the earliest first. Blocks."""
    prefix = _of(task_id)
    rows = db.cache.rows(_SELECT_CHILDREN, (prefix, f"{prefix[:-1]};", limit))  # ";" follows ":"
    return [key.removeprefix(prefix) for (key,) in rows if isinstance(key, str)]


def _of(parent: str) -> str:
    return f"{_PREFIX}{parent}:"
