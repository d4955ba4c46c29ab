"""What every transition stands on: the edges between states, and the only ways to make the next record.

All of them check names, state and phase again at run time: a caller may have got past the type checker. `checked` is
for what came of a whole transition, whatever it was made with.
"""

from collections.abc import Callable, Iterable, Mapping, Set
from datetime import datetime
from typing import Literal, Unpack, get_args, overload

from ...domain.errors import IllegalTransition
from ...domain.failure import clean_text
from ...domain.job import Plan
from ...domain.money import Quote
from ...domain.record import (
    FINAL,
    Changes,
    FinalState,
    OpenPhase,
    Phase,
    TaskRecord,
    TaskState,
    UnfinishedRecord,
)

Transition = Callable[[TaskRecord], TaskRecord]

NextState = Literal["running"] | FinalState
"""What an unfinished task may become; `queued` is where it begins, and nothing leads back."""

EDGES: Mapping[TaskState, frozenset[TaskState]] = {
    "queued": frozenset({"running", "succeeded", "failed", "cancelled", "unknown"}),
    "running": frozenset({"running", "succeeded", "failed", "cancelled", "unknown"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
    "unknown": frozenset(),
}

WARNINGS_MAX = 20
"""They are part of every answer about the task, and a gateway could write a new one at each look."""

_PHASES: frozenset[str] = frozenset(get_args(Phase))
_OPEN_PHASES: frozenset[str] = frozenset(get_args(OpenPhase))
_CHANGEABLE = Changes.__annotations__.keys()


@overload
def moved(
    record: UnfinishedRecord, state: Literal["running"], phase: OpenPhase, now: datetime, **changes: Unpack[Changes]
) -> TaskRecord: ...
@overload
def moved(
    record: UnfinishedRecord, state: FinalState, phase: Phase, now: datetime, **changes: Unpack[Changes]
) -> TaskRecord: ...
def moved(
    record: UnfinishedRecord, state: NextState, phase: Phase, now: datetime, **changes: Unpack[Changes]
) -> TaskRecord:
    """The record in another state.

    Raises:
        IllegalTransition: no edge leads there, nothing would ever end it, or `changes` names what no step may set.
    """
    _check_edge(record.state, state)
    ended = state in FINAL and record.finished_at is None
    finished_at = now if ended else record.finished_at
    return _copied(record, changes, state=state, updated_at=now, finished_at=finished_at, **_phase(phase))


def reopened(record: TaskRecord, phase: OpenPhase, now: datetime) -> TaskRecord:
    """The record unfinished again, because what had ended it was ignorance of its job.

    Raises:
        IllegalTransition: it ended otherwise.
    """
    ignorant = record.state == "unknown" or (record.failure is not None and record.failure.charged == "unknown")
    if record.final and (record.state not in ("unknown", "failed") or not ignorant):
        raise IllegalTransition(f"{record.state} is not taken back")
    # What a person said of its cost was said of a job that nobody knew.
    unsettled: Changes = {"settlement": None}
    return _copied(record, unsettled, state="running", updated_at=now, finished_at=None, failure=None, **_phase(phase))


def same_state(
    record: TaskRecord, now: datetime, *, phase: Phase | None = None, **changes: Unpack[Changes]
) -> TaskRecord:
    """The record changed, its state left as it is; another phase says what is still to be done.

    Raises:
        IllegalTransition: nothing would ever end it, or `changes` names what no step may set.
    """
    return _copied(record, changes, updated_at=now, **_phase(phase or record.phase))


def leaving(record: TaskRecord, plan: Plan, quote: Quote, deadline_at: datetime, now: datetime) -> TaskRecord:
    """The POST of this plan, at this price, is about to leave: written before it does, so that it is never sent
    twice."""
    return same_state(
        record,
        now,
        phase="submitting",
        provider=plan.provider,
        model=plan.model,
        plan_path=plan.path,
        plan_details=plan.details,
        submitted_at=now,
        deadline_at=deadline_at,
        estimate=quote.estimate,
        measure=quote.measure,
        free=quote.free,
    )


def noted(record: TaskRecord, **changes: Unpack[Changes]) -> TaskRecord:
    """The record with what is counted for later decisions only: not worth a new `updated_at`.

    Raises:
        IllegalTransition: `changes` names what no step may set.
    """
    return _copied(record, changes)


def stored(record: TaskRecord, revision: int) -> TaskRecord:
    """The record as the journal has just written it."""
    return _unchecked(record, {"revision": revision})


def checked(before: TaskRecord, after: TaskRecord, *, reopens: bool) -> TaskRecord:
    """What a transition came to, if it is a step in a task's life: pydantic has ways to copy that take anything.

    Raises:
        IllegalTransition: it is none.
    """
    if after is before:
        return after
    if after.state != before.state and not (reopens and before.final and after.state == "running"):
        _check_edge(before.state, after.state)
    _check_phase(before, after)
    _check_names(vars(after), TaskRecord.model_fields.keys())
    return after


def _phase(phase: Phase) -> dict[str, object]:
    if phase == "done":
        # Its step has ended well, and there is none after it. With a write of its own for that, whoever saw the end
        # would have seen the record change once more.
        return {"phase": phase, "open": False, "deaths_in_step": 0}
    return {"phase": phase, "open": True}


def _copied(record: TaskRecord, changes: Mapping[str, object], **own: object) -> TaskRecord:
    _check_names(changes, _CHANGEABLE)
    after = _unchecked(record, {**changes, **own})
    _check_phase(record, after)
    return after


def _unchecked(record: TaskRecord, changes: Mapping[str, object]) -> TaskRecord:
    # Around the record's own, which takes no changes; pyright takes what it answers with for any value.
    return super(TaskRecord, record).model_copy(update=changes)  # pyright: ignore[reportReturnType]


def _check_edge(before: TaskState, after: str) -> None:
    if after not in EDGES[before]:
        raise IllegalTransition(f"{before} cannot become {after}")


def _check_phase(before: TaskRecord, after: TaskRecord) -> None:
    if (before.state, before.phase) == (after.state, after.phase):
        return
    if after.phase not in _PHASES:
        raise IllegalTransition(f"there is no phase {after.phase}")
    if not after.final and after.phase not in _OPEN_PHASES:
        raise IllegalTransition(f"in phase {after.phase} nothing would end a task that is {after.state}")


def _check_names(given: Mapping[str, object], known: Set[str]) -> None:
    if unknown := given.keys() - known:
        raise IllegalTransition(f"no step sets {', '.join(sorted(unknown))}")


def with_warnings(record: TaskRecord, texts: Iterable[str], now: datetime) -> TaskRecord:
    """Add warnings, each once, bounded in number and length."""
    fresh = [text for raw in texts if (text := clean_text(raw)) and text not in record.warnings]
    if not fresh or len(record.warnings) >= WARNINGS_MAX:
        return record
    return same_state(record, now, warnings=(*record.warnings, *dict.fromkeys(fresh))[:WARNINGS_MAX])
