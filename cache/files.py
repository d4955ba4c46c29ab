"""Folders and files on the disk: made for this user alone, and made to last."""

import contextlib
import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it, for this user alone; leaves the mode of what exists."""
    for missing in reversed([parent for parent in folder.parents if not parent.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def make_private(folder: Path) -> None:
    """Take a folder that belongs to rushes away from other users."""
    if os.name == "posix" and folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def stat_of(file: Path) -> os.stat_result | None:
    """Of a file that another process may delete at any time; `None` where it is gone."""
    try:
        return file.stat()
    except FileNotFoundError:
        return None


def size_bytes(file: Path) -> int:
    """The same file's size; 0 where it is gone."""
    found = stat_of(file)
    return 0 if found is None else found.st_size


def sync_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk, where the platform can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems refuse this; the data itself is synced by then.
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def place_without_overwriting(source: Path, target: Path) -> bool:
    """Give `source` the name `target` in one step; False where a file has that name already."""
    try:
        target.hardlink_to(source)
    except FileExistsError:
        return False
    except OSError:
        return _place_by_reserving(source, target)
    source.unlink()
    return True


def _place_by_reserving(source: Path, target: Path) -> bool:
    # A file system without hard links (exFAT, some network shares): reserve the name, then rename over it.
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    source.replace(target)
    return True
