"""Who is alive: each process holds an OS file lock for its life, and names itself by it in the tasks it works on.

The kernel lets go of the lock when the process ends, however it ends, so death needs no clock: a process is dead
exactly when its lock file is gone or can be locked.

A process that hangs keeps its lock. As a backstop each touches a heartbeat file every 30 seconds, and one that was
silent for 120 seconds counts as dead. No two clocks are compared for that: both times are modification times given by
the one file system that all share, the second made by touching the looker's own heartbeat. A clock that jumps, or a
machine that slept, makes others look silent for a moment; so silence must be seen twice, 45 seconds of the looker's
own running time (monotonic) apart, in which a process that is well has beaten again. Whoever is declared dead by
mistake loses no more than its tasks: its writes are refused, because the revisions have moved on.
"""

import contextlib
import logging
import os
import re
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import anyio
import anyio.to_thread
import filelock

from ...domain.errors import StoreError
from ...domain.unwrapping import unwrapped
from ..files import make_folder, make_private, stat_of
from ..store_faults import translated
from .marks import SUFFIX, StepMarks, marked

logger = logging.getLogger(__name__)

T = TypeVar("T")

_WORKER_ID = re.compile(r"[0-9]{1,20}-[0-9a-f]{12}")
_SETTLING_SECONDS = 60.0
"""A lock file younger than this may be about to be locked by its owner, and is not cleaned up."""
_MARKS_SECONDS = 30 * 86_400.0
"""What a dead process was doing is known for so long."""


@dataclass(frozen=True)
class LeaseTimes:
    """When a hung process counts as dead, in seconds."""

    beat_seconds: float = 30.0
    silent_seconds: float = 120.0
    confirm_seconds: float = 45.0


@dataclass
class _Silence:
    last_beat: float
    noticed_at: float


