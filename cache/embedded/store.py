"""The task store: what the ports ask of it, each a function on the open database, on one of two threads."""

import sqlite3
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Self, Unpack

import anyio

from ...domain.document import EVERYTHING, Document, Migration, Replacing, Selection
from ...domain.errors import StoreError
from ..files import size_bytes
from . import ledger_rows, lineage, searching, task_lists, task_rows, value_rows, word_index
from .database import Database
from .diskcache_adapter import DATABASE, OpenedCache, open_cache
from .dispatch import TwoThreads, reads, writes
from .documents import task_key
from .sessions import ReadingSession, WritingSession
from .thread import StoreThread

__all__ = ["Document", "Migration", "StoreHealth", "TaskStore"]

_NO_MIGRATIONS: Mapping[int, Migration] = MappingProxyType({})

_WRITES_IN_ONE_TRANSACTION_MAX = 64
"""They share one sync. Other processes wait for the lock meanwhile, so there is an end to what one takes at once."""

_WAL_RESET_BUG_FIXED = (3, 51, 3)


@dataclass(frozen=True)
class StoreHealth:
    """What `doctor` says about the store."""

    path: Path
    size_bytes: int
    tasks: int
    schema: int
    journal_mode: str
    sqlite_version: str
    wal_reset_bug: bool
    """This SQLite has the bug of sqlite.org/wal.html#walresetbug; the store works around it."""
    set_aside: Path | None
    """Where the damaged store lies that was found at the opening."""
    carried_over: int
    """Rows that were still readable in the damaged store, and are in this one."""


