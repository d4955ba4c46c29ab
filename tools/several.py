"""Several tasks in one call: followed in short rows, or looked at in one grid."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeVar

import anyio
from pydantic import JsonValue

from ..domain.errors import RequestRefused, TaskNotFound
from ..domain.record import TaskRecord
from ..domain.unwrapping import unwrapped
from ..tasks.previews.facts_line import facts_line
from ..tasks.service import Labelled, Service
from .answers.again import seed_of
from .answers.next_step import WAIT_SECONDS, NextStep, next_step
from .answers.result import Picture, ToolResult
from .answers.summary import summary_of
from .arguments.values import wrong
from .context import ToolContext
from .progress import ProgressMeter

CELLS_MAX = 20
"""Pictures in a grid: of more nobody could tell what they show."""

ArgumentsT = TypeVar("ArgumentsT")


def one_or_several(arguments: ArgumentsT, task_id: str | None, task_ids: Sequence[str] | None) -> ArgumentsT:
    """The arguments, if they name one task or a list of tasks.

    Raises:
        PydanticCustomError: they name both, or none.
    """
    if task_id is None and task_ids is None:
        raise wrong("a task_id is required, or task_ids for several")
    if task_id is not None and task_ids is not None:
        raise wrong("give task_id or task_ids, not both")
    return arguments


async def check_several(
    context: ToolContext, task_ids: Sequence[str], *, wait_for: Literal["any", "all"], seconds: float
) -> ToolResult:
    """The tasks in short, once one of them has ended, or all, or the wait is over.

    Raises:
        TaskNotFound: there is none of them.
        StoreError.
    """
    service = await context.opened()
    found, missing = await _found(service, context, task_ids)
    if seconds > 0 and not _enough(found.values(), wait_for):
        found = await _Wait(context, found, wait_for).waited(service, seconds)
    rows: list[JsonValue] = [summary_of(record).model_dump(mode="json", exclude_none=True) for record in found.values()]
    unfinished = [record for record in found.values() if not record.settled]
    document: dict[str, JsonValue] = {"tasks": rows, "unfinished": len(unfinished)}
    if missing:
        document["errors"] = [
            {"task_id": task_id, "reason": "not_found", "message": error.message} for task_id, error in missing.items()
        ]
    if (step := _next(service, [*found.values()], unfinished, wait_for)) is not None:
        document["next"] = step.model_dump(mode="json")
    return ToolResult(document=document)


async def _found(
    service: Service, context: ToolContext, task_ids: Sequence[str]
) -> tuple[dict[str, TaskRecord], dict[str, TaskNotFound]]:
    found: dict[str, TaskRecord] = {}
    missing: dict[str, TaskNotFound] = {}
    for task_id in task_ids:
        try:
            found[task_id] = await service.get(task_id, principal=context.principal)
        except TaskNotFound as error:
            missing[task_id] = error
    if not found:
        raise next(iter(missing.values()))
    return found, missing


def _enough(records: Iterable[TaskRecord], wait_for: str) -> bool:
    ended = [record.settled for record in records]
    return any(ended) if wait_for == "any" else all(ended)


class _Wait:
    """One wait for several tasks; `records` is what is known of them."""

    def __init__(self, context: ToolContext, records: Mapping[str, TaskRecord], wait_for: str) -> None:
        self._context = context
        self._records = dict(records)
        self._wait_for = wait_for
        self._meter = ProgressMeter(context.report_progress)

    async def waited(self, service: Service, seconds: float) -> dict[str, TaskRecord]:
        """The records when enough have ended, or time is up.

        Raises:
            RushesError: as `Service.wait`.
        """
        with unwrapped():
            async with anyio.create_task_group() as group:
                for task_id, record in self._records.items():
                    if not record.settled:
                        group.start_soon(self._follow, service, task_id, seconds, group.cancel_scope)
                group.start_soon(self._tell, seconds)
        return self._records

    async def _follow(self, service: Service, task_id: str, seconds: float, scope: anyio.CancelScope) -> None:
        async def note(record: TaskRecord) -> None:
            self._records[task_id] = record

        record = await service.wait(task_id, seconds=seconds, principal=self._context.principal, report=note)
        await note(record)
        if not record.settled or _enough(self._records.values(), self._wait_for):
            scope.cancel()

    async def _tell(self, seconds: float) -> None:
        with anyio.move_on_after(seconds):
            while True:
                await self._meter.several([*self._records.values()], len(self._records))
                await anyio.sleep(self._context.beat_seconds)


def _next(
    service: Service, records: Sequence[TaskRecord], unfinished: Sequence[TaskRecord], wait_for: str
) -> NextStep | None:
    """Wait for those that have not ended, else look at what they made; a single one is proposed as by itself."""
    if len(unfinished) == 1:
        return next_step(unfinished[0], service.poll_interval_seconds(unfinished[0]))
    if unfinished:
        intervals = [service.poll_interval_seconds(record) or 1.0 for record in unfinished]
        after = min(intervals) if wait_for == "any" else max(intervals)
        ids: list[JsonValue] = [record.task_id for record in unfinished]
        arguments: dict[str, JsonValue] = {"task_ids": ids, "wait_for": wait_for, "wait_seconds": WAIT_SECONDS}
        return NextStep(tool="check_task", arguments=arguments, after_seconds=min(300, max(0, round(after))))
    kept: list[JsonValue] = [record.task_id for record in records if any(output.path for output in record.outputs)]
    return NextStep(tool="view_output", arguments={"task_ids": kept}) if kept else None


async def view_several(
    context: ToolContext, task_ids: Sequence[str], *, index: int | None, at_seconds: float | None
) -> Picture:
    """One picture of many outputs, numbered, each with its seed and model under it; and a line for each.

    Raises:
        TaskNotFound, StoreError.
        RequestRefused: none of them has an output that can be shown.
    """
    service = await context.opened()
    records = [await service.get(task_id, principal=context.principal) for task_id in task_ids]
    wanted = [pair for record in records for pair in _outputs_of(record, index)]
    if not wanted:
        states = ", ".join(f"{record.task_id} is {record.state}" for record in records)
        hint = "Call check_task with these task_ids to wait for them."
        raise RequestRefused("invalid_input", f"There is no output to look at: {states}.", hint=hint)
    shown = wanted[:CELLS_MAX]
    labelled = [
        Labelled(record.task_id, number, _label(place, record)) for place, (record, number) in enumerate(shown, start=1)
    ]
    grid = await service.grid(labelled, principal=context.principal, at_seconds=at_seconds)
    lines = [f"{place + 1}: {_line(*pair, grid.problems.get(place))}" for place, pair in enumerate(shown)]
    lines += _left_out(records, len(wanted) - len(shown))
    return Picture(grid.jpeg, "\n".join(["One grid, numbered from left to right and from top to bottom.", *lines]))


def _outputs_of(record: TaskRecord, index: int | None) -> Iterator[tuple[TaskRecord, int]]:
    for number in range(1, len(record.outputs) + 1):
        if index in (None, number):
            yield record, number


def _label(place: int, record: TaskRecord) -> str:
    seed = seed_of(record)
    return f"{place} · {record.model}" if seed is None else f"{place} · seed {seed} · {record.model}"


def _line(record: TaskRecord, number: int, problem: str | None) -> str:
    seed = seed_of(record)
    drawn = "" if seed is None else f" seed {seed},"
    not_shown = "" if problem is None else f" Not shown: {problem}"
    return f"{drawn} {record.model}. {facts_line(record, number)}{not_shown}".strip()


def _left_out(records: Sequence[TaskRecord], too_many: int) -> Iterator[str]:
    for record in records:
        if not record.outputs:
            yield f"Without an output: task {record.task_id} is {record.state}."
    if too_many:
        yield f"{too_many} more outputs are not shown: at most {CELLS_MAX} are."
