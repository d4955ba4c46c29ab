"""Events: what one write of a task's record says has happened, told by comparing it with the record before.

Nobody else has to know which step wrote what: logs, waiters, metrics and the crash tests all read the same account.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from .errors import Charged
from .failure import Failure
from .job import Cost
from .record import Output, TaskRecord


@dataclass(frozen=True)
class Submitted:
    """The task is journaled, and its one POST is about to leave for this provider."""

    provider: str
    model: str


@dataclass(frozen=True)
class Restored:
    """The store had lost the task; it is back with what was known of it elsewhere."""

    provider: str


@dataclass(frozen=True)
class TakenOver:
    """Another process works on it from now on."""

    worker: str | None


@dataclass(frozen=True)
class AwaitsInputs:
    """It is journaled, and waits, unsent, for outputs of these tasks."""

    parents: tuple[str, ...]


@dataclass(frozen=True)
class Held:
    """It waits, unsent, until its gateway takes requests again."""

    provider: str
    until: datetime
    why: str


@dataclass(frozen=True)
class Refused:
    """A gateway definitely refused it; nothing was charged."""

    provider: str
    failure: Failure


@dataclass(frozen=True)
class Accepted:
    """The job is known from now on."""

    provider: str
    job_id: str
    searched: bool
    """The answer to the POST was lost, and the job was searched for."""


@dataclass(frozen=True)
class GivenBack:
    """The job was not this task's after all."""

    provider: str
    job_id: str


@dataclass(frozen=True)
class Lost:
    """The answer to the POST was lost: the gateway may have the job, and may charge for it."""

    provider: str


@dataclass(frozen=True)
class Looked:
    """The gateway showed the job."""

    polls: int


@dataclass(frozen=True)
class Running:
    """The job has begun."""


@dataclass(frozen=True)
class Succeeded:
    """The state is final: the gateway has produced something."""

    outputs: int


@dataclass(frozen=True)
class Failed:
    """The state is final: there is no output in time."""

    failure: Failure | None


@dataclass(frozen=True)
class Cancelled:
    """The state is final: cancelled, by the gateway or only here."""

    failure: Failure | None


@dataclass(frozen=True)
class Unknown:
    """The state is final: nobody knows what became of the submission."""

    failure: Failure | None


@dataclass(frozen=True)
class Reopened:
    """The task had ended for lack of its job, and goes on with it."""


@dataclass(frozen=True)
class CancelAsked:
    """A person or agent wants it cancelled."""


@dataclass(frozen=True)
class ChargeTold:
    """What is known of the money has changed after the task had failed."""

    charged: Charged


@dataclass(frozen=True)
class CostTold:
    """The gateway told what it charged."""

    cost: Cost


@dataclass(frozen=True)
class OutputsOffered:
    """The gateway is done, and so many outputs are still to be downloaded."""

    pending: int


@dataclass(frozen=True)
class OutputKept:
    """An output, counted from 0, has its local file."""

    index: int
    path: str | None


@dataclass(frozen=True)
class OutputNotKept:
    """An attempt to keep an output, counted from 0, failed."""

    index: int
    problem: str | None
    given_up: bool


@dataclass(frozen=True)
class Warned:
    """Something more is to be said to the agent."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class SetAside:
    """Processes died of it: none goes on with it by itself."""


@dataclass(frozen=True)
class Done:
    """rushes has nothing more to do for it."""


Event = (
    Submitted
    | Restored
    | TakenOver
    | AwaitsInputs
    | Held
    | Refused
    | Accepted
    | GivenBack
    | Lost
    | Looked
    | Running
    | Succeeded
    | Failed
    | Cancelled
    | Unknown
    | Reopened
    | CancelAsked
    | ChargeTold
    | CostTold
    | OutputsOffered
    | OutputKept
    | OutputNotKept
    | Warned
    | SetAside
    | Done
)


def events_between(before: TaskRecord | None, after: TaskRecord) -> tuple[Event, ...]:
    """What happened from one record of a task to its next; `None` before the first.

    In the order in which it happened; a write that only counts or plans makes no events.
    """
    if before is None:
        if after.phase == "waiting":
            return (AwaitsInputs(after.parents),)
        submitting = after.phase == "submitting"
        return (Submitted(after.provider, after.model) if submitting else Restored(after.provider),)
    return (
        *_of_submission(before, after),
        *_of_job(before, after),
        *_of_outputs(before, after),
        *_of_end(before, after),
    )


def _of_submission(before: TaskRecord, after: TaskRecord) -> Iterator[Event]:
    if before.worker != after.worker:
        yield TakenOver(after.worker)
    for attempt in after.tried[len(before.tried) :]:
        yield Refused(attempt.provider, attempt.failure)
    if after.phase == "submitting" and (before.phase in ("waiting", "held") or len(after.tried) > len(before.tried)):
        yield Submitted(after.provider, after.model)
    if after.phase == "held" != before.phase and after.hold is not None:
        yield Held(after.provider, after.hold.until, after.hold.why)
    if before.phase == "submitting":
        why = after.failure
        if after.state == "failed" != before.state and after.job is None and why is not None and why.charged == "no":
            yield Refused(after.provider, why)
        if after.phase == "reconciling" or after.state == "unknown":
            yield Lost(after.provider)


def _of_job(before: TaskRecord, after: TaskRecord) -> Iterator[Event]:
    had, has = _job_id(before), _job_id(after)
    if had != has:
        if had is not None:
            yield GivenBack(before.provider, had)
        if has is not None:
            yield Accepted(after.provider, has, searched=before.phase == "reconciling")
    if before.cancel_requested_at is None and after.cancel_requested_at is not None:
        yield CancelAsked()
    if before.polls != after.polls:
        yield Looked(after.polls)
    if after.cost is not None and before.cost != after.cost:
        yield CostTold(after.cost)


def _of_outputs(before: TaskRecord, after: TaskRecord) -> Iterator[Event]:
    if after.phase == "keeping" != before.phase:
        yield OutputsOffered(sum(output.pending for output in after.outputs))
    if before.outputs == after.outputs:
        return
    for index, output in enumerate(after.outputs):
        earlier = before.outputs[index] if index < len(before.outputs) else Output()
        if output.keeping.status == "kept" != earlier.keeping.status:
            yield OutputKept(index, output.path)
        elif output.keeping.attempts > earlier.keeping.attempts:
            yield OutputNotKept(index, output.keeping.problem, given_up=output.keeping.status == "failed")


def _of_end(before: TaskRecord, after: TaskRecord) -> Iterator[Event]:
    if before.state != after.state:
        yield Reopened() if before.final else _of_state(after)
    elif before.failure is not None and after.failure is not None and before.failure.charged != after.failure.charged:
        yield ChargeTold(after.failure.charged)
    if fresh := tuple(text for text in after.warnings if text not in before.warnings):
        yield Warned(fresh)
    if before.set_aside_at is None and after.set_aside_at is not None:
        yield SetAside()
    if after.phase == "done" != before.phase:
        yield Done()


def _of_state(after: TaskRecord) -> Event:
    match after.state:
        case "queued" | "running":
            return Running()
        case "succeeded":
            return Succeeded(len(after.outputs))
        case "failed":
            return Failed(after.failure)
        case "cancelled":
            return Cancelled(after.failure)
        case "unknown":
            return Unknown(after.failure)


def _job_id(record: TaskRecord) -> str | None:
    return None if record.job is None else record.job.job_id
