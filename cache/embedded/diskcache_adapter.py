"""The diskcache database under the task store, opened so that it is safe to keep paid work in.

diskcache is made for caches. What a task store must not suffer is turned off here: unpickling, eviction, expiry,
values in separate files, endless retries. This is the only module that uses diskcache's private `_sql` and
`_con`: its public API has no ordered range query (newest first, all open ones), no way to choose the durability of one
transaction, and no way to leave a transaction whose COMMIT failed.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import diskcache
import filelock

from ...domain.errors import StoreDamaged, StoreError
from ..files import make_folder, make_private, size_bytes, stat_of
from ..store_faults import translated
from . import ledger_sums
from .recovery import carry_over, set_aside

SqlValue = str | int | float | bytes | None
Row = tuple[SqlValue, ...]

DATABASE = "cache.db"
CHECKPOINT_BYTES = 4 * 2**20
"""The write-ahead log is moved into the database when it has grown by this much."""

_CHECKPOINT_WAIT_MILLISECONDS = 250  # writers of all processes stand still meanwhile
_MODE_RAW = 1
_SUSPECT = "suspect"
_QUICK_CHECK_BYTES = 16 * 2**20

_SETTINGS: dict[str, int | str] = {
    "statistics": 0,
    "tag_index": 0,  # (tag, rowid); the own index below is (tag, key), so that a page is in the order of task ids
    "eviction_policy": "none",
    "cull_limit": 0,
    "size_limit": 2**62,
    "disk_min_file_size": 2**31 - 1,
    "sqlite_auto_vacuum": 0,
    "sqlite_cache_size": 2**11,
    "sqlite_checkpoint_fullfsync": 1,
    "sqlite_fullfsync": 1,  # macOS: fsync alone leaves the data in the drive's cache
    "sqlite_journal_mode": "wal",
    "sqlite_mmap_size": 0,  # a fault of a mapped file kills the process; a fault of a read is an error
    "sqlite_synchronous": 1,
    "sqlite_wal_autocheckpoint": 0,  # one process at a time checkpoints: see `TaskCache.checkpoint`
}

JOB_ID_OF = "CASE WHEN json_valid(value) THEN json_extract(value, '$.job.job_id') END"
"""The job in a task's row, as SQL; a query must say it in just these words to go by the index."""

WORKER_OF = "CASE WHEN json_valid(value) THEN json_extract(value, '$.worker') END"
"""The process that works on an open task, as SQL; a query must say it in just these words to go by the index."""

PROVIDER_OF = "CASE WHEN json_valid(value) THEN json_extract(value, '$.provider') END"
"""The gateway of a task, as SQL."""

_INDEXES = (
    f"CREATE INDEX IF NOT EXISTS rushes_job ON Cache({JOB_ID_OF}, key) WHERE key >= 'task:' AND key < 'task;'",
    "CREATE INDEX IF NOT EXISTS rushes_tag ON Cache(tag, key) WHERE tag IS NOT NULL",
    f"CREATE INDEX IF NOT EXISTS rushes_worker ON Cache({WORKER_OF}, key) WHERE tag >= 'open/' AND tag < 'open0'",
    "CREATE INDEX IF NOT EXISTS rushes_open ON Cache(key) WHERE tag >= 'open/' AND tag < 'open0'",
)


_SELECT_VALUE = "SELECT key, raw, mode, filename, value FROM Cache WHERE key = ? AND raw = 1"
_INSERT = "INSERT INTO Cache(key, raw, store_time, access_time, access_count, tag, size, mode, value) VALUES "
_INSERT_NEW = f"{_INSERT}(?, 1, ?, ?, 0, ?, 0, ?, ?) ON CONFLICT(key, raw) DO NOTHING"


def _put(key: str, text: str, tag: str, now: str) -> str:
    return (
        f"{_INSERT}({key}, 1, {now}, {now}, 0, {tag}, 0, {_MODE_RAW}, {text})"
        " ON CONFLICT(key, raw) DO UPDATE SET store_time = excluded.store_time,"
        " access_time = excluded.access_time, tag = excluded.tag, size = 0, mode = excluded.mode, filename = NULL,"
        " value = excluded.value"
    )


_TOGETHER_MAX = 4
_PUT_TOGETHER: Mapping[int, str] = {
    1: _put("?1", "?2", "?3", "?4"),
    **{n: f"INSERT INTO rushes_put_{n} VALUES (?{', ?' * (3 * n)})" for n in range(2, _TOGETHER_MAX + 1)},  # noqa: S608
}
"""What writes so many rows, by key, text and tag of each, and then the time."""


