"""Rivals: other tasks to which a job that the gateway lists may belong."""

from datetime import timedelta

from ...domain.record import TaskRecord
from ..ids import first_id
from ..journal import readable
from ..ports import Journal

UNSENT_FOR = timedelta(days=1)
"""A rival of a lost submission may have been journaled so long before it was sent."""

SEARCHED_TOGETHER = timedelta(minutes=10)
"""A submission lost so shortly before may have become the job that is found for another one."""


class Rivals:
    """Of records whose answer was lost."""

    def __init__(self, store: Journal) -> None:
        self._store = store

    async def jobs_and_rivals(self, record: TaskRecord) -> tuple[set[str], bool]:
        """Ids of the jobs that tasks of about its time hold at the record's provider, and whether an equal submission
        of another task is under way, whose job the gateway may list already."""
        since = first_id((record.submitted_at or record.created_at) - SEARCHED_TOGETHER)
        jobs = set(await self._store.jobs_since(record.provider, since))
        return jobs - {_job_id(record)}, await self._equal_under_way(record)

    async def others_without_job(self, record: TaskRecord) -> bool:
        """Whether another task of the same model may have a job at the gateway whose id is not known here."""
        searching = ("submitting", "reconciling")
        since = (record.submitted_at or record.created_at) - SEARCHED_TOGETHER
        return any(
            other.model == record.model
            and (other.phase in searching or (other.state == "unknown" and other.created_at >= since))
            for other in await self._others_without_job(record)
        )

    async def claimed_elsewhere(self, record: TaskRecord) -> bool:
        """Whether the job that this record found in the gateway's list is, or may be, another task's.

        Each looks after it wrote, so of two that found the same job the later one sees the other.
        """
        if await self._equal_under_way(record):
            return True
        job_id = _job_id(record)
        holders = [] if job_id is None else await self._store.tasks_of_job(record.provider, job_id)
        return any(holder != record.task_id for holder in holders)

    async def _equal_under_way(self, record: TaskRecord) -> bool:
        others = await self._others_without_job(record)
        return any(other.phase == "submitting" and _same_submission(other, record) for other in others)

    async def _others_without_job(self, record: TaskRecord) -> list[TaskRecord]:
        since = first_id((record.submitted_at or record.created_at) - UNSENT_FOR)
        found = readable(await self._store.without_job(record.provider, since))
        return [other for other in found if other.task_id != record.task_id]


def _job_id(record: TaskRecord) -> str | None:
    return record.job.job_id if record.job is not None else None


def _same_submission(one: TaskRecord, other: TaskRecord) -> bool:
    return (one.model, one.request) == (other.model, other.request)