class ProcessLease:
    """The lease of one process. Made by `held`."""

    def __init__(self, folder: Path, times: LeaseTimes, monotonic: Callable[[], float]) -> None:
        self.worker_id = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._folder = folder
        self._times = times
        self._monotonic = monotonic
        self._lock = filelock.FileLock(_lock_file(folder, self.worker_id), mode=0o600, thread_local=False)
        self._silences: dict[str, _Silence] = {}
        self._marks = StepMarks(_marks_file(folder, self.worker_id))

    @classmethod
    @asynccontextmanager
    async def held(
        cls,
        folder: Path,
        *,
        times: LeaseTimes = LeaseTimes(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> AsyncGenerator[Self]:
        """A lease in `folder` for as long as the context is open; also removes what dead processes left.

        Raises:
            StoreReadOnly, StoreFull, StoreError: the folder cannot be used.
        """
        lease = cls(folder, times, monotonic)
        try:
            await lease._run(lease._take)
            with unwrapped():
                async with anyio.create_task_group() as group:
                    group.start_soon(lease._beat_for_ever)
                    yield lease
                    group.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await lease._run(lease._give_back)

    async def dead(self, worker_ids: Collection[str]) -> set[str]:
        """Those of `worker_ids` whose process has ended, or hangs; never this lease's own id.

        What is no id of a lease has no lock file, so it is dead.

        Raises:
            StoreError: the folder cannot be read.
        """
        others = set(worker_ids) - {self.worker_id}
        return await self._run(partial(self._dead, others)) if others else set()

    def step_begun(self, task_id: str) -> None:
        """Note that this process is in a step of a task, for the case that it dies of it."""
        self._marks.begun(task_id)

    def step_ended(self, task_id: str) -> None:
        """Take the note away."""
        self._marks.ended(task_id)

    async def died_in(self, worker_id: str) -> set[str]:
        """The tasks in whose steps a dead process was.

        Raises:
            StoreError: the folder cannot be read.
        """
        if not _WORKER_ID.fullmatch(worker_id):
            return set()
        return await self._run(partial(marked, _marks_file(self._folder, worker_id)))

    def _take(self) -> None:
        make_folder(self._folder)
        make_private(self._folder)
        self._beat()
        self._lock.acquire(timeout=5)
        self._sweep()

    def _give_back(self) -> None:
        self._marks.remove()
        self._lock.release()
        _remove(self._folder, self.worker_id)

    def _beat(self) -> float:
        """Touch the own heartbeat; returns the file system's time."""
        beat = _beat_file(self._folder, self.worker_id)
        beat.touch(mode=0o600)
        return beat.stat().st_mtime

    async def _beat_for_ever(self) -> None:
        while True:
            await anyio.sleep(self._times.beat_seconds)
            try:
                await self._run(self._beat)
            except StoreError as error:
                logger.warning("heartbeat of this process not written", extra={"problem": error})

    def _dead(self, worker_ids: set[str]) -> set[str]:
        now = self._beat()
        found: set[str] = set()
        for worker_id in worker_ids:
            if not _WORKER_ID.fullmatch(worker_id):
                found.add(worker_id)
            elif _has_ended(self._folder, worker_id):
                _remove(self._folder, worker_id)
                found.add(worker_id)
            elif self._hangs(worker_id, now):
                logger.warning("a process has been silent for too long", extra={"worker": worker_id})
                found.add(worker_id)
        return found

    def _hangs(self, worker_id: str, now: float) -> bool:
        last_beat = _last_beat(self._folder, worker_id)
        if last_beat is None or now - last_beat <= self._times.silent_seconds:
            self._silences.pop(worker_id, None)
            return False
        silence = self._silences.get(worker_id)
        if silence is None or silence.last_beat != last_beat:
            silence = self._silences[worker_id] = _Silence(last_beat, self._monotonic())
        return self._monotonic() - silence.noticed_at >= self._times.confirm_seconds

    def _sweep(self) -> None:
        now = self._beat()
        for file in self._folder.iterdir():
            worker_id = file.stem
            if file.suffix == SUFFIX:
                # Of use until the tasks of that process are taken over, which may be long after it died.
                # Every process that starts sweeps, so another may be faster.
                noted = stat_of(file)
                old = noted is not None and now - noted.st_mtime > _MARKS_SECONDS
                if old and _has_ended(self._folder, worker_id):
                    file.unlink(missing_ok=True)
                continue
            if worker_id == self.worker_id or not _WORKER_ID.fullmatch(worker_id):
                continue
            last_beat = _last_beat(self._folder, worker_id)
            if last_beat is not None and now - last_beat <= _SETTLING_SECONDS:
                continue
            if _has_ended(self._folder, worker_id):
                _remove(self._folder, worker_id)

    async def _run(self, work: Callable[[], T]) -> T:
        def translated_work() -> T:
            with translated(self._folder, "folder of leases"):
                return work()

        return await anyio.to_thread.run_sync(translated_work)


def _lock_file(folder: Path, worker_id: str) -> Path:
    return folder / f"{worker_id}.lock"


def _marks_file(folder: Path, worker_id: str) -> Path:
    return folder / f"{worker_id}{SUFFIX}"


def _beat_file(folder: Path, worker_id: str) -> Path:
    return folder / f"{worker_id}.beat"


def _last_beat(folder: Path, worker_id: str) -> float | None:
    beat = stat_of(_beat_file(folder, worker_id))
    return None if beat is None else beat.st_mtime


def _has_ended(folder: Path, worker_id: str) -> bool:
    file = _lock_file(folder, worker_id)
    if not file.exists():
        return True
    # To try the lock does not touch the heartbeat, which is why that is a file of its own.
    lock = filelock.FileLock(file, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except filelock.Timeout:
        return False
    except FileNotFoundError:
        # Its process ended between the two looks; older releases of filelock do not make the file anew.
        return True
    lock.release()
    return True


def _remove(folder: Path, worker_id: str) -> None:
    for file in (_lock_file(folder, worker_id), _beat_file(folder, worker_id)):
        # Windows refuses while another process is just trying the lock; a later sweep removes it.
        with contextlib.suppress(PermissionError):
            file.unlink(missing_ok=True)
