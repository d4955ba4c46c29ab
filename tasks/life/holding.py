"""A request that waits, unsent, until its gateway takes requests again."""

from datetime import datetime

from ...domain.failure import Failure, clean_text
from ...domain.job import Plan
from ...domain.money import Estimate, Quote
from ...domain.record import Hold, TaskRecord, unfinished
from .cancelling import unsent
from .ground import leaving, moved, same_state


def held(record: TaskRecord, why: str, until: datetime, now: datetime, *, asked: bool) -> TaskRecord:
    """Nothing of the request is at the gateway, and it is sent after `until`.

    With `asked` the gateway refused it and named the time; without, rushes itself keeps inside the gateway's rate.
    """
    if record.phase != "submitting":
        return record
    if record.final or record.cancel_requested_at is not None:
        return unsent(record, now)
    before = record.hold or Hold(until=until)
    hold = Hold(
        until=until,
        tries=before.tries + (1 if asked else 0),
        seconds=before.seconds + (max(0.0, (until - now).total_seconds()) if asked else 0.0),
        why=clean_text(why),
    )
    return same_state(record, now, phase="held", hold=hold)


def released(
    record: TaskRecord, plan: Plan, deadline_at: datetime, now: datetime, *, quote: Quote | None = None
) -> TaskRecord:
    """The time is over: the POST is about to leave. Written before it does, so that it is never sent twice.

    `quote` is what it costs now; `None`: as when it came.
    """
    if record.phase != "held" or record.final:
        return record
    costs = quote or Quote(record.measure, record.estimate, record.free)
    return leaving(record, plan, costs, deadline_at, now)


def never_sent(record: TaskRecord, why: Failure, now: datetime, *, estimate: Estimate | None = None) -> TaskRecord:
    """A held request that cannot be sent any more. `estimate` is the price of now, where that is what keeps it."""
    if record.phase != "held":
        return record
    if not unfinished(record):
        return same_state(record, now, phase="done")
    return moved(record, "failed", "done", now, failure=why, estimate=estimate or record.estimate)