def _views() -> Iterator[str]:
    """Views of this connection alone, into which several rows are written at once.

    One INSERT of several rows would first fill a table of SQLite's own with them, because `Cache` has triggers.
    """
    for n in range(2, _TOGETHER_MAX + 1):
        columns = [f"{name}{i}" for i in range(n) for name in ("key", "text", "tag")]
        puts = (_put(f"NEW.key{i}", f"NEW.text{i}", f"NEW.tag{i}", "NEW.now") for i in range(n))
        nothing = ", ".join(f"NULL AS {column}" for column in [*columns, "now"])
        yield f"CREATE TEMP VIEW rushes_put_{n} AS SELECT {nothing}"
        does = "; ".join(puts)
        yield f"CREATE TEMP TRIGGER rushes_put_{n}_rows INSTEAD OF INSERT ON rushes_put_{n} BEGIN {does}; END"


class PutRow(NamedTuple):
    """A row to write."""

    key: str
    text: str
    tag: str | None = None


class JsonDisk(diskcache.Disk):
    """Rows are text keys and text values, inline; anything else in a row is refused and never unpickled."""

    def put(self, key: object) -> tuple[SqlValue, bool]:
        if type(key) is not str:
            raise TypeError(f"a key of the task store is text, not {type(key).__name__}")
        return key, True

    def get(self, key: object, raw: object) -> object:
        if type(key) is not str or raw != 1:
            raise StoreDamaged("A row of the task store has a key that rushes did not write; it was not read.")
        return key

    def store(self, value: object, read: bool, key: object = None) -> tuple[int, int, str | None, SqlValue]:  # noqa: ARG002
        if type(value) is not str or read:
            raise TypeError(f"a value of the task store is text, not {type(value).__name__}")
        return 0, _MODE_RAW, None, value

    def fetch(self, mode: object, filename: object, value: object, read: bool) -> object:
        if mode != _MODE_RAW or filename is not None or type(value) is not str or read:
            raise StoreDamaged("A row of the task store holds something that rushes did not write; it was not read.")
        return value


