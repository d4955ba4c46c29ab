"""Following tasks for those who listen: each change of a task as it comes, from whichever process it comes."""

from collections.abc import Awaitable, Callable

from ...domain.errors import TaskNotFound
from ...domain.record import TaskRecord
from ...tasks.service import Service

LOOK_SECONDS = 60.0
"""How long one wait lasts; then the next begins."""

OnChange = Callable[[TaskRecord], Awaitable[None]]


async def follow(service: Service, task_id: str, owner: str, on_change: OnChange, *, from_now: bool = False) -> None:
    """Call `on_change` with the task as it is (unless `from_now`) and at each change, until nothing more comes of it.

    Raises:
        TaskNotFound, StoreError.
    """
    record = await service.get(task_id, owner=owner)
    told: int | None = record.revision if from_now else None

    async def tell(seen: TaskRecord) -> None:
        nonlocal told
        if seen.revision != told:
            told = seen.revision
            await on_change(seen)

    await tell(record)
    while not record.settled:
        record = await service.wait(task_id, seconds=LOOK_SECONDS, owner=owner, report=tell)
    await tell(record)


async def is_known(service: Service, task_id: str, owner: str) -> bool:
    """Whether this owner has such a task."""
    try:
        await service.get(task_id, owner=owner)
    except TaskNotFound:
        return False
    return True
