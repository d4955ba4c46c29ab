"""Waiting for a task from the command line: until its files are on disk, because only then is there a result."""

from collections.abc import Awaitable, Callable

import anyio

from ...domain.principal import LOCAL
from ...domain.record import TaskRecord
from ...tasks.service import Service

KEEP_SECONDS = 60.0
"""How long the file of a task that succeeded is waited for at most, where its download meets obstacles."""

LOOK_EVERY_SECONDS = 0.5

Report = Callable[[TaskRecord], Awaitable[None]]


def is_kept(record: TaskRecord) -> bool:
    """Whether nothing more is to be waited for: it has ended, and no output is still on its way to disk."""
    return record.set_aside_at is not None or (record.final and not any(output.pending for output in record.outputs))


async def until_kept(service: Service, task_id: str, seconds: float, report: Report) -> TaskRecord:
    """The task once its outputs are on disk or given up, or as it is when time is up.

    Raises:
        TaskNotFound, StoreError.
    """
    started = anyio.current_time()
    record = await service.wait(task_id, seconds=seconds, report=report, principal=LOCAL)
    left = min(seconds - (anyio.current_time() - started), KEEP_SECONDS)
    return await kept_within(service, record, left) if record.settled else record


async def kept_within(service: Service, record: TaskRecord, seconds: float) -> TaskRecord:
    """The task once its outputs are on disk or given up; what met an obstacle is tried again meanwhile."""
    with anyio.move_on_after(max(seconds, 0)):
        while not is_kept(record):
            await anyio.sleep(LOOK_EVERY_SECONDS)
            record = await service.get(record.task_id, principal=LOCAL)
    return record
