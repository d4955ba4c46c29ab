"""What every transition stands on: the steps that a state may take, and the two ways to make the next record."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from ...domain.failure import clean_text
from ...domain.record import FINAL, Phase, TaskRecord, TaskState

Transition = Callable[[TaskRecord], TaskRecord]

STEPS: Mapping[TaskState, frozenset[TaskState]] = {
    "queued": frozenset({"queued", "running", "succeeded", "failed", "cancelled", "unknown"}),
    "running": frozenset({"running", "succeeded", "failed", "cancelled", "unknown"}),
    "succeeded": frozenset({"succeeded"}),
    "failed": frozenset({"failed"}),
    "cancelled": frozenset({"cancelled"}),
    "unknown": frozenset({"unknown"}),
}

WARNINGS_MAX = 20


class IllegalTransition(AssertionError):
    """A fault in rushes: a step that a task's life does not have."""


def moved(record: TaskRecord, state: TaskState, phase: Phase, now: datetime, **changes: object) -> TaskRecord:
    if state not in STEPS[record.state]:
        raise IllegalTransition(f"{record.state} cannot become {state}")
    ended = state in FINAL and record.finished_at is None
    return record.model_copy(
        update={
            **changes,
            "state": state,
            "phase": phase,
            "open": phase != "done",
            "updated_at": now,
            "finished_at": now if ended else record.finished_at,
        }
    )


def same_state(record: TaskRecord, now: datetime, **changes: object) -> TaskRecord:
    phase = changes.pop("phase", record.phase)
    return record.model_copy(update={**changes, "phase": phase, "open": phase != "done", "updated_at": now})


def with_warnings(record: TaskRecord, texts: Iterable[str], now: datetime) -> TaskRecord:
    """Add warnings, each once, bounded in number and length."""
    fresh = [text for raw in texts if (text := clean_text(raw, 300)) and text not in record.warnings]
    if not fresh or len(record.warnings) >= WARNINGS_MAX:
        return record
    return same_state(record, now, warnings=(*record.warnings, *dict.fromkeys(fresh))[:WARNINGS_MAX])
