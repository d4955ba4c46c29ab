"""Unfinished files: written beside their target under a temporary name, then given their own name in one step."""

import hashlib
import logging
import os
import secrets
from pathlib import Path

from ...domain.errors import StoreError
from ..files import make_folder, place_without_overwriting, sync_folder
from .opening import open_inside

logger = logging.getLogger(__name__)

_NAMES_MAX = 10_000
_PART_SUFFIX = ".part"


class Part:
    """A temporary file beside the target, hashed while it is written."""

    def __init__(self, root: Path) -> None:
        make_folder(root)
        self.path = root / f".{secrets.token_hex(8)}{_PART_SUFFIX}"
        self.size_bytes = 0
        self._hash = hashlib.sha256()
        self._file = os.fdopen(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self.size_bytes += len(data)

    def sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def discard(self) -> None:
        """Close and delete the file, if it still has its temporary name."""
        try:
            self._file.close()
        except OSError as error:
            logger.debug("an unfinished output could not be closed: %s", error)
        self.path.unlink(missing_ok=True)


def place(part: Part, stem: str, extension: str) -> Path:
    """Name a finished part `<stem>.<extension>`, or `<stem>-2.<extension>` and so on where another file has the name.

    Where a file of that name has the same content, its path is returned and the part stays as it is.
    """
    root = part.path.parent
    for number in range(1, _NAMES_MAX):
        target = root / (f"{stem}.{extension}" if number == 1 else f"{stem}-{number}.{extension}")
        if place_without_overwriting(part.path, target):
            sync_folder(root)
            return target
        if _is_same(target, part):
            return target
    raise StoreError(f"There are too many files called {stem!r} in {root}.")


def _is_same(target: Path, part: Part) -> bool:
    try:
        with open_inside(target.parent, target) as file:
            same_size = os.fstat(file.fileno()).st_size == part.size_bytes
            return same_size and hashlib.file_digest(file, "sha256").hexdigest() == part.sha256
    except OSError:
        # A link to such a file may lead elsewhere tomorrow.
        return False


def sweep(root: Path, older_than_seconds: float) -> int:
    """Delete the parts whose age is more than that; returns how many. The file system's clock tells the age."""
    if not root.is_dir():
        return 0
    now_mark = Part(root)
    try:
        now = now_mark.path.stat().st_mtime
    finally:
        now_mark.discard()
    count = 0
    for path in root.glob(f".*{_PART_SUFFIX}"):
        if now - path.stat().st_mtime > older_than_seconds:
            path.unlink(missing_ok=True)
            count += 1
    return count
