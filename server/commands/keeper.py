"""The keeper: a small process that a command leaves behind, so that somebody follows its task to the kept file.

A gateway goes on without us, but its results expire. Without a keeper nobody would fetch them before somebody runs
rushes again. There is one at a time: it holds a lock and follows every unfinished task of this person, those that
come while it runs too. It decides nothing and holds nothing that the store has not: killed, it leaves the tasks as any
process does, and whichever rushes runs next takes them up.
"""

import os
import subprocess
import sys
from pathlib import Path

import anyio
import filelock

from ...domain.principal import LOCAL
from ...domain.record import TaskRecord, TaskState
from ...tasks.service import Service
from ...tools import ToolContext
from .waiting import is_kept, kept_within

LOCK_NAME = "keeper.lock"

COMMAND = "keep"
"""Its command; not shown in the help."""

DETACHED = 0x00000208
"""Windows: DETACHED_PROCESS and CREATE_NEW_PROCESS_GROUP."""

WAIT_SECONDS = 60.0
LISTED = 50

UNFINISHED: tuple[TaskState, ...] = ("queued", "running")


def is_kept_already(folder: Path) -> bool:
    """Whether a keeper runs. It then follows what is journaled by now too: see `_keep_all`."""
    lock = _lock_in(folder)
    if not _is_free(lock):
        return True
    lock.release()
    return False


def leave_keeper() -> int | None:
    """Start the keeper as a process of its own, which no terminal takes with it; its process id, or `None` where the
    system does not let us."""
    windows = sys.platform == "win32"
    command = [sys.executable, "-m", __name__.partition(".")[0], COMMAND]
    try:
        process = subprocess.Popen(  # noqa: S603  ourselves
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            creationflags=DETACHED if windows else 0,
            start_new_session=not windows,
        )
    except OSError:
        return None
    process.returncode = 0  # Nobody waits for it: it outlives us.
    return process.pid


def keep() -> None:
    """Follow every unfinished task until there is none, unless another keeper does.

    Raises:
        RushesError: a setting is wrong, or the store cannot be used.
    """
    from ..preparation import prepared_settings
    from .session import run

    folder = prepared_settings().cache_dir
    folder.mkdir(parents=True, exist_ok=True)
    lock = _lock_in(folder)
    if _is_free(lock):
        try:
            run(lambda context: _keep_all(context, lock))
        finally:
            lock.release()


async def _keep_all(context: ToolContext, lock: filelock.BaseFileLock) -> None:
    """A task that is journaled while this ends is not missed: whoever leaves it tries the lock after that, and gets
    it, or fails before it was let go of, and then the look after letting go sees the task."""
    service = await context.opened()
    while True:
        await _until_none(service)
        lock.release()
        if not await _unfinished(service) or not _is_free(lock):
            return


def _lock_in(folder: Path) -> filelock.BaseFileLock:
    return filelock.FileLock(folder / LOCK_NAME, timeout=0, mode=0o600, thread_local=False)


def _is_free(lock: filelock.BaseFileLock) -> bool:
    """Whether the lock was, and now is ours."""
    try:
        lock.acquire()
    except filelock.Timeout:
        return False
    return True


async def _until_none(service: Service) -> None:
    while tasks := await _unfinished(service):
        async with anyio.create_task_group() as group:
            for task in tasks:
                group.start_soon(_follow, service, task)


async def _follow(service: Service, task: TaskRecord) -> None:
    """Until it is kept, or a while, so that newer tasks come to be seen too."""
    record = await service.wait(task.task_id, seconds=WAIT_SECONDS, principal=LOCAL)
    if record.settled:
        await kept_within(service, record, WAIT_SECONDS)


async def _unfinished(service: Service) -> list[TaskRecord]:
    """Tasks that a gateway still works on, and those whose files are not on disk yet."""
    found: list[TaskRecord] = []
    for state in UNFINISHED:
        found += (await service.list_tasks(principal=LOCAL, state=state, limit=LISTED)).records
    ended = await service.list_tasks(principal=LOCAL, state="succeeded", limit=LISTED)
    found += [record for record in ended.records if not is_kept(record)]
    return [record for record in found if record.set_aside_at is None]
