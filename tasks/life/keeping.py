"""The outputs of a task that succeeded, on their way to local files."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from ...domain.errors import OutputExpired, OutputRejected, RushesError
from ...domain.failure import clean_text
from ...domain.record import Output, TaskRecord
from .ground import same_state
from .observation import phase_after

KEEP_REFUSALS_MAX = 4
"""Attempts at an output that is refused or gone; passing faults are tried until the URL has expired."""
KEEP_RETRY_FIRST = timedelta(seconds=5)
KEEP_RETRY_LONGEST = timedelta(minutes=10)
KEEP_GIVE_UP = timedelta(hours=24)
"""Where a URL names no expiry."""


def kept(record: TaskRecord, index: int, facts: Mapping[str, object], now: datetime) -> TaskRecord:
    """Output `index` is on disk; `facts` are the file's path, size, hash and measures."""
    return _with_output(record, index, {**facts, "keeping": "kept", "keep_problem": None, "keep_after": None}, now)


def keeping_off(record: TaskRecord, now: datetime) -> TaskRecord:
    """Keeping is turned off: URLs are given as they are."""
    if record.phase != "keeping":
        return record
    outputs = tuple(o.model_copy(update={"keeping": "off"}) if o.keeping == "pending" else o for o in record.outputs)
    return same_state(record, now, outputs=outputs, phase="done")


def keep_failed(record: TaskRecord, index: int, error: RushesError, now: datetime) -> TaskRecord:
    """An attempt to keep output `index` failed: try again with growing pauses, until it can no longer work."""
    output = record.outputs[index]
    attempts = output.keep_attempts + 1
    wait = min(KEEP_RETRY_FIRST * 2 ** min(attempts - 1, 10), KEEP_RETRY_LONGEST)
    until = _end_of_patience(record, output)
    refused = isinstance(error, OutputExpired | OutputRejected) and attempts >= KEEP_REFUSALS_MAX
    # This attempt was planned for a time past the end, so after a machine slept there is one more than the first.
    over = output.keep_after is not None and output.keep_after > until and now > until
    given_up = refused or over
    gone = given_up and (isinstance(error, OutputExpired) or over)
    changes = {
        "keep_attempts": attempts,
        "keep_problem": clean_text(f"result_expired: {error.message}" if gone else error.message, 300),
        "keeping": "failed" if given_up else "pending",
        "keep_after": None if given_up else now + wait,
    }
    return _with_output(record, index, changes, now)


def _end_of_patience(record: TaskRecord, output: Output) -> datetime:
    """The URL's expiry, unless that was past already when the gateway told of the output: then a clock is wrong."""
    told_at = record.finished_at or record.created_at
    if output.expires_at is not None and output.expires_at > told_at:
        return output.expires_at
    return told_at + KEEP_GIVE_UP


def keep_due(output: Output, now: datetime) -> bool:
    """Whether a pending output is to be tried now. A plan further ahead than plans go is a clock that was set back."""
    planned = output.keep_after
    return output.keeping == "pending" and (planned is None or not now < planned <= now + KEEP_RETRY_LONGEST)


def _with_output(record: TaskRecord, index: int, changes: Mapping[str, object], now: datetime) -> TaskRecord:
    outputs = tuple(o.model_copy(update=dict(changes)) if n == index else o for n, o in enumerate(record.outputs))
    phase = phase_after(outputs) if record.phase == "keeping" else record.phase
    return same_state(record, now, outputs=outputs, phase=phase)
