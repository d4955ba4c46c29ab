"""What one look at a job makes of a record, or a look that failed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import assert_never

from ...domain.errors import FailureError
from ...domain.failure import Failure, failure, recharged
from ...domain.job import SUCCESS_WITHOUT_OUTPUT, Observation, RemoteOutput
from ...domain.record import Keeping, KeptMedia, Output, Phase, TaskRecord, UnfinishedRecord, unfinished
from .ground import moved, noted, same_state, with_warnings

Outputs = tuple[Output, ...]
Kept = Mapping[int, KeptMedia]
"""Outputs that are on disk already, by index."""

NOTHING_KEPT: Kept = MappingProxyType({})

EMPTY_SUCCESSES_TOLD = 5
"""Looks at a success without an output before it is told. Some gateways fill the output late, so looks go on until the
deadline, and then as long as for any job that was given up here."""

OUTPUTS_MAX = 64
"""Outputs of one job that are taken on; what more a gateway names is not recorded."""

WATCH_FOR = timedelta(hours=6)
"""How long a job that was given up here is still looked at, so that a late paid result is not lost."""

OVERDUE_LOOKS = 3
"""So many looks in a row must be past the deadline: a clock may jump, and after a machine slept the deadline is past
before the first look could be made."""

POLL_ERRORS_PATIENCE = 5
"""So many failed looks in a row do not count as looks past the deadline: the network comes back after the machine."""

POLL_ERRORS_TOLD = 3
"""One or two are ordinary, and nothing that an agent could do anything about."""

NOTHING = Decimal(0)

FINISHED_AFTER_ALL = "It finished after all and is paid for: use its outputs; asking again would pay a second time."


def bounded(seen: Observation) -> Observation:
    """The observation without outputs beyond `OUTPUTS_MAX`, and a note if there were any."""
    count = len(seen.outputs)
    if count <= OUTPUTS_MAX:
        return seen
    note = f"The gateway named {count} outputs; the first {OUTPUTS_MAX} are taken."
    return seen.model_copy(update={"outputs": seen.outputs[:OUTPUTS_MAX], "notes": (*seen.notes, note)})


def observed(record: TaskRecord, seen: Observation, now: datetime, kept: Kept = NOTHING_KEPT) -> TaskRecord:
    """What one look at the job says. A late success never changes `cancelled`; its outputs are still kept.

    `kept` holds the facts of outputs that came as bytes in the gateway's answer and are on disk already.
    """
    if record.phase not in ("polling", "watching"):
        return record
    polled = noted(
        record,
        polls=record.polls + 1,
        poll_errors=0,
        progress=_forward(record.progress, seen.progress),
        started_at=record.started_at or seen.started_at,
        cost=seen.cost or record.cost,
        told=record.told.joined(seen.told),
        empty_successes=record.empty_successes + 1 if SUCCESS_WITHOUT_OUTPUT in seen.notes else 0,
    )
    after = with_warnings(polled, (note for note in seen.notes if note != SUCCESS_WITHOUT_OUTPUT), now)
    outputs = offered(seen, kept)
    if unfinished(after):
        return _money_told(_observed_in_time(after, seen, outputs, now), seen)
    return _money_told(_observed_late(after, seen, outputs, now), seen)


def _money_told(record: TaskRecord, seen: Observation) -> TaskRecord:
    """At the end the failure, the cost and a person's word agree: what the gateway says last of the money counts."""
    why = record.failure
    if why is None or not record.final or seen.state not in ("succeeded", "failed", "cancelled"):
        return record
    cost, settlement = record.cost, record.settlement
    charged = why.charged
    if seen.cost is not None and (seen.cost.amount or charged == "unknown"):
        charged = "yes" if seen.cost.amount else "no"
    if charged == "no" and seen.cost is None and cost is not None:
        # What an earlier look told was given back.
        cost = cost.model_copy(update={"amount": NOTHING})
    if settlement is not None and charged == ("no" if settlement.amount else "yes"):
        settlement = None
    why = why if charged == why.charged else recharged(why, charged)
    return noted(record, failure=why, cost=cost, settlement=settlement)


def _observed_in_time(record: UnfinishedRecord, seen: Observation, outputs: Outputs, now: datetime) -> TaskRecord:
    match seen.state:
        case "queued":
            return same_state(record, now, phase="polling")
        case "running":
            going_on = moved(record, "running", "polling", now, started_at=record.started_at or now)
            told = [_outputs_missing(record)] if record.empty_successes >= EMPTY_SUCCESSES_TOLD else []
            return with_warnings(going_on, told, now)
        case "succeeded":
            phase = phase_after(outputs)
            return moved(record, "succeeded", phase, now, outputs=outputs, progress=1.0, next_poll_at=None)
        case "failed" | "cancelled":
            why = seen.failure or failure(
                "cancelled" if seen.state == "cancelled" else "provider_error",
                f"{record.provider} ended the job without a reason.",
                charged="unknown",
            )
            return moved(record, seen.state, "done", now, failure=why, next_poll_at=None)
        case _:
            assert_never(seen.state)


def _observed_late(record: TaskRecord, seen: Observation, outputs: Outputs, now: datetime) -> TaskRecord:
    match seen.state:
        case "queued" | "running":
            return same_state(record, now)
        case "failed" | "cancelled":
            charged = seen.failure.charged if seen.failure else None
            why = record.failure
            if why is not None and charged in ("yes", "no"):
                why = _given_up_and_ended(recharged(why, charged), record)
            return same_state(record, now, phase="done", failure=why)
        case "succeeded":
            told = {"charged": "yes", "hint": FINISHED_AFTER_ALL}
            why = record.failure and _given_up_and_ended(record.failure.model_copy(update=told), record)
            late = same_state(record, now, phase=phase_after(outputs), outputs=outputs, failure=why)
            return with_warnings(
                late, [f"{record.provider} finished the job after it was given up here; its output is kept."], now
            )
        case _:
            assert_never(seen.state)


