"""The one seam where faults of SQLite and of the file system become the `StoreError`s of rushes."""

import errno
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import diskcache

from ..domain.errors import StoreBusy, StoreDamaged, StoreError, StoreFull, StoreReadOnly

_SQLITE_IOERR_WRITES = frozenset(
    {
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
    }
)
"""SQLite says `full` only for ENOSPC; a quota or a limit on file sizes looks like this."""

_ERRNO_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_ERRNO_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_ERRNO_NO_FOLDER = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG})


What = Literal["task store", "folder of leases", "folder of outputs", "folder of hooks"]


@contextmanager
def translated(place: Path, what: What = "task store") -> Generator[None]:
    """Raise a `StoreError` that names `place` for any fault of SQLite, diskcache, a file lock or the file system."""
    try:
        yield
    except (sqlite3.Error, diskcache.Timeout, OSError) as error:
        raise store_error(error, place, what) from error


def store_error(error: Exception, place: Path, what: What = "task store") -> StoreError:
    """The `StoreError` that a foreign error means."""
    cause = _root_fault(error)
    kind = _kind_of_os_error(cause) if isinstance(cause, OSError) else _kind_of_sqlite_error(cause)
    return _described(kind, f"The {what} at {place}", what, str(cause) or type(cause).__name__)


def _root_fault(error: BaseException) -> BaseException:
    # diskcache raises Timeout for any fault of BEGIN, and its ROLLBACK after SQLite's own rollback fails in turn.
    while error.__context__ is not None and (
        isinstance(error, diskcache.Timeout) or "no transaction is active" in str(error)
    ):
        error = error.__context__
    return error


def _kind_of_os_error(error: OSError) -> type[StoreError]:
    if isinstance(error, TimeoutError):
        return StoreBusy
    if error.errno in _ERRNO_FULL:
        return StoreFull
    if error.errno in _ERRNO_READ_ONLY | _ERRNO_NO_FOLDER:
        return StoreReadOnly
    return StoreError


def _kind_of_sqlite_error(error: BaseException) -> type[StoreError]:
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(code, int):
        return StoreBusy if isinstance(error, diskcache.Timeout) else StoreError
    if code in _SQLITE_IOERR_WRITES:
        return StoreFull
    kinds: dict[int, type[StoreError]] = {
        sqlite3.SQLITE_BUSY: StoreBusy,
        sqlite3.SQLITE_LOCKED: StoreBusy,
        sqlite3.SQLITE_PROTOCOL: StoreBusy,
        sqlite3.SQLITE_READONLY: StoreReadOnly,
        sqlite3.SQLITE_PERM: StoreReadOnly,
        sqlite3.SQLITE_CANTOPEN: StoreReadOnly,
        sqlite3.SQLITE_FULL: StoreFull,
        sqlite3.SQLITE_CORRUPT: StoreDamaged,
        sqlite3.SQLITE_NOTADB: StoreDamaged,
    }
    return kinds.get(code & 0xFF, StoreError)


def _described(kind: type[StoreError], subject: str, what: What, detail: str) -> StoreError:
    if kind is StoreBusy:
        return StoreBusy(
            f"{subject} is held by another process.", hint="Try again in a few seconds; nothing was changed."
        )
    if kind is StoreReadOnly:
        setting = "RUSHES_OUTPUT_DIR" if what == "folder of outputs" else "RUSHES_HOME"
        return StoreReadOnly(
            f"{subject} cannot be written ({detail}).",
            hint=f"Make it a folder that can be written, or set {setting} to one.",
        )
    if kind is StoreFull:
        return StoreFull(
            f"{subject} cannot grow: the disk is full, or a limit is reached ({detail}).",
            hint="Free some space, then try again.",
        )
    if kind is StoreDamaged:
        return StoreDamaged(
            f"{subject} is damaged ({detail}).",
            hint="Start rushes again: the damaged store is set aside, and what can be read of it is carried over.",
        )
    return StoreError(f"{subject} cannot be used ({detail}).")
