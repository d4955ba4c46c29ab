"""The search for a submission whose answer was lost, in the gateway's list of jobs."""

from datetime import datetime, timedelta

from ...domain.failure import Failure, failure
from ...domain.job import Job
from ...domain.record import Phase, TaskRecord, unfinished
from .ground import moved, same_state, with_warnings

RECONCILE_FOR = timedelta(minutes=3)
"""How long the gateway's list of jobs is searched for a submission whose answer was lost."""


def found(record: TaskRecord, job: Job, now: datetime) -> TaskRecord:
    """The gateway's list holds the job of a submission whose answer was lost."""
    if record.phase != "reconciling":
        return record
    text = f"The answer to the submission was lost; {record.provider} lists the job, so the task went on."
    phase: Phase = "watching" if record.final else "polling"
    held = same_state(record, now, phase=phase, job=job, reconciled=True, next_poll_at=now)
    return with_warnings(held, [text], now)


def given_back(record: TaskRecord, now: datetime, *, next_look_at: datetime) -> TaskRecord:
    """The job that was found belongs to another task: two equal submissions were under way at once."""
    if not record.reconciled or record.polls > 0 or record.phase not in ("polling", "watching"):
        return record
    return same_state(record, now, job=None, reconciled=False, phase="reconciling", next_poll_at=next_look_at)


def not_found(
    record: TaskRecord, why: Failure, now: datetime, *, next_look_at: datetime, by: datetime | None = None
) -> TaskRecord:
    """The gateway's list does not hold the job (yet). `by`: see `timed_out`."""
    if record.phase != "reconciling":
        return record
    since = record.submitted_at or record.created_at
    if abs((by or now) - since) < RECONCILE_FOR:
        return same_state(record, now, next_poll_at=next_look_at)
    if not unfinished(record):
        return same_state(record, now, phase="done")
    return moved(record, "unknown", "done", now, failure=why)


def answer_lost(record: TaskRecord) -> Failure:
    """Why a submission whose answer was lost, and which the gateway's list does not show, ends as `unknown`."""
    return failure(
        "outcome_unknown",
        f"The answer to the submission was lost, and {record.provider} does not list a matching job.",
        charged="unknown",
    )
