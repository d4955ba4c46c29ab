"""What of a task's record says whether a hook counts: a few fields, so that a flood of hooks makes no whole records."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from pydantic import ConfigDict, ValidationError

from ..domain.errors import StoreDamaged
from ..domain.record import Phase, TaskRecord
from ..domain.value import Value
from .ports import Journal


class Hooked(Value):
    """A task, as hooks see it; the names are those of `TaskRecord`."""

    model_config = ConfigDict(from_attributes=True)

    task_id: str
    provider: str
    hook: str | None = None
    phase: Phase
    open: bool
    finished_at: datetime | None = None

    @property
    def over_since(self) -> datetime | None:
        """When it ended; `None` while there is something to do for it."""
        return None if self.open else self.finished_at


def hooked(record: TaskRecord) -> Hooked:
    """A record, as hooks see it."""
    return Hooked.model_validate(record)


def reading(store: Journal) -> Callable[[str], Awaitable[Hooked | None]]:
    """Reads the tasks of a store; what it gives raises a `StoreError` where one cannot be read."""

    async def read(task_id: str) -> Hooked | None:
        document = await store.get(task_id)
        try:
            return None if document is None else Hooked.model_validate(document)
        except ValidationError as error:
            raise StoreDamaged(f"The record of task {task_id} cannot be read.") from error

    return read
