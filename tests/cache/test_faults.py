"""Each fault of SQLite and of the file system has one name, one message and one way out."""

import errno
import sqlite3
from pathlib import Path

import filelock
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.cache.media.truncation import is_cut_off
from rushes.cache.store_faults import translated
from rushes.domain.errors import StoreBusy, StoreDamaged, StoreError, StoreFull, StoreReadOnly

PLACE = Path("/somewhere/tasks")


def sqlite_fault(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (sqlite_fault(sqlite3.SQLITE_BUSY), StoreBusy),
        (sqlite_fault(sqlite3.SQLITE_BUSY_SNAPSHOT), StoreBusy),
        (sqlite_fault(sqlite3.SQLITE_LOCKED), StoreBusy),
        (filelock.Timeout(str(PLACE)), StoreBusy),
        (sqlite_fault(sqlite3.SQLITE_READONLY), StoreReadOnly),
        (sqlite_fault(sqlite3.SQLITE_READONLY_DBMOVED), StoreReadOnly),
        (sqlite_fault(sqlite3.SQLITE_CANTOPEN), StoreReadOnly),
        (PermissionError(errno.EACCES, "Permission denied"), StoreReadOnly),
        (OSError(errno.EROFS, "Read-only file system"), StoreReadOnly),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory"), StoreReadOnly),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), StoreReadOnly),
        (sqlite_fault(sqlite3.SQLITE_FULL), StoreFull),
        (sqlite_fault(sqlite3.SQLITE_IOERR_WRITE), StoreFull),
        (sqlite_fault(sqlite3.SQLITE_IOERR_SHMSIZE), StoreFull),
        (OSError(errno.ENOSPC, "No space left on device"), StoreFull),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), StoreFull),
        (OSError(errno.EFBIG, "File too large"), StoreFull),
        (sqlite_fault(sqlite3.SQLITE_CORRUPT), StoreDamaged),
        (sqlite_fault(sqlite3.SQLITE_CORRUPT_INDEX), StoreDamaged),
        (sqlite_fault(sqlite3.SQLITE_NOTADB), StoreDamaged),
        (sqlite_fault(sqlite3.SQLITE_IOERR_READ), StoreError),
        (OSError(errno.EIO, "Input/output error"), StoreError),
        (sqlite3.ProgrammingError("of our own making"), StoreError),
    ],
)
def test_every_fault_is_a_store_error_that_names_the_place(fault: Exception, expected: type[StoreError]) -> None:
    with pytest.raises(StoreError) as raised, translated(PLACE):
        raise fault
    assert type(raised.value) is expected
    assert str(PLACE) in raised.value.message
    assert raised.value.__cause__ is fault
    assert (raised.value.hint is None) == (expected is StoreError)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0\x08ftyp",
        b"\0\0\0\x01mdat" + (2**63).to_bytes(8, "big"),
        b"\0\0\0\x08ftyp\0\0\0\0mdat to the end",
        b"\0\0\0\x08ftyp\0\0\0\x03bad!",
    ],
)
def test_an_mp4_without_its_index_is_cut_off_unless_it_is_no_mp4_at_all(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "x"
    file.write_bytes(data)
    assert is_cut_off(file, "video/mp4") is not data.endswith(b"bad!")


def test_an_mp4_whose_last_box_reaches_to_the_end_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"\0\0\0\x08ftyp\0\0\0\x08moov\0\0\0\0mdat" + bytes(100))
    assert not is_cut_off(file, "video/mp4")


@given(data=st.binary(max_size=200), mime_type=st.sampled_from(["video/mp4", "image/webp", "image/png", "image/jpeg"]))
def test_no_bytes_make_the_check_of_the_end_fail(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, mime_type: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "any"
    file.write_bytes(data)
    assert is_cut_off(file, mime_type) in {True, False}
