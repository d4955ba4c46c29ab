"""The two sessions of a store: one writes in groups, one reads. Each lives on a thread of its own."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import diskcache

from ...domain.errors import StoreBusy, StoreDamaged, StoreError
from ..store_faults import translated
from .database import Database
from .diskcache_adapter import mark_suspect
from .thread import QueuedCall

logger = logging.getLogger(__name__)

_REOPENINGS_MAX = 3
"""A database that is replaced more often while one write goes on is no accident that one more try mends."""


class _Connected:
    """A connection that is opened anew when the database was set aside or replaced under it."""

    def __init__(self, folder: Path, open_database: Callable[[], Database]) -> None:
        self._folder = folder
        self._open_database = open_database
        self._database: Database | None = open_database()

    def database(self) -> Database:
        """The database that lies in the folder now."""
        current = self.current()
        if current is None:
            # The old one is forgotten first, because opening may fail: should its file be found in its place again,
            # diskcache would connect it by itself, without the views and settings that `TaskCache` gives a connection.
            self.close()
            current = self._database = self._open_database()
        return current

    def current(self) -> Database | None:
        """The database that is open, if it is the one that lies in the folder now."""
        if self._database is None or self._database.cache.replaced():
            return None
        return self._database

    def damaged(self, error: StoreError) -> StoreError:
        """The error itself, noted for the next opening where SQLite found the file damaged."""
        if isinstance(error, StoreDamaged):
            mark_suspect(self._folder)
        return error

    def close(self) -> None:
        if self._database is not None:
            database, self._database = self._database, None
            database.cache.close()


class ReadingSession(_Connected):
    """Does each call in a snapshot of its own."""

    def execute(self, calls: Sequence[QueuedCall[Database]]) -> None:
        for call in calls:
            try:
                with translated(self._folder):
                    self._read(call)
            except StoreError as error:
                call.fail(self.damaged(error))

    def _read(self, call: QueuedCall[Database]) -> None:
        db = self.database()
        if call.one_statement:
            # It sees one state of the database by itself.
            _attempt(call, db)
            return
        with db.cache.snapshot():
            _attempt(call, db)


class WritingSession(_Connected):
    """Does several calls in one transaction; each has its own result, and one that fails harms no other."""

    def execute(self, calls: Sequence[QueuedCall[Database]]) -> None:
        if all(call.reading for call in calls):
            self._read(calls)
            return
        try:
            error = self._in_one_transaction(calls)
        except _HalfWritten:
            # One call that fails leaves nothing of itself behind, and the others of its transaction are written. It
            # hardly ever fails after its first write, and a savepoint for each would cost all of them.
            if len(calls) > 1:
                self._one_by_one(calls)
            return
        if error is None:
            return
        # A store that is busy for one is busy for all: one after the other they would wait that long again and again.
        if len(calls) == 1 or isinstance(error, StoreBusy):
            for call in calls:
                call.fail(error)
            return
        self._one_by_one(calls)

    def _one_by_one(self, calls: Sequence[QueuedCall[Database]]) -> None:
        busy: StoreBusy | None = None
        for call in calls:
            if busy is not None:
                call.fail(busy)
                continue
            self.execute([call])
            busy = call.error if isinstance(call.error, StoreBusy) else None

    def _in_one_transaction(self, calls: Sequence[QueuedCall[Database]]) -> StoreError | None:
        try:
            with translated(self._folder):
                for _ in range(_REOPENINGS_MAX):
                    self._write(calls)
                    # What went into a file that was set aside meanwhile is lost, so it is written into the new one too.
                    if (current := self.current()) is not None:
                        self._tidy(current)
                        return None
        except StoreError as error:
            return self.damaged(error)
        return StoreError(f"The task store at {self._folder} is being replaced again and again.")

    def _read(self, calls: Sequence[QueuedCall[Database]]) -> None:
        """What only this connection can tell; nobody's lock is needed for it."""
        try:
            with translated(self._folder):
                for call in calls:
                    _attempt(call, self.database())
        except StoreError as error:
            for call in calls:
                call.fail(self.damaged(error))

    def _tidy(self, db: Database) -> None:
        # What was written stays written: a checkpoint that fails now is done later.
        try:
            with translated(self._folder):
                db.cache.checkpoint()
        except StoreError as error:
            logger.warning("log of the task store not moved into it yet", extra={"problem": error})

    def _write(self, calls: Sequence[QueuedCall[Database]]) -> None:
        db = self.database()
        with db.cache.transaction(durable=any(call.durable for call in calls)):
            for call in calls:
                before = db.cache.changes
                _attempt(call, db)
                if call.error is not None and db.cache.changes != before:
                    raise _HalfWritten


class _HalfWritten(Exception):
    """A call has written something, and then failed."""


def _attempt(call: QueuedCall[Database], db: Database) -> None:
    try:
        call.succeed(call.work(db))
    except (sqlite3.Error, diskcache.Timeout, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - the boundary of the thread: the waiting caller raises it
        call.fail(error)
