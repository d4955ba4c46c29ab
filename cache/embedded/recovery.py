"""A damaged database: set aside under a new name, and what can still be read of it carried over."""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from ...domain.errors import StoreDamaged
from .documents import TASK_PREFIX, checked, decode, document_of, tag_of

logger = logging.getLogger(__name__)


class RowSink(Protocol):
    """Where carried-over rows go."""

    def add(self, key: str, value: str, *, tag: str | None = None) -> bool: ...
    def transaction(self, *, durable: bool) -> contextlib.AbstractContextManager[None]: ...


def set_aside(folder: Path, damage: str) -> Path:
    """Rename a damaged store's folder to `<name>.damaged-<time>` and return the new path.

    Raises:
        StoreDamaged: it could not be renamed, because another process has it open (Windows).
    """
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    target = folder.with_name(f"{folder.name}.damaged-{stamp}")
    count = 1
    while target.exists():
        count += 1
        target = folder.with_name(f"{folder.name}.damaged-{stamp}-{count}")
    try:
        folder.rename(target)
    except PermissionError as error:
        raise StoreDamaged(
            f"The task store at {folder} is damaged ({damage}) and could not be set aside.",
            hint="Close every program that runs rushes, then start it again.",
        ) from error
    logger.warning("damaged task store set aside", extra={"path": folder, "problem": damage, "aside": target})
    return target


def carry_over(damaged: Path, sink: RowSink) -> int:
    """Copy every row that can still be read from a damaged database; returns how many."""
    count = 0
    with sink.transaction(durable=True):
        for key, text in _readable_rows(damaged):
            with contextlib.suppress(StoreDamaged, ValueError):
                count += sink.add(key, text, tag=_tag(key, text))
    logger.warning("rows of a damaged task store carried over", extra={"count": count, "path": damaged})
    return count


def _tag(key: str, text: str) -> str | None:
    if key.startswith(TASK_PREFIX):
        return tag_of(checked(document_of(text, key)))
    decode(text, key)
    return None


def _readable_rows(damaged: Path) -> Iterator[tuple[str, str]]:
    try:
        yield from _rows_until_damage(damaged, "ASC")
    except sqlite3.Error:
        # From the other end too, so that one bad page in the middle hides as little as it can.
        with contextlib.suppress(sqlite3.Error):
            yield from _rows_until_damage(damaged, "DESC")


def _rows_until_damage(damaged: Path, order: str) -> Iterator[tuple[str, str]]:
    connection = sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True, timeout=1, isolation_level=None)
    try:
        # A truncated file is refused as a whole unless the schema is declared writable; nothing is written here.
        connection.execute("PRAGMA writable_schema = ON")
        connection.text_factory = bytes
        query = f"SELECT key, value FROM Cache NOT INDEXED WHERE raw = 1 AND mode = 1 ORDER BY rowid {order}"  # noqa: S608
        for key, value in connection.execute(query):
            if isinstance(key, bytes) and isinstance(value, bytes):
                with contextlib.suppress(UnicodeDecodeError):
                    yield key.decode(), value.decode()
    finally:
        connection.close()
