"""From the journal to the gateway's answer, or to the lack of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ...domain.errors import RushesError
from ...domain.failure import Failure, failure
from ...domain.job import Plan, Submission, Told
from ...domain.money import NOT_QUOTED, Quote
from ...domain.record import Attempt, Output, Phase, TaskRecord, unfinished
from .cancelling import unsent
from .ground import leaving, moved, noted, same_state, with_warnings
from .observation import NOTHING_KEPT, Kept, observed


def accepted(record: TaskRecord, submission: Submission, now: datetime, kept: Kept = NOTHING_KEPT) -> TaskRecord:
    """The gateway took the job. A cancel may have come first; the job is then still recorded and watched."""
    if record.phase != "submitting":
        return record
    with_job = same_state(record, now, job=submission.job, phase="watching" if record.final else "polling")
    return observed(with_job, submission.observation, now, kept)


def accepted_late(record: TaskRecord, submission: Submission, now: datetime, kept: Kept = NOTHING_KEPT) -> TaskRecord:
    """The answer came after another process took the task over and took the answer for lost.

    A state that is final stays; the job is noted and watched, so that its result is still kept.
    """
    if record.job is not None or record.phase not in ("submitting", "reconciling", "done"):
        return record
    if record.phase != "done":
        unanswered = same_state(record, now, phase="submitting")
        return accepted(unanswered, submission, now, kept)
    if record.state not in ("unknown", "cancelled"):
        return record
    late = same_state(record, now, job=submission.job, phase="watching", next_poll_at=now)
    text = f"The answer of {record.provider} came late: it accepted the job, so its result is waited for."
    return observed(with_warnings(late, [text], now), submission.observation, now, kept)


def refused(record: TaskRecord, why: Failure, now: datetime) -> TaskRecord:
    """The gateway definitely refused, and no other is left to try."""
    if record.phase != "submitting":
        return record
    if not unfinished(record):
        return unsent(record, now)
    return moved(record, "failed", "done", now, failure=why)


def rerouted(
    record: TaskRecord,
    why: Failure,
    plan: Plan,
    deadline_at: datetime,
    now: datetime,
    *,
    quote: Quote = NOT_QUOTED,
    refused_plan: Plan | None = None,
) -> TaskRecord:
    """The gateway definitely refused; the same task goes on with the next provider, and with what is to say of that.

    Not so where a cancel was asked for meanwhile: nobody would take it back from the next one.
    """
    if record.phase != "submitting":
        return record
    if record.final or record.cancel_requested_at is not None:
        return unsent(record, now)
    attempt = Attempt(provider=record.provider, model=record.model, failure=why)
    over = refused_plan.warnings if refused_plan is not None else ()
    warnings = [*(text for text in record.warnings if text not in over), *plan.warnings]
    tried = same_state(record, now, tried=(*record.tried, attempt), warnings=tuple(dict.fromkeys(warnings)))
    return leaving(tried, plan, quote, deadline_at, now)


@dataclass(frozen=True)
class Rescue:
    """What had come of an answer that broke off, or could not all be written."""

    outputs: tuple[Output, ...] = ()
    """Media that had come whole, kept."""
    notes: tuple[str, ...] = ()
    """For the record's warnings."""


NOTHING_RESCUED = Rescue()


def rescued(record: TaskRecord, found: Rescue, now: datetime) -> TaskRecord:
    """The media of a lost answer that had come whole are outputs, whatever becomes of the task."""
    if found is NOTHING_RESCUED or record.phase != "submitting":
        return record
    return with_warnings(same_state(record, now, outputs=found.outputs or record.outputs), found.notes, now)


def with_ids(record: TaskRecord, ids: Mapping[str, str]) -> TaskRecord:
    """The ids that the gateway's support asks for, also where it took no job."""
    return noted(record, told=record.told.joined(Told(ids=dict(ids)))) if ids else record


def lost(record: TaskRecord, why: Failure, now: datetime, *, reconcilable: bool) -> TaskRecord:
    """The answer to the POST was lost: the gateway may have the job, and may charge for it."""
    if record.phase != "submitting":
        return record
    if reconcilable:
        return same_state(record, now, phase="reconciling", next_poll_at=now)
    if not unfinished(record):
        return same_state(record, now, phase="done")
    return moved(record, "unknown", "done", now, failure=why)


def answered_on_disk(record: TaskRecord, answered: TaskRecord, now: datetime) -> TaskRecord:
    """The process that got the gateway's answer died after it wrote the media and before it changed the record."""
    if record.phase != "submitting" or answered.job is None:
        return record
    if not unfinished(record):
        return same_state(record, now, job=answered.job, outputs=answered.outputs, phase="done")
    return moved(
        record, "succeeded", "done", now, job=answered.job, outputs=answered.outputs, cost=answered.cost, progress=1.0
    )


def from_sidecar(record: TaskRecord) -> TaskRecord:
    """The record that a sidecar tells of, as a finished one: the file is there, whatever was still to be written."""
    phase: Phase = "keeping" if any(output.pending for output in record.outputs) else "done"
    if unfinished(record):
        return moved(record, "succeeded", phase, record.updated_at, worker=None)
    return same_state(record, record.updated_at, phase=phase, worker=None)


def answer_not_kept(record: TaskRecord, submission: Submission | None, error: RushesError, now: datetime) -> TaskRecord:
    """The gateway answered with the medium itself, and it could not be written to disk."""
    if record.phase != "submitting":
        return record
    why = failure(
        "internal",
        f"{record.provider} delivered the result, but it could not be written: {error.message}",
        charged="yes",
        hint="Free disk space or set RUSHES_OUTPUT_DIR to a writable folder; then force_new pays for it again.",
    )
    job = submission.job if submission is not None else record.job
    if not unfinished(record):
        return same_state(record, now, job=job, phase="done", failure=why)
    return moved(record, "failed", "done", now, job=job, failure=why)


def answer_is_no_medium(record: TaskRecord, error: RushesError) -> Failure:
    """Why an answer that should hold the medium, and holds something else, says nothing about money."""
    return failure(
        "outcome_unknown",
        f"{record.provider} answered with something that could not be kept as {record.kind}: {error.message}",
        charged="unknown",
    )


def adopted(record: TaskRecord, worker: str, now: datetime) -> TaskRecord:
    """Another process takes the task over, because the one that had it is gone."""
    return same_state(record, now, worker=worker) if record.phase != "done" else record


def answer_unknown(record: TaskRecord) -> Failure:
    """Why a submission found in flight by a new process is not sent again: the gateway may have it."""
    return failure(
        "outcome_unknown",
        f"rushes stopped while the request to {record.provider} was under way, so its answer is not known.",
        charged="unknown",
    )
