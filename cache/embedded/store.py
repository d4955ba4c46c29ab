"""The task store: an async face over one writer thread and one reader thread."""

import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Self

import anyio
from pydantic import JsonValue

from ...domain.document import Counting, Document, Line, Migration
from ...domain.money import Bound
from . import lineage, searching, word_index
from .diskcache_adapter import DATABASE, OpenedCache, open_cache
from .documents import task_key
from .ledger_face import LedgerFace
from .rows import Rows
from .sessions import ReadingSession, WritingSession
from .thread import StoreThread

__all__ = ["Document", "Migration", "StoreHealth", "TaskStore"]

_NO_MIGRATIONS: Mapping[int, Migration] = MappingProxyType({})

_WRITES_IN_ONE_TRANSACTION_MAX = 64
"""They share one sync. Other processes wait for the lock meanwhile, so there is an end to what one takes at once."""

_LOOK_EVERY_SECONDS = 0.3
"""How often a waiter looks for what was written."""

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


def _always(_document: Document) -> bool:
    return True


class TaskStore(LedgerFace):
    """Durable documents with compare-and-set, shared by any number of processes.

    Made by `opened`. Every method raises `StoreBusy`, `StoreReadOnly`, `StoreFull`, `StoreDamaged` or another
    `StoreError` where the store cannot be used. A write that was called is done, also where its caller is cancelled.
    """

    def __init__(
        self,
        folder: Path,
        schema: int,
        writer: StoreThread[Rows],
        reader: StoreThread[Rows],
        openings: Sequence[OpenedCache],
    ) -> None:
        self.folder = folder
        self.schema = schema
        self._openings = openings
        self._writer = writer
        self._reader = reader

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

        def open_noted() -> OpenedCache:
            opened = open_cache(folder, timeout_seconds=timeout_seconds)
            openings.append(opened)
            return opened

        def bind(opened: OpenedCache) -> Rows:
            return Rows(opened.cache, schema, migrations)

        writer = StoreThread(
            "rushes-store-writer",
            partial(WritingSession, folder, open_noted, bind),
            batch_max=_WRITES_IN_ONE_TRANSACTION_MAX,
        )
        reader = StoreThread("rushes-store-reader", partial(ReadingSession, folder, open_noted, bind), batch_max=1)
        await writer.start()
        try:
            await reader.start()
            try:
                yield cls(folder, schema, writer, reader, openings)
            finally:
                await reader.aclose()
        finally:
            await writer.aclose()

    @property
    def set_aside(self) -> Path | None:
        """Where a damaged database now lies that this store met; None where it met none."""
        return next((opened.set_aside for opened in reversed(self._openings) if opened.set_aside), None)

    @property
    def carried_over(self) -> int:
        """Rows that could still be read in damaged databases, and are in this store."""
        return sum(opened.carried_over for opened in self._openings)

    async def create(
        self,
        document: Document,
        *,
        fingerprint: str | None = None,
        counting: Counting | None = None,
        anew: bool = False,
        lines: Sequence[Line] = (),
        within: Sequence[Bound] = (),
    ) -> tuple[Document, bool]:
        """Keep a new document, unless an equal one counts: returns (document, True), or (the earlier one, False).

        One transaction looks up the documents that `fingerprint` leads to, newest first, sees which of them count (all
        do without `counting`), and writes the new one with revision 1 where none does, or where it is wanted `anew`; so
        equal calls at once, in any process, make one document. Those that count are led to on. `lines` are written
        where the document is. What it wrote survives a power cut.

        Raises:
            ValueError: the document lacks an index field, or its `task_id` is taken.
            OverBudget: with its line of the ledger more would be spent and reserved than a bound of `within` allows.
            StoreTooNew, StoreDamaged: the document that the fingerprint leads to cannot be read, so that nobody
                knows whether it still counts; nothing was written.
        """
        return await self._writer.run(
            lambda rows: rows.create(document, fingerprint, counting, anew=anew, lines=lines, within=within),
            durable=True,
        )

    async def equal(self, fingerprint: str, counting: Counting | None = None) -> Document | None:
        """The document that `create` would answer with instead of a new one; None where it would make one.

        Raises:
            StoreTooNew, StoreDamaged: the document that the fingerprint leads to cannot be read.
        """
        return await self._reader.run(lambda rows: rows.equal(fingerprint, counting))

    async def lines(self, book: str, *, after: str = "", limit: int = 1000) -> list[Line]:
        """The lines of a book in the order of their keys, from the one after the key `after` on.

        Raises:
            StoreDamaged: one of them is not what rushes wrote.
        """
        return await self._reader.run(lambda rows: rows.lines(book, after, limit))

    async def get(self, task_id: str) -> Document | None:
        """The document of a task, brought up to this store's schema.

        Raises:
            StoreTooNew: a newer rushes wrote it.
            StoreDamaged: its row is not what rushes wrote.
        """
        return await self._reader.run(lambda rows: rows.get(task_id), one_statement=True)

    async def replace(
        self,
        document: Document,
        *,
        durable: bool = False,
        claims_job: bool = False,
        reopens: bool = False,
        answer: str | None = None,
        lines: Sequence[Line] = (),
        within: Sequence[Bound] = (),
    ) -> Document | None:
        """Compare and set: write `document` with the next revision if its `revision` is still the stored one.

        Returns the document as stored, or None where somebody else was quicker. With `durable` it survives a power
        cut as well as a crash. `claims_job` refuses a job that another task of the same provider has. `reopens` lets a
        final state go on. `answer` is the gateway's answer, as JSON, which takes the place of the one kept before.
        `lines` are written where the document is, and `within` bounds them as in `create`.

        Raises:
            OverBudget: see `create`.
            ValueError: it lacks an index field, or would change a final state without `reopens`.
            JobTaken: another task has the job; nothing was written.
            StoreTooNew, StoreDamaged: the stored one cannot be read; it was left as it is.
        """
        return await self._writer.run(
            lambda rows: rows.replace(
                document, claims_job=claims_job, reopens=reopens, answer=answer, lines=lines, within=within
            ),
            durable=durable,
        )

    async def restore(
        self, document: Document, *, is_sound: Callable[[Document], bool] = _always, lines: Sequence[Line] = ()
    ) -> bool:
        """Keep a document again that a copy elsewhere still held; False where the store has a good one of its task.

        A row that is not what rushes wrote, or not what `is_sound` accepts, gives way to it: it stays in the database
        under another key. The record of a newer rushes stays as it is. `is_sound` runs on another thread and may run
        twice: it must be pure.

        Raises:
            ValueError: the document lacks an index field.
        """
        return await self._writer.run(lambda rows: rows.restore(document, is_sound, lines), durable=True)

    async def tasks_of_job(self, provider: str, job_id: str) -> list[str]:
        """Ids of the tasks that hold this job of the provider, newest first; by an index."""
        return await self._reader.run(lambda rows: rows.tasks_of_job(provider, job_id))

    async def jobs_since(self, provider: str, first_id: str) -> list[str]:
        """Ids of the jobs of this provider's tasks from the task id `first_id` on, in no order."""
        return await self._reader.run(lambda rows: rows.jobs_since(provider, first_id))

    async def without_job(self, provider: str, first_id: str) -> list[Document]:
        """Documents of this provider's tasks from the task id `first_id` on that have no job, and are `open` or in
        state `unknown`, oldest first; by an index.

        A row that cannot be read is logged and left out.
        """
        return await self._reader.run(lambda rows: rows.without_job(provider, first_id))

    async def children(self, task_id: str, *, limit: int = 100) -> list[str]:
        """Ids of the tasks whose documents name this one among their `parents`, the earliest first; by an index."""
        return await self._reader.run(lambda rows: lineage.children(rows.cache, task_id, limit))

    async def missing(self, task_ids: Sequence[str]) -> list[str]:
        """Those of the ids that the store has no row of."""
        return await self._reader.run(lambda rows: rows.missing(task_ids))

    async def answer(self, task_id: str) -> JsonValue:
        """The gateway's answer that `replace` kept last for a task; None where there is none."""
        return await self._reader.run(lambda rows: rows.answer(task_id), one_statement=True)

    async def open_documents(self, *, limit: int = 1000, after: str | None = None) -> list[Document]:
        """Documents with `open` true, oldest first, from the one after the task id `after` on.

        A row that cannot be read is logged and left out.
        """
        return await self._reader.run(lambda rows: rows.open_documents(limit, after))

    async def open_workers(self) -> list[str | None]:
        """Whom the documents with `open` true name as their worker, each once, in no order; by an index."""
        return await self._reader.run(lambda rows: rows.open_workers())

    async def open_ids(self, worker: str | None, *, limit: int = 1000, after: str | None = None) -> list[str]:
        """Ids of this worker's tasks with `open` true, oldest first, from the one after `after` on; by an index."""
        return await self._reader.run(lambda rows: rows.open_ids(worker, limit, after))

    async def foreign_writes(self) -> tuple[int, int]:
        """What changes when another process writes, and only seldom else. It costs no lock and no read of a row."""
        version = await self._writer.run(lambda rows: rows.foreign_writes(), reading=True)
        return len(self._openings), version

    async def page(
        self,
        *,
        owner: str | None = None,
        state: str | None = None,
        kind: str | None = None,
        limit: int = 20,
        before: str | None = None,
    ) -> list[Document]:
        """Documents newest first, from the one before the task id `before` on; None means any.

        A row that cannot be read is logged and left out.
        """
        return await self._reader.run(
            lambda rows: rows.page(owner=owner, state=state, kind=kind, limit=limit, before=before)
        )

    async def search(
        self,
        query: str,
        *,
        owner: str | None = None,
        state: str | None = None,
        kind: str | None = None,
        since: str | None = None,
        before: str | None = None,
        limit: int = 20,
    ) -> list[Document]:
        """Documents with all words of the query, newest first, from the task id `since` on and before `before`.

        By an index of words where SQLite has FTS5; what that does not know yet is looked through, some at a time.
        """
        terms = word_index.terms_of(query)
        found: list[Document] = []
        position = before
        while len(found) < limit:
            step = partial(
                searching.search,
                terms=terms,
                owner=owner,
                state=state,
                kind=kind,
                since=since,
                before=position,
                limit=limit - len(found),
            )
            more, position = await self._reader.run(step)
            found += more
            if position is None:
                break
        return found

    async def index_words(self, before: str) -> bool:
        """Index the words of some more tasks with ids before this one; false where there is nothing left to do."""
        key = task_key(before)
        if not await self._reader.run(lambda rows: word_index.is_behind(rows.cache, key)):
            return False
        await self._writer.run(lambda rows: word_index.fill(rows.cache, key))
        return True

    async def recount_words(self) -> None:
        """Have the index of words go through all tasks once more if it lacks some among those it knows."""
        if await self._reader.run(lambda rows: word_index.has_gaps(rows.cache)):
            await self._writer.run(lambda rows: word_index.begin_again(rows.cache))

    async def count(self) -> dict[str, int]:
        """How many documents there are in each state."""
        return await self._reader.run(lambda rows: rows.count())

    async def get_value(self, key: str) -> tuple[JsonValue, datetime] | None:
        """A side value, and when it was stored (UTC)."""
        return await self._reader.run(lambda rows: rows.get_value(key), one_statement=True)

    async def set_value(self, key: str, value: JsonValue) -> None:
        """Keep a small side value (a cached list, a learned number) with the time."""
        await self._writer.run(lambda rows: rows.set_value(key, value))

    async def get_values(self, prefix: str) -> dict[str, JsonValue]:
        """The side values of all keys that begin so; one that cannot be read is logged and left out."""
        return await self._reader.run(lambda records: records.get_values(prefix))

    async def health(self) -> StoreHealth:
        """What is known of the store as a whole."""
        tasks = sum((await self.count()).values())
        return StoreHealth(
            path=self.folder,
            size_bytes=await anyio.to_thread.run_sync(_size_bytes, self.folder),
            tasks=tasks,
            schema=self.schema,
            journal_mode=await self._reader.run(lambda rows: rows.journal_mode()),
            sqlite_version=sqlite3.sqlite_version,
            wal_reset_bug=sqlite3.sqlite_version_info < _WAL_RESET_BUG_FIXED,
            set_aside=self.set_aside,
            carried_over=self.carried_over,
        )

    async def wait_for_change(self, task_id: str, revision: int, *, seconds: float) -> Document | None:
        """The document as soon as its revision is not `revision`, or as it is after `seconds`; None if there is none.

        The store is looked at every 0.3 s, whoever wrote: a process hears of its own writes from its journal.
        """
        end = anyio.current_time() + seconds
        while True:
            document = await self.get(task_id)
            left = end - anyio.current_time()
            if document is None or document["revision"] != revision or left <= 0:
                return document
            await anyio.sleep(min(left, _LOOK_EVERY_SECONDS))


def _size_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob(f"{DATABASE}*"))
