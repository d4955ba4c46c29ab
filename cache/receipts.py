"""Receipts: one synced line for each job that a gateway accepted, beside the store and not in it.

The store knows every task and is one database: damaged, full or deleted it would take the ids of paid jobs along. A
line in a plain file costs one sync, shared by all that are accepted at once. Every process appends to the file of the
day (UTC); nobody appends to the file of an earlier day, so it may be rewritten without what is no longer needed.
"""

import contextlib
import json
import logging
import os
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Self, cast

import anyio.to_thread
import filelock
from pydantic import JsonValue

from .embedded.thread import QueuedCall, StoreThread
from .files import make_folder, make_private, place_without_overwriting, sync_folder
from .store_faults import store_error, translated

logger = logging.getLogger(__name__)

Receipt = dict[str, JsonValue]
"""One accepted job. Of its fields this room reads `task_id` alone."""

LINE_BYTES_MAX = 4096
"""A write of this size is not torn by another process's; a longer receipt is refused."""

RESERVE_BYTES = 64 * 1024
"""On the disk already when it is full: written over in place, which takes no new room."""

KEPT_FOR = timedelta(days=45)
"""Dropped after this even where nobody took it up: by then the result is gone from every gateway."""

_BATCH_MAX = 256
_ID_CHARACTERS_MAX = 64
_SUFFIX = ".jsonl"
_RESERVE = "reserve"


class Receipts:
    """The receipts of one home. Made by `opened`."""

    def __init__(self, folder: Path, thread: "StoreThread[_Appender]") -> None:
        self.folder = folder
        self._thread = thread

    @classmethod
    @asynccontextmanager
    async def opened(cls, folder: Path) -> AsyncGenerator[Self]:
        """The receipts in `folder`, which is made for the first of them."""
        thread: StoreThread[_Appender] = StoreThread("rushes-receipts", lambda: _Appender(folder), batch_max=_BATCH_MAX)
        await thread.start()
        try:
            yield cls(folder, thread)
        finally:
            await thread.aclose()

    async def prepare(self) -> None:
        """Lay the reserve up while there is room: the first receipt of all may meet a disk that is full by then.

        Raises:
            StoreError: it cannot be written.
        """
        await anyio.to_thread.run_sync(_prepare, self.folder)

    async def keep(self, receipt: Receipt) -> None:
        """Write one receipt; when this returns it survives a power cut. What was called is done, also if cancelled.

        Raises:
            ValueError: it is longer than `LINE_BYTES_MAX`.
            StoreError: it could not be written, not even into the reserve.
        """
        line = json.dumps(receipt, separators=(",", ":")).encode() + b"\n"
        if len(line) > LINE_BYTES_MAX:
            raise ValueError(f"a receipt has at most {LINE_BYTES_MAX} bytes, not {len(line)}")
        await self._thread.run(lambda appender: appender.add(line))

    async def read(self) -> dict[str, Receipt]:
        """The receipts by task id, the last where a task has several; what is no receipt is passed over.

        Raises:
            StoreError: the folder cannot be read.
        """
        return await anyio.to_thread.run_sync(_read, self.folder)

    async def tidy(self, needed: Callable[[Sequence[str]], Awaitable[Collection[str]]], now: datetime) -> int:
        """Drop what is no longer needed from the files of earlier days; returns how many receipts went.

        Raises:
            StoreError: the folder cannot be used.
        """
        dropped = 0
        for file in await anyio.to_thread.run_sync(_earlier, self.folder, now):
            receipts = await anyio.to_thread.run_sync(_receipts_in, file)
            ids = list(dict.fromkeys(str(each["task_id"]) for each in receipts))
            keep = set(await needed(ids)) if now - _midnight(file) < KEPT_FOR else set[str]()
            rest = [each for each in receipts if each["task_id"] in keep]
            if len(rest) < len(receipts) or not receipts:
                await anyio.to_thread.run_sync(_rewrite, file, rest)
                dropped += len(receipts) - len(rest)
        return dropped + await self._empty_reserve(needed)

    async def _empty_reserve(self, needed: Callable[[Sequence[str]], Awaitable[Collection[str]]]) -> int:
        """Make room in the reserve once nothing in it is needed; else the next full disk would find it full, too."""
        reserve = self.folder / _RESERVE
        data = await anyio.to_thread.run_sync(_used, reserve)
        ids = list(dict.fromkeys(str(each["task_id"]) for each in _parsed(data)))
        if not data or (ids and await needed(ids)):
            return 0
        return len(ids) if await anyio.to_thread.run_sync(_emptied, reserve, data) else 0


