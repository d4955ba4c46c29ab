"""A job that a person or agent found at the gateway, handed back to the task that lost it."""

from datetime import datetime, timedelta

from ...domain.job import Job
from ...domain.record import TaskRecord
from .ground import reopened, same_state, with_warnings

DEADLINE_LEAST = timedelta(minutes=10)
"""For a job that is handed back: however long ago it began, there is time for some looks and for a download."""


def why_not_attached(record: TaskRecord, job_id: str) -> str | None:
    """Why the task takes no such job, as a clause; `None` where it takes it."""
    if record.phase in ("waiting", "submitting", "held"):
        return "its submission is still under way"
    if record.job is not None and record.job.job_id != job_id and not record.reconciled:
        return f"its job is {record.job.job_id!r}"
    lost = record.failure is not None and record.failure.charged == "unknown"
    if record.phase == "reconciling" or record.state == "unknown" or (record.state in ("failed", "cancelled") and lost):
        return None
    return f"it has {record.state}" if record.final else f"it is {record.state} and needs none"


def attached(record: TaskRecord, job: Job, now: datetime, *, worker: str) -> TaskRecord:
    """The task goes on with this job. A cancelled one stays cancelled, and its result is still kept."""
    if why_not_attached(record, job.job_id) is not None:
        return record
    allowed = max(record.deadline_at - (record.submitted_at or record.created_at), DEADLINE_LEAST)
    held = same_state(
        record,
        now,
        job=job,
        reconciled=False,
        worker=worker,
        next_poll_at=now,
        deadline_at=now + allowed,
        poll_errors=0,
        empty_successes=0,
        overdue_looks=0,
    )
    text = f"The job {job.job_id} was handed back to this task, so it went on."
    if record.state == "cancelled":
        return with_warnings(same_state(held, now, phase="watching"), [text], now)
    return with_warnings(reopened(held, "polling", now), [text], now)
