"""A request whose input has still to be made by another task: it waits, unsent and unpaid."""

from datetime import datetime

from ...domain.chosen import Chosen
from ...domain.failure import Failure
from ...domain.job import Plan
from ...domain.money import Estimate, Quote
from ...domain.record import TaskRecord, unfinished
from ...domain.request import GenerationRequest
from .cancelling import unsent
from .ground import leaving, moved, same_state, with_warnings


def begun_waiting(record: TaskRecord) -> TaskRecord:
    """A new record, not journaled yet, that is to wait. What is said of a plan waits with it."""
    return same_state(record, record.updated_at, phase="waiting", submitted_at=None, warnings=())


def inputs_there(
    record: TaskRecord,
    request: GenerationRequest,
    plan: Plan,
    deadline_at: datetime,
    now: datetime,
    *,
    answer_folder: str | None,
    chosen: Chosen | None,
    hook: str | None,
    quote: Quote,
    warnings: tuple[str, ...],
) -> TaskRecord:
    """All inputs are there, and the POST is about to leave: written before it does, so that it is never sent twice.

    `request` is the record's own, with the media that were named in it.
    """
    if record.phase != "waiting":
        return record
    if record.final or record.cancel_requested_at is not None:
        return unsent(record, now)
    complete = same_state(record, now, request=request, answer_folder=answer_folder, chosen=chosen, hook=hook)
    return with_warnings(leaving(complete, plan, quote, deadline_at, now), warnings, now)


def inputs_never_come(
    record: TaskRecord, why: Failure, now: datetime, *, estimate: Estimate | None = None
) -> TaskRecord:
    """An input will not be made or cannot be used, or what it would cost now is too much: nothing was sent.

    `estimate` is the price of now, where that is what keeps it.
    """
    if record.phase != "waiting":
        return record
    if not unfinished(record):
        return same_state(record, now, phase="done")
    return moved(record, "failed", "done", now, failure=why, estimate=estimate or record.estimate)
