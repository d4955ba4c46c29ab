"""Setting a task aside under whose steps processes die, so that the others live."""

from datetime import datetime

from ...domain.record import TaskRecord
from .ground import noted, same_state

DEATHS_MAX = 2
"""So many processes died, one after the other, under a step of the task. One may have been killed by chance."""


def died_in_step(record: TaskRecord, now: datetime) -> TaskRecord:
    """The process that had the task died while it was in a step of it."""
    deaths = record.deaths_in_step + 1
    set_aside_at = record.set_aside_at or (now if deaths >= DEATHS_MAX else None)
    return same_state(record, now, deaths_in_step=deaths, set_aside_at=set_aside_at)


def survived(record: TaskRecord) -> TaskRecord:
    """A step of the task has ended, and the process lives: whatever died before did not die of it."""
    return record if record.deaths_in_step == 0 else noted(record, deaths_in_step=0)


def taken_up(record: TaskRecord, worker: str, now: datetime) -> TaskRecord:
    """A person wants it tried once more; one further death sets it aside again."""
    if record.set_aside_at is None:
        return record
    return same_state(record, now, worker=worker, set_aside_at=None, deaths_in_step=DEATHS_MAX - 1)