def _given_up_and_ended(why: Failure, record: TaskRecord) -> Failure:
    """A cancelled task's failure says that the job goes on, which it does no longer."""
    if why.reason != "cancelled" or record.phase != "watching":
        return why
    return why.model_copy(update={"message": f"Cancelled here; {record.provider} has ended the job since."})


def offered(seen: Observation, kept: Kept) -> Outputs:
    remotes = (remote.model_copy(update={"content": None, "held": None}) for remote in seen.outputs)
    return tuple(
        Output(remote=remote, kept=kept[index], keeping=Keeping(status="kept"))
        if index in kept
        else Output(remote=remote)
        for index, remote in enumerate(remotes)
    )


def phase_after(outputs: Outputs) -> Phase:
    return "keeping" if any(output.pending for output in outputs) else "done"


def refreshed(record: TaskRecord, seen: Observation, now: datetime) -> TaskRecord:
    """A later look gave fresh URLs (signed ones are made anew at each look); outputs already kept stay."""
    if record.phase != "keeping" or len(seen.outputs) != len(record.outputs):
        return record
    fresh = offered(seen, {})
    outputs = tuple(
        _at_fresh_address(old, new.remote) if old.pending else old
        for old, new in zip(record.outputs, fresh, strict=True)
    )
    # Some gateways bill a moment after the end, and tell the cost only then.
    told = seen.cost or record.cost
    if (outputs, told) == (record.outputs, record.cost):
        return record
    return same_state(record, now, outputs=outputs, cost=told)


def _at_fresh_address(output: Output, told: RemoteOutput) -> Output:
    """The type stays as it was told first: what was refused for it is refused again."""
    remote = told.model_copy(update={"mime_type": output.remote.mime_type})
    return Output(remote=remote, kept=output.kept, keeping=output.keeping)


def _outputs_missing(record: TaskRecord) -> str:
    return (
        f"{record.provider} says that the job succeeded, but shows no output yet: rushes looks on for it. "
        "It is probably paid for, so do not ask for it again."
    )


def _empty_success(record: TaskRecord) -> Failure:
    return failure(
        "provider_error",
        f"{record.provider} reported success, but showed no output until the deadline.",
        charged="unknown",
        hint="It may be charged: look for its output on the gateway's dashboard. rushes looks on for some hours too.",
    )


def _forward(before: float | None, seen: float | None) -> float | None:
    """Progress never goes back."""
    if seen is None:
        return before
    return max(before or 0.0, min(1.0, max(0.0, seen)))


def poll_failed(record: TaskRecord, error: FailureError, now: datetime) -> TaskRecord:
    """A look failed, which says nothing about the job. What a person can cure is said as a warning."""
    if record.phase not in ("polling", "watching", "reconciling"):
        return record
    failed = same_state(record, now, poll_errors=record.poll_errors + 1)
    if (
        error.reason not in ("unauthorized", "not_found", "insufficient_credits")
        or failed.poll_errors < POLL_ERRORS_TOLD
    ):
        return failed
    return with_warnings(failed, [f"{record.provider} does not let rushes look at the job: {error.message}"], now)


def poll_due(record: TaskRecord, at: datetime, now: datetime) -> TaskRecord:
    """Note when the next look is due, for `next.after_seconds` and other processes."""
    if record.phase not in ("polling", "watching", "reconciling"):
        return record
    return same_state(record, now, next_poll_at=at)


def timed_out(record: TaskRecord, now: datetime, *, by: datetime | None = None) -> TaskRecord:
    """Past its deadline at several looks in a row. The gateway may still finish, so it is watched for a late result.

    `by` is the time by which the deadline is judged, where the clock that says `now` may have been set meanwhile.
    """
    end = _end(record)
    if end is None or (by or now) < end:
        return record if record.overdue_looks == 0 else noted(record, overdue_looks=0)
    if 0 < record.poll_errors <= POLL_ERRORS_PATIENCE:
        return record
    if record.overdue_looks + 1 < OVERDUE_LOOKS:
        return noted(record, overdue_looks=record.overdue_looks + 1)
    counted = noted(record, overdue_looks=0)
    return _given_up(counted, now) if unfinished(counted) else same_state(counted, now, phase="done")


def _end(record: TaskRecord) -> datetime | None:
    """When looking ends: at the deadline, or for a job given up here some hours after that."""
    if record.phase not in ("polling", "watching", "reconciling"):
        return None
    return record.deadline_at if record.finished_at is None else record.finished_at + WATCH_FOR


def _given_up(record: UnfinishedRecord, now: datetime) -> TaskRecord:
    if record.phase == "reconciling":
        return moved(record, "unknown", "done", now, failure=_list_unreadable(record))
    if record.empty_successes >= EMPTY_SUCCESSES_TOLD:
        return moved(record, "failed", "watching", now, failure=_empty_success(record))
    minutes = max(1, round((record.deadline_at - record.created_at).total_seconds() / 60))
    why = failure("timeout", f"{record.provider} did not finish within {minutes} min.", charged="unknown")
    return moved(record, "failed", "watching", now, failure=why)


def _list_unreadable(record: TaskRecord) -> Failure:
    return failure(
        "outcome_unknown",
        f"The answer to the submission was lost, and {record.provider} never let its list of jobs be read.",
        charged="unknown",
    )