class TaskCache(diskcache.Cache):
    """One thread's view of the database, with the settings of a task store."""

    def __init__(self, folder: Path, timeout_seconds: float) -> None:
        self.database = folder / DATABASE
        self._timeout_seconds = timeout_seconds
        self._checkpoint_bytes = CHECKPOINT_BYTES
        self._durable: bool | None = None
        try:
            super().__init__(str(folder), timeout=timeout_seconds, disk=JsonDisk, **_SETTINGS)
            for statement in (*_INDEXES, *_views()):
                self.rows(statement)
            if not ledger_sums.is_made(self):
                with self.transaction(durable=True):
                    ledger_sums.make(self)
            self._opened = _identity(self.database)
        except BaseException:
            self.close()
            raise

    def rows(self, statement: str, parameters: Sequence[SqlValue] = ()) -> list[Row]:
        """The rows of one SQL statement."""
        return self._sql(statement, parameters).fetchall()

    def text_of(self, key: str) -> str | None:
        """The value of a row, as `get` would give it, in one statement."""
        for _, value in (self.text(*row) for row in self.rows(_SELECT_VALUE, (key,))):
            return value
        return None

    def insert(self, key: str, text: str, tag: str | None = None) -> bool:
        """Write a new row; false where there is one of this key already."""
        before, now = self.changes, time.time()
        self.rows(_INSERT_NEW, (key, now, now, tag, _MODE_RAW, text))
        return self.changes != before

    @property
    def changes(self) -> int:
        """Rows that this connection has written since it was opened."""
        changes: int = self._con.total_changes
        return changes

    def put(self, *rows: PutRow) -> None:
        """Write rows, new or in place of old ones, as `set` would, in one statement: each costs a wait for Python's
        lock, which the event loop's thread holds nearly always when there is much to do."""
        for start in range(0, len(rows), _TOGETHER_MAX):
            some = rows[start : start + _TOGETHER_MAX]
            values: list[SqlValue] = [value for row in some for value in row]
            self.rows(_PUT_TOGETHER[len(some)], [*values, time.time()])

    def text(self, key: object, raw: object, mode: object, filename: object, value: object) -> tuple[str, str]:
        """Key and value text of one row selected by hand, refused as `get` would refuse it."""
        return str(self.disk.get(key, raw)), str(self.disk.fetch(mode, filename, value, read=False))

    @contextlib.contextmanager
    def transaction(self, *, durable: bool) -> Generator[None]:
        """One IMMEDIATE transaction; with `durable` its commit is on the disk, and survives a power cut."""
        if durable is not self._durable:
            self.rows(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        try:
            with self.transact(retry=False):
                yield
        finally:
            self.leave_transaction()

    @contextlib.contextmanager
    def snapshot(self) -> Generator[None]:
        """Several reads that see one state of the database."""
        self.rows("BEGIN")
        try:
            yield
        finally:
            self.leave_transaction()

    def leave_transaction(self) -> None:
        """End the transaction that a fault, or a `snapshot`, left open."""
        if self._con.in_transaction:
            self.rows("ROLLBACK")

    def replaced(self) -> bool:
        """Whether another file has taken the place of the one that was opened (set aside, deleted, restored)."""
        return _identity(self.database) != self._opened

    def checkpoint(self) -> None:
        """Move a log that has grown past `CHECKPOINT_BYTES` into the database.

        SQLite up to 3.51.2 can lose pages when checkpoints of two processes overlap with a commit that restarts the
        log (sqlite.org/wal.html#walresetbug). So nobody checkpoints by itself: one process at a time does, under a
        file lock, in the mode that keeps writers out.
        """
        log_bytes = size_bytes(_log(self.database))
        if log_bytes <= self._checkpoint_bytes:
            return
        self._checkpoint_bytes = log_bytes + CHECKPOINT_BYTES
        lock = filelock.FileLock(self.database.with_name("checkpoint.lock"), timeout=0, mode=0o600)
        with contextlib.suppress(filelock.Timeout), lock:
            self.rows(f"PRAGMA busy_timeout = {_CHECKPOINT_WAIT_MILLISECONDS}")
            try:
                ((busy, _, _),) = self.rows("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                self.rows(f"PRAGMA busy_timeout = {round(self._timeout_seconds * 1000)}")
            if not busy:
                self._checkpoint_bytes = CHECKPOINT_BYTES


@dataclass(frozen=True)
class OpenedCache:
    """An opened database, and what had to be done to open it."""

    cache: TaskCache
    set_aside: Path | None = None
    """Where a damaged database now lies."""
    carried_over: int = 0
    """Rows that could still be read there, and were copied into the fresh one."""


def open_cache(folder: Path, *, timeout_seconds: float = 5.0) -> OpenedCache:
    """Open the database in `folder`, and make both where they are missing; blocks.

    A damaged database is renamed to `<folder>.damaged-<time>`, never deleted, and a fresh one takes its place with
    every row that can still be read.

    Raises:
        StoreBusy: another process held it for longer than `timeout_seconds`.
        StoreReadOnly, StoreFull, StoreDamaged, StoreError: it cannot be opened.
    """
    if os.path.expandvars(folder) != str(folder):
        raise StoreError(f"The task store cannot be at {folder}: diskcache would expand a variable in that name.")
    try:
        with translated(folder):
            make_folder(folder)
            make_private(folder)
            lock = folder.with_name(folder.name + ".lock")
            with filelock.FileLock(lock, timeout=timeout_seconds, mode=0o600):
                return _opened_under_lock(folder, timeout_seconds)
    except StoreDamaged:
        # Of a large database only a part is looked at before it is opened.
        mark_suspect(folder)
        raise


def mark_suspect(folder: Path) -> None:
    """Have the next opening in `folder` check the whole database."""
    with contextlib.suppress(OSError):
        (folder / _SUSPECT).touch()


def _opened_under_lock(folder: Path, timeout_seconds: float) -> OpenedCache:
    damage = _damage(folder, timeout_seconds)
    if damage is None:
        return OpenedCache(TaskCache(folder, timeout_seconds))
    aside = set_aside(folder, damage)
    make_folder(folder)
    _damage(folder, timeout_seconds)
    cache = TaskCache(folder, timeout_seconds)
    return OpenedCache(cache, aside, carry_over(aside / DATABASE, cache))


def _damage(folder: Path, timeout_seconds: float) -> str | None:
    """What is wrong with the database in `folder`, or None; it is created, private, where it is missing.

    This also waits for a writer of another process: diskcache itself would wait for a minute.
    """
    database = folder / DATABASE
    created = _create_private(database)
    if database.stat().st_size == 0 and (not created or size_bytes(_log(database)) > 0):
        return "it is empty"
    suspect = database.with_name(_SUSPECT)
    connection = sqlite3.connect(database, timeout=timeout_seconds, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        if suspect.exists() or database.stat().st_size <= _QUICK_CHECK_BYTES:
            pragma = "integrity_check" if suspect.exists() else "quick_check"
            ((verdict,),) = connection.execute(f"PRAGMA {pragma}(1)").fetchall()
            if verdict != "ok":
                return str(verdict)
        suspect.unlink(missing_ok=True)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            return str(error)
        raise
    finally:
        connection.close()
    return None


def _create_private(database: Path) -> bool:
    # Only where it is missing: to close any descriptor of an open database drops all of SQLite's locks on it (POSIX).
    try:
        os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return False
    return True


def _log(database: Path) -> Path:
    return database.with_name(DATABASE + "-wal")


def _identity(database: Path) -> tuple[int, int] | None:
    found = stat_of(database)
    return None if found is None else (found.st_dev, found.st_ino)
