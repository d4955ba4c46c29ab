"""The outputs of a task that succeeded, on their way to local files."""

from datetime import datetime, timedelta

from ...domain.errors import OutputExpired, OutputRejected, RushesError
from ...domain.failure import clean_text
from ...domain.record import Keeping, KeptMedia, Output, TaskRecord
from .ground import same_state
from .observation import phase_after

KEEP_REFUSALS_MAX = 4
"""Attempts at an output that is refused or gone; passing faults are tried until the URL has expired."""
KEEP_RETRY_FIRST = timedelta(seconds=5)
KEEP_RETRY_LONGEST = timedelta(minutes=10)
"""Doubled from the first up to this: soon after a hiccup, and seldom where an address stays dead."""

KEEP_GIVE_UP = timedelta(hours=24)
"""Where a URL names no expiry."""


def kept(record: TaskRecord, index: int, media: KeptMedia, now: datetime) -> TaskRecord:
    """Output `index` is on disk."""
    output = record.outputs[index]
    status = Keeping(status="kept", attempts=output.keeping.attempts)
    return _with_output(record, index, Output(remote=output.remote, kept=media, keeping=status), now)


def found_again(record: TaskRecord, index: int, path: str, now: datetime) -> TaskRecord:
    """The file of output `index` lies at `path`, as its sidecar told that this record was read from."""
    output = record.outputs[index]
    media = (output.kept or KeptMedia(path=path)).model_copy(update={"path": path})
    return _with_output(record, index, Output(remote=output.remote, kept=media, keeping=Keeping(status="kept")), now)


def keeping_off(record: TaskRecord, now: datetime) -> TaskRecord:
    """Keeping is turned off: URLs are given as they are."""
    if record.phase != "keeping":
        return record
    off = Keeping(status="off")
    outputs = tuple(_in_keeping(output, off) if output.pending else output for output in record.outputs)
    return same_state(record, now, outputs=outputs, phase="done")


def keep_failed(record: TaskRecord, index: int, error: RushesError, now: datetime) -> TaskRecord:
    """An attempt to keep output `index` failed: try again with growing pauses, until it can no longer work."""
    output = record.outputs[index]
    attempts = output.keeping.attempts + 1
    wait = min(KEEP_RETRY_FIRST * 2 ** min(attempts - 1, 10), KEEP_RETRY_LONGEST)
    until = _end_of_patience(record, output)
    refused = isinstance(error, OutputExpired | OutputRejected) and attempts >= KEEP_REFUSALS_MAX
    # This attempt was planned for a time past the end, so after a machine slept there is one more than the first.
    over = output.keeping.after is not None and output.keeping.after > until and now > until
    given_up = refused or over
    gone = given_up and (isinstance(error, OutputExpired) or over)
    keeping = Keeping(
        status="failed" if given_up else "pending",
        attempts=attempts,
        after=None if given_up else now + wait,
        problem=clean_text(f"result_expired: {error.message}" if gone else error.message, 300),
    )
    return _with_output(record, index, _in_keeping(output, keeping), now)


def _in_keeping(output: Output, keeping: Keeping) -> Output:
    return Output(remote=output.remote, kept=output.kept, keeping=keeping)


def _end_of_patience(record: TaskRecord, output: Output) -> datetime:
    """The URL's expiry, unless that was past already when the gateway told of the output: then a clock is wrong."""
    told_at = record.finished_at or record.created_at
    expires_at = output.remote.expires_at
    return expires_at if expires_at is not None and expires_at > told_at else told_at + KEEP_GIVE_UP


def keep_due(output: Output, now: datetime) -> bool:
    """Whether a pending output is to be tried now. A plan further ahead than plans go is a clock that was set back."""
    planned = output.keeping.after
    return output.pending and (planned is None or not now < planned <= now + KEEP_RETRY_LONGEST)


def _with_output(record: TaskRecord, index: int, changed: Output, now: datetime) -> TaskRecord:
    outputs = tuple(changed if n == index else output for n, output in enumerate(record.outputs))
    phase = phase_after(outputs) if record.phase == "keeping" else record.phase
    return same_state(record, now, outputs=outputs, phase=phase)
