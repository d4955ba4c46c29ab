"""What to do next: the tool call that a result proposes; pure."""

import math
from typing import Annotated

from pydantic import Field, JsonValue

from ...domain.record import TaskRecord
from ...domain.request import Kind
from ...domain.value import Value

WAIT_SECONDS = 30
"""The wait proposed for `check_task`: shorter than every host's time limit for a call that was measured."""

DEFAULT_INTERVAL_SECONDS = 5.0
INTERVAL_SECONDS_MAX = 300.0

KEEP_AGAIN_SECONDS = 30.0
"""After an output met an obstacle on its way to disk."""


ONCE_MORE_SECONDS = 60
"""Before the same is asked of a gateway that just refused or failed."""


class NextStep(Value):
    """A tool call worth making, and after how many seconds; at once where none are told."""

    tool: str
    arguments: dict[str, JsonValue]
    after_seconds: Annotated[int, Field(exclude_if=lambda seconds: seconds == 0)] = 0


def next_step(record: TaskRecord, poll_interval_seconds: float | None) -> NextStep | None:
    """Look again at what is unfinished or not kept yet; see what was made; look up what a gateway lacks."""
    if record.set_aside_at is not None:
        return None
    if not record.final:
        interval = DEFAULT_INTERVAL_SECONDS if poll_interval_seconds is None else poll_interval_seconds
        return check_again(record.task_id, interval)
    if not record.settled:
        return check_again(record.task_id, 1)
    if record.failure is not None:
        return cure(record.failure.reason, record.kind) or _agreed(record) or _once_more(record)
    if any(output.pending for output in record.outputs):
        return check_again(record.task_id, KEEP_AGAIN_SECONDS)
    kept = (number for number, output in enumerate(record.outputs, start=1) if output.path)
    return look_at(record.task_id, first) if (first := next(kept, None)) else None


def _agreed(record: TaskRecord) -> NextStep | None:
    """The same again, at a price that nobody had agreed to when it was about to be sent."""
    told, estimate = record.failure, record.estimate
    if told is None or told.reason != "confirmation_needed" or estimate is None:
        return None
    arguments: dict[str, JsonValue] = {"from_task": record.task_id, "max_cost": float(estimate.amount)}
    return NextStep(tool=f"generate_{record.kind}", arguments=arguments)


def _once_more(record: TaskRecord) -> NextStep | None:
    """The same again after a failure that costs nothing and may pass, but not after a cancel, which was wanted."""
    told = record.failure
    if told is None or not told.retry_safe or told.reason == "cancelled":
        return None
    return NextStep(
        tool=f"generate_{record.kind}", arguments={"from_task": record.task_id}, after_seconds=ONCE_MORE_SECONDS
    )


def check_again(task_id: str, after_seconds: float) -> NextStep:
    arguments: dict[str, JsonValue] = {"task_id": task_id, "wait_seconds": WAIT_SECONDS}
    bounded = min(max(after_seconds, 0), INTERVAL_SECONDS_MAX)
    return NextStep(tool="check_task", arguments=arguments, after_seconds=math.ceil(bounded))


def look_at(task_id: str, index: int) -> NextStep:
    arguments: dict[str, JsonValue] = {"task_id": task_id}
    return NextStep(tool="view_output", arguments=arguments if index == 1 else {**arguments, "index": index})


def cure(reason: str, kind: Kind | None) -> NextStep | None:
    """The call that helps against a failure, where one tool does."""
    if reason != "unsupported":
        return None
    return NextStep(tool="list_models", arguments={"kind": kind} if kind else {})
