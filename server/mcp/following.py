"""Following tasks for those who listen: each change of a task as it comes, from whichever process it comes."""

from collections.abc import Awaitable, Callable

from ...domain.errors import TaskNotFound
from ...domain.principal import Principal
from ...domain.record import TaskRecord
from ...tasks.service import Service

LOOK_SECONDS = 60.0
"""How long one wait lasts; then the next begins."""

OnChange = Callable[[TaskRecord], Awaitable[None]]


async def follow(
    service: Service, task_id: str, principal: Principal, on_change: OnChange, *, from_now: bool = False
) -> None:
    """Call `on_change` with the task as it is (unless `from_now`) and at each change, until nothing more comes of it.

    Raises:
        TaskNotFound, StoreError.
    """
    record = await service.get(task_id, principal=principal)
    told: int | None = record.revision if from_now else None

    async def tell(seen: TaskRecord) -> None:
        nonlocal told
        if seen.revision != told:
            told = seen.revision
            await on_change(seen)

    await tell(record)
    while not record.settled:
        record = await service.wait(task_id, seconds=LOOK_SECONDS, principal=principal, report=tell)
    await tell(record)


async def is_known(service: Service, task_id: str, principal: Principal) -> bool:
    """Whether they have such a task."""
    try:
        await service.get(task_id, principal=principal)
    except TaskNotFound:
        return False
    return True