class _Appender:
    """Owns the file of the day, on its thread. Many receipts that come at once are synced once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: list[bytes] = []

    def add(self, line: bytes) -> None:
        self._lines.append(line)

    def execute(self, calls: Sequence[QueuedCall["_Appender"]]) -> None:
        self._lines = []
        for call in calls:
            call.work(self)
        # The blank line before them ends what a full disk may have torn.
        data = b"\n" + b"".join(self._lines)
        try:
            self._append(data)
        except OSError as error:
            logger.warning("receipts go into the reserve", extra={"problem": error})
            try:
                _into_reserve(self._folder / _RESERVE, data)
            except (OSError, filelock.Timeout) as fault:
                for call in calls:
                    call.fail(store_error(fault, self._folder))
                return
        for call in calls:
            call.succeed(None)

    def _append(self, data: bytes) -> None:
        file = self._folder / f"{datetime.now(UTC):%Y-%m-%d}{_SUFFIX}"
        is_new = not file.exists()
        if is_new:
            _make_private_folder(self._folder)
        descriptor = os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        try:
            if os.write(descriptor, data) < len(data):
                raise OSError("the disk is full")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            with contextlib.suppress(OSError):
                _make_reserve(self._folder / _RESERVE)
            sync_folder(self._folder)

    def close(self) -> None:
        return None


def _prepare(folder: Path) -> None:
    with translated(folder):
        _make_private_folder(folder)
        _make_reserve(folder / _RESERVE)
        sync_folder(folder)


def _make_private_folder(folder: Path) -> None:
    make_folder(folder)
    make_private(folder)


def _make_reserve(reserve: Path) -> None:
    if reserve.exists():
        return
    part = reserve.with_name(f".{_RESERVE}.{secrets.token_hex(8)}")
    try:
        with part.open("wb") as file:
            file.write(b"\0" * RESERVE_BYTES)
            file.flush()
            os.fsync(file.fileno())
        # Another process may have made it meanwhile, and on a full disk it already holds receipts.
        place_without_overwriting(part, reserve)
    finally:
        part.unlink(missing_ok=True)


def _used(reserve: Path) -> bytes:
    try:
        return reserve.read_bytes().rstrip(b"\0")
    except FileNotFoundError:
        return b""


def _emptied(reserve: Path, data: bytes) -> bool:
    """Write the reserve over, if it still holds `data` and no more."""
    with translated(reserve.parent), _locked(reserve), reserve.open("r+b") as file:
        if file.read().rstrip(b"\0") != data:
            return False
        file.seek(0)
        file.write(b"\0" * RESERVE_BYTES)
        file.flush()
        os.fsync(file.fileno())
    return True


def _locked(reserve: Path) -> filelock.BaseFileLock:
    return filelock.FileLock(reserve.with_name(_RESERVE + ".lock"), timeout=2, mode=0o600)


def _into_reserve(reserve: Path, data: bytes) -> None:
    with _locked(reserve), reserve.open("r+b") as file:
        used = len(file.read().rstrip(b"\0"))
        if used + len(data) > RESERVE_BYTES:
            raise OSError("the disk is full, and so is the reserve for receipts")
        file.seek(used)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _read(folder: Path) -> dict[str, Receipt]:
    with translated(folder):
        files = [folder / _RESERVE, *_days(folder)]
        return {str(each["task_id"]): each for file in files for each in _receipts_in(file)}


def _days(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob(f"*{_SUFFIX}") if _day(file) is not None) if folder.is_dir() else []


def _day(file: Path) -> date | None:
    try:
        return date.fromisoformat(file.name.removesuffix(_SUFFIX))
    except ValueError:
        return None


def _midnight(file: Path) -> datetime:
    day = _day(file) or date.max
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _earlier(folder: Path, now: datetime) -> list[Path]:
    # Not yesterday's either: a process may have chosen it a moment before midnight.
    with translated(folder):
        return [file for file in _days(folder) if now - _midnight(file) > timedelta(days=2)]


def _receipts_in(file: Path) -> list[Receipt]:
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return []
    return list(_parsed(data.rstrip(b"\0")))


def _parsed(data: bytes) -> Iterator[Receipt]:
    for line in data.splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            receipt = cast("JsonValue", json.loads(line)) if line.strip() else None
            if isinstance(receipt, dict) and _is_an_id(receipt.get("task_id")):
                yield receipt


def _is_an_id(value: JsonValue) -> bool:
    """Whether the store can be asked for it: what damage or a stranger wrote may be no text that it takes."""
    return isinstance(value, str) and value.isascii() and len(value) <= _ID_CHARACTERS_MAX


def _rewrite(file: Path, receipts: Sequence[Receipt]) -> None:
    with translated(file.parent):
        if not receipts:
            file.unlink(missing_ok=True)
            return
        part = file.with_name(f".{file.name}.{os.getpid()}")
        with part.open("wb") as rest:
            rest.writelines(json.dumps(each, separators=(",", ":")).encode() + b"\n" for each in receipts)
            rest.flush()
            os.fsync(rest.fileno())
        part.replace(file)
        sync_folder(file.parent)
