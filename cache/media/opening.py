"""Files opened once, without following a link that somebody may have put in a file's or a folder's place.

A path that was checked and is opened afterwards may lead elsewhere by then. Here a path is opened first, name by name,
and what was opened is checked; whoever reads goes on with that descriptor.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

import anyio.from_thread

_CHUNK_BYTES = 2**20

_FILE = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
"""Not blocking: the opening of a named pipe would wait for its writer."""
_FOLDER = getattr(os, "O_PATH", getattr(os, "O_SEARCH", os.O_RDONLY)) | getattr(os, "O_DIRECTORY", 0)
"""Some folders above a file may be searched and not read."""
_WALKS = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")


class NotRegular(OSError):
    """What lies there is a folder, a pipe, a device or a link."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "it is not a regular file", str(path))


def open_inside(folder: Path, path: Path) -> BufferedReader:
    """Open the regular file `path` inside `folder`. No link is followed below `folder`, which is trusted.

    Raises:
        OSError: it cannot be opened, is not a regular file, or a link stands on the way to it.
        ValueError: the path is not inside the folder.
    """
    names = path.relative_to(folder).parts
    if not names or ".." in names:
        raise NotRegular(path)
    descriptor = _walked(folder, names) if _WALKS else os.open(path, _FILE)
    try:
        _check(descriptor, folder, path)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def _walked(folder: Path, names: Sequence[str]) -> int:
    at = os.open(folder, _FOLDER | os.O_CLOEXEC)
    try:
        for name in names[:-1]:
            deeper = os.open(name, _FOLDER | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = deeper
        return os.open(names[-1], _FILE, dir_fd=at)
    finally:
        os.close(at)


def _check(descriptor: int, folder: Path, path: Path) -> None:
    opened = os.fstat(descriptor)
    if not stat.S_ISREG(opened.st_mode):
        raise NotRegular(path)
    # Without `dir_fd` (Windows) links were followed: what was opened has to be what the path names without them.
    without_links = folder.resolve() / path.relative_to(folder) if not _WALKS else path
    if not _WALKS and (path.resolve() != without_links or not os.path.samestat(opened, without_links.lstat())):
        raise NotRegular(path)


def sha256_of(file: BinaryIO) -> str:
    """The hash of a whole file, which is left at its beginning. Called in a worker thread; ends with its caller."""
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
        anyio.from_thread.check_cancelled()
    file.seek(0)
    return digest.hexdigest()