class TaskStore(TwoThreads):
    """Fits `Journal` and its neighbours in `tasks/ports.py`: durable documents with compare-and-set, shared by any
    number of processes.

    Made by `opened`. Every method raises `StoreBusy`, `StoreReadOnly`, `StoreFull`, `StoreDamaged` or another
    `StoreError` where the store cannot be used. A write that was called is done, also where its caller is cancelled.
    What a method does, and may raise beside that, says the function that it is made of.
    """

    def __init__(
        self,
        folder: Path,
        schema: int,
        writer: StoreThread[Database],
        reader: StoreThread[Database],
        openings: Sequence[OpenedCache],
    ) -> None:
        self.folder = folder
        self.schema = schema
        self._openings = openings
        self.writer = writer
        self.reader = reader
        self._looked_for_ends_to = 0

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        folder: Path,
        *,
        schema: int,
        migrations: Mapping[int, Migration] = _NO_MIGRATIONS,
        timeout_seconds: float = 5.0,
    ) -> AsyncGenerator[Self]:
        """The store in `folder`, made where it is missing.

        `migrations[n]` leads a document from schema n to n + 1; it is applied when an older document is read, and
        stays until the document is replaced. A damaged database is set aside (see `set_aside`) and a fresh one is
        opened with what could still be read.

        Raises:
            StoreBusy: another process held it for longer than `timeout_seconds`.
            StoreReadOnly, StoreFull, StoreDamaged, StoreError: it cannot be opened.
        """
        openings: list[OpenedCache] = []

        def open_database() -> Database:
            opened = open_cache(folder, timeout_seconds=timeout_seconds)
            openings.append(opened)
            return Database(opened.cache, schema, migrations)

        writer = StoreThread(
            "rushes-store-writer",
            partial(WritingSession, folder, open_database),
            batch_max=_WRITES_IN_ONE_TRANSACTION_MAX,
        )
        reader = StoreThread("rushes-store-reader", partial(ReadingSession, folder, open_database), batch_max=1)
        await writer.start()
        try:
            await reader.start()
            try:
                yield cls(folder, schema, writer, reader, openings)
            finally:
                await reader.aclose()
        finally:
            await writer.aclose()

    # one task

    create = writes(task_rows.create, durable=True)
    equal = reads(task_rows.equal)
    get = reads(task_rows.get, one_statement=True)
    restore = writes(task_rows.restore, durable=True)
    missing = reads(task_rows.missing)
    answer = reads(task_rows.answer, one_statement=True)
    children = reads(lineage.children)

    async def replace(self, document: Document, *, durable: bool = False, **how: Unpack[Replacing]) -> Document | None:
        """`task_rows.replace`. With `durable` it survives a power cut as well as a crash."""
        return await self.writer.run(lambda db: task_rows.replace(db, document, **how), durable=durable)

    # lists of tasks

    tasks_of_job = reads(task_lists.tasks_of_job)
    jobs_since = reads(task_lists.jobs_since)
    without_job = reads(task_lists.without_job)
    open_documents = reads(task_lists.open_documents)
    open_workers = reads(task_lists.open_workers)
    open_ids = reads(task_lists.open_ids)
    count = reads(task_lists.count)

    async def page(self, selection: Selection = EVERYTHING, *, limit: int = 20) -> list[Document]:
        """The newest documents of a selection. A row that cannot be read is logged and left out.

        Words are looked for by an index of them where SQLite has FTS5; what that does not know yet is looked through,
        some at a time.
        """
        terms = word_index.terms_of(selection.words or "")
        if not terms:
            return await self.reader.run(lambda db: task_lists.newest(db, selection, limit=limit))
        found: list[Document] = []
        rest: Selection | None = selection
        while rest is not None and len(found) < limit:
            step = partial(searching.search, selection=rest, terms=terms, limit=limit - len(found))
            more, position = await self.reader.run(step)
            found += more
            rest = None if position is None else replace(rest, before=position)
        return found

    async def index_words(self, before: str) -> bool:
        """Index the words of some more tasks with ids before this one; false where there is nothing left to do."""
        key = task_key(before)
        if await self.reader.run(lambda db: word_index.is_behind(db, key)):
            await self.writer.run(lambda db: word_index.fill(db, key))
            return True
        after = self._looked_for_ends_to
        ended, end = await self.reader.run(lambda db: word_index.ended_since(db, after))
        if ended:
            await self.writer.run(lambda db: word_index.index_again(db, ended))
        self._looked_for_ends_to = end or 0
        return end is not None

    async def recount_words(self) -> None:
        """Have the index of words go through all tasks once more if it lacks some among those it knows."""
        if await self.reader.run(word_index.has_gaps):
            await self.writer.run(word_index.begin_again)

    # beside the tasks

    lines = reads(ledger_rows.lines)
    last_lines = reads(ledger_rows.last_lines)
    add_lines = writes(ledger_rows.add_lines)
    tasks_without_line = reads(ledger_rows.tasks_without_line)
    used = reads(ledger_rows.used)
    wrong_sums = reads(ledger_rows.wrong_sums)
    add_up_anew = writes(ledger_rows.add_up_anew, durable=True)

    get_value = reads(value_rows.get_value, one_statement=True)
    set_value = writes(value_rows.set_value)
    get_values = reads(value_rows.get_values)

    # the store itself

    async def foreign_writes(self) -> tuple[int, int]:
        """What changes when another process writes, and only seldom else. It costs no lock and no read of a row."""
        # Of the writer's connection: to the reader's, the writer is another.
        version = await self.writer.run(partial(_pragma, name="data_version"), reading=True)
        if not isinstance(version, int):
            raise StoreError("SQLite does not tell whether others have written.")
        return len(self._openings), version

    @property
    def set_aside(self) -> Path | None:
        """Where a damaged database now lies that this store met; None where it met none."""
        return next((opened.set_aside for opened in reversed(self._openings) if opened.set_aside), None)

    @property
    def carried_over(self) -> int:
        """Rows that could still be read in damaged databases, and are in this store."""
        return sum(opened.carried_over for opened in self._openings)

    async def health(self) -> StoreHealth:
        """What is known of the store as a whole."""
        return StoreHealth(
            path=self.folder,
            size_bytes=await anyio.to_thread.run_sync(_size_bytes, self.folder),
            tasks=sum((await self.count()).values()),
            schema=self.schema,
            # SQLite's own word for how it keeps transactions; `wal` unless the file system cannot.
            journal_mode=str(await self.reader.run(partial(_pragma, name="journal_mode"))),
            sqlite_version=sqlite3.sqlite_version,
            wal_reset_bug=sqlite3.sqlite_version_info < _WAL_RESET_BUG_FIXED,
            set_aside=self.set_aside,
            carried_over=self.carried_over,
        )


def _pragma(db: Database, name: str) -> object:
    ((value,),) = db.cache.rows(f"PRAGMA {name}")
    return value


def _size_bytes(folder: Path) -> int:
    return sum(map(size_bytes, folder.glob(f"{DATABASE}*")))
