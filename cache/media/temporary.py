"""Unfinished files: written beside their target under a temporary name, then given their own name in one step.

Each is locked for as long as its process works on it, and the kernel lets go of the lock however that process ends: so
what a killed process left can be told from what another still writes, without a clock and whatever home it belongs to.
"""

import hashlib
import logging
import os
import re
import secrets
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from ...domain.errors import StoreError
from ..files import make_folder, place_without_overwriting, sync_folder
from .locks import locked, still_named
from .opening import open_inside

logger = logging.getLogger(__name__)

_NAMES_MAX = 10_000
_PART_SUFFIX = ".part"
_WHOLE_SUFFIX = ".whole.part"
_OURS = re.compile(r"\.(?:[0-9a-f]{4,32}|(?P<task>[0-9A-Z]{26})-(?P<number>\d{1,4})(?P<whole>\.whole)?)\.part")
STRANGERS_KEPT_SECONDS = 30 * 86_400.0
"""Parts of an answer to a task that this home does not know may belong to another home."""


class Written(Protocol):
    """A finished file that still has its temporary name."""

    @property
    def path(self) -> Path: ...

    @property
    def size_bytes(self) -> int: ...

    @property
    def sha256(self) -> str: ...


class Part:
    """A temporary file beside the target, hashed while it is written. `name` is random unless it is given.

    Raises:
        FileExistsError: another file has the given name.
    """

    def __init__(self, root: Path, name: str | None = None) -> None:
        make_folder(root)
        self.path, descriptor = _new_file(root, name)
        # Of the same opening, so the lock outlives the file's own descriptor.
        self._lock: int | None = os.dup(descriptor) if os.name == "posix" else None
        self.size_bytes = 0
        self._hash = hashlib.sha256()
        # Unbuffered, so that `size_bytes` is what the file really holds when the disk is full.
        self._file = os.fdopen(descriptor, "wb", buffering=0)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self._hash.update(data)
        self.size_bytes += len(data)

    def sync(self) -> None:
        """Bring all bytes to the disk; nothing can be written any more."""
        os.fsync(self._file.fileno())
        self._file.close()

    def release(self) -> None:
        """Close the file and leave it as it is, no longer as one that is worked on."""
        try:
            self._file.close()
        except OSError as error:
            logger.debug("an unfinished output could not be closed", extra={"problem": error})
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def discard(self) -> None:
        """Close and delete the file, if it still has its temporary name."""
        if os.name == "posix":
            self.path.unlink(missing_ok=True)
            self.release()
        else:
            self.release()
            self.path.unlink(missing_ok=True)


def _new_file(root: Path, name: str | None) -> tuple[Path, int]:
    for _ in range(_NAMES_MAX):
        path = root / f".{name or secrets.token_hex(8)}{_PART_SUFFIX}"
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        # A sweep of another process may have taken the new file for one left behind.
        if locked(descriptor) != "busy" and still_named(descriptor, path):
            return path, descriptor
        os.close(descriptor)
    raise StoreError(f"No unfinished file can be made in {root}.")


def place(part: Written, stem: str, extension: str) -> Path:
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


def _is_same(target: Path, part: Written) -> bool:
    try:
        with open_inside(target.parent, target) as file:
            same_size = os.fstat(file.fileno()).st_size == part.size_bytes
            return same_size and hashlib.file_digest(file, "sha256").hexdigest() == part.sha256
    except OSError:
        # A link to such a file may lead elsewhere tomorrow.
        return False


@dataclass(frozen=True)
class FoundPart:
    """A medium out of an answer that was lost, as it lies on the disk."""

    path: Path
    number: int
    whole: bool
    """Its last byte came, and it was brought to the disk."""


def answer_name(task_id: str, number: int) -> str:
    """The name, without suffix, of the unfinished file of one medium in the answer to a task."""
    return f"{task_id}-{number}"


def mark_whole(path: Path) -> Path:
    """Say by its name that the last byte of a medium in an answer has come."""
    whole = path.with_name(path.name.removesuffix(_PART_SUFFIX) + _WHOLE_SUFFIX)
    path.replace(whole)
    return whole


def parts_of(root: Path, task_id: str) -> list[FoundPart]:
    """The media of an answer to this task that have not got their names yet, in the order in which they came."""
    found = (_OURS.fullmatch(path.name) for path in _parts_in(root))
    mine = [match for match in found if match is not None and match["task"] == task_id]
    parts = [FoundPart(root / match[0], int(match["number"]), match["whole"] is not None) for match in mine]
    return sorted(parts, key=lambda part: part.number)


def tasks_of_parts(root: Path) -> set[str]:
    """The ids of the tasks to whose answers parts in `root` belong."""
    found = (_OURS.fullmatch(path.name) for path in _parts_in(root))
    return {match["task"] for match in found if match is not None and match["task"]}


def _parts_in(root: Path) -> Iterator[Path]:
    return root.glob(f".*{_PART_SUFFIX}") if root.is_dir() else iter(())


def sweep(root: Path, *, spared: Collection[str], unknown: Collection[str], older_than_seconds: float) -> int:
    """Delete the parts that nobody works on any more; returns how many.

    Parts of an answer to a task in `spared` stay, to one in `unknown` for a long time. Where the file system knows no
    locks, what was not written to for `older_than_seconds` counts as left behind; its own clock tells the age.
    """
    parts = [path for path in _parts_in(root) if _OURS.fullmatch(path.name)]
    if not parts:
        return 0
    now_mark = Part(root)
    try:
        now = now_mark.path.stat().st_mtime
    finally:
        now_mark.discard()
    count = 0
    for path in parts:
        match = _OURS.fullmatch(path.name)
        task = match["task"] if match is not None else None
        if task in spared:
            continue
        count += _swept(path, now, older_than_seconds, STRANGERS_KEPT_SECONDS if task in unknown else 0.0)
    return count


def _swept(path: Path, now: float, older_than_seconds: float, least_seconds: float) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return False  # just placed or deleted by its own process, or still open on a system that minds
    try:
        state: Literal["ours", "busy", "unable"] = locked(descriptor)
        age = now - os.fstat(descriptor).st_mtime
        if state == "busy" or age < least_seconds or (state == "unable" and age <= older_than_seconds):
            return False
        path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
    return True
