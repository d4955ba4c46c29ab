"""Cancelling: asked for, done by the gateway, or only here."""

from datetime import datetime

from ...domain.errors import Charged
from ...domain.failure import failure
from ...domain.record import Phase, TaskRecord, unfinished
from .ground import moved, same_state


def cancel_asked(record: TaskRecord, now: datetime) -> TaskRecord:
    """Note that a person or agent wants it cancelled."""
    if record.final or record.cancel_requested_at is not None:
        return record
    asked = same_state(record, now, cancel_requested_at=now)
    return unsent(asked, now) if record.phase in ("waiting", "held") else asked


def unsent(record: TaskRecord, now: datetime) -> TaskRecord:
    """Cancelled, also if only here, and nothing of it is at any gateway."""
    why = failure("cancelled", "Cancelled before any gateway took it.", charged="no")
    if not unfinished(record):
        return same_state(record, now, phase="done", failure=why)
    return moved(record, "cancelled", "done", now, failure=why)


def cancelled(record: TaskRecord, now: datetime, *, at_gateway: bool, ended: bool, charged: Charged) -> TaskRecord:
    """Cancelled: by the gateway, or only here.

    With `ended` nothing more can come of the job; otherwise the gateway is still watched for a late paid result.
    """
    if not unfinished(record):
        return record
    who = record.provider
    text = f"Cancelled at {who}." if at_gateway else f"Given up here; {who} goes on with the job and may charge for it."
    why = failure("cancelled", text, charged=charged)
    phase: Phase = "done" if ended else "watching" if record.phase == "polling" else record.phase
    return moved(record, "cancelled", phase, now, failure=why)


def withdrawn(record: TaskRecord, now: datetime) -> TaskRecord:
    """Cancelled before anything was sent: nothing more can come."""
    return unsent(record, now) if record.phase == "submitting" and record.final else record
