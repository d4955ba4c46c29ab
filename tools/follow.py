"""The tools around tasks that exist: look, list, cancel."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ..domain.record import TaskRecord, TaskState
from .answers.again import TEXT_CHARACTERS
from .answers.result import ToolResult
from .answers.summary import TaskList, summary_of
from .answers.task import Origin
from .answers.task_result import task_result
from .arguments.moments import moment
from .arguments.tool_input import ToolInput
from .arguments.values import KindFilter, Name, TaskId, TaskIds, Text, WaitSeconds, lowered, wrong
from .context import ToolContext
from .progress import ProgressMeter
from .several import check_several, one_or_several
from .spec import ANSWERS, CANCELS, READS, ToolSpec

WaitFor = Annotated[Literal["any", "all"], BeforeValidator(lowered)]
StateFilter = Annotated[TaskState, BeforeValidator(lowered)]


class CheckTask(ToolInput):
    """Arguments of `check_task`."""

    task_id: TaskId | None = Field(None)
    task_ids: TaskIds | None = Field(None)
    wait_for: WaitFor = Field("all")
    wait_seconds: WaitSeconds = Field(0, description="0-45")
    job_id: Text | None = Field(None, description="Of a lost job")
    text_characters: int = Field(TEXT_CHARACTERS, ge=0)

    @model_validator(mode="after")
    def _names_tasks_once(self) -> Self:
        return one_or_several(self, self.task_id, self.task_ids)

    @model_validator(mode="after")
    def _hands_back_to_one(self) -> Self:
        if self.job_id is not None and self.task_id is None:
            raise wrong("the job_id needs task_id: the one task that lost it")
        return self


class ListTasks(ToolInput):
    """Arguments of `list_tasks`."""

    state: StateFilter | None = Field(None)
    kind: KindFilter | None = Field(None)
    query: Name | None = Field(None)
    since: Text | None = Field(None, description="2026-11-20, 7d")
    until: Text | None = Field(None)
    limit: int = Field(10, ge=1, le=50, description="1-50")
    cursor: Name | None = Field(None)

    @field_validator("since", "until")
    @classmethod
    def _is_a_moment(cls, text: str | None) -> str | None:
        if text is not None:
            moment(text, datetime.now(UTC), end=False)
        return text


class CancelTask(ToolInput):
    """Arguments of `cancel_task`."""

    task_id: TaskId
    abandon: bool = Field(False, description="May still charge")


async def check_task(context: ToolContext, arguments: CheckTask) -> ToolResult:
    """The task as it is, or as it is once it has ended or the wait is over; or several, in short.

    Raises:
        RequestRefused: the job cannot be handed back to it.
        TaskNotFound, StoreError.
    """
    if arguments.task_id is None:
        ids = arguments.task_ids or ()
        return await check_several(context, ids, wait_for=arguments.wait_for, seconds=arguments.wait_seconds)
    record = await _looked_at(context, arguments, arguments.task_id)
    service = await context.opened()
    origin = Origin(await service.lineage(record), arguments.text_characters)
    return await task_result(context, record, origin=origin)


async def _looked_at(context: ToolContext, arguments: CheckTask, task_id: str) -> TaskRecord:
    service = await context.opened()
    if arguments.job_id is not None:
        attached = await service.attach(task_id, arguments.job_id, principal=context.principal)
        if not arguments.wait_seconds:
            return attached
    if not arguments.wait_seconds:
        return await service.get(task_id, principal=context.principal)
    meter = ProgressMeter(context.report_progress)
    return await service.wait(task_id, seconds=arguments.wait_seconds, principal=context.principal, report=meter.task)


async def list_tasks(context: ToolContext, arguments: ListTasks) -> ToolResult:
    """Tasks in short, newest first.

    Raises:
        RequestRefused: the cursor is not one of ours.
        StoreError.
    """
    service = await context.opened()
    now = datetime.now(UTC)
    page = await service.list_tasks(
        principal=context.principal,
        state=arguments.state,
        kind=arguments.kind,
        query=arguments.query,
        since=None if arguments.since is None else moment(arguments.since, now, end=False),
        until=None if arguments.until is None else moment(arguments.until, now, end=True),
        limit=arguments.limit,
        cursor=arguments.cursor,
    )
    shown = TaskList(tasks=tuple(summary_of(record) for record in page.records), next_cursor=page.next_cursor)
    return ToolResult(document=shown.model_dump(mode="json", exclude_none=True))


async def cancel_task(context: ToolContext, arguments: CancelTask) -> ToolResult:
    """Cancel at the gateway where it can be cancelled; with `abandon` here in any case.

    Raises:
        TaskNotFound, StoreError.
    """
    service = await context.opened()
    before = await service.get(arguments.task_id, principal=context.principal)
    record = await service.cancel(arguments.task_id, principal=context.principal, abandon=arguments.abandon)
    said = (f"Nothing was cancelled: the task had ended before ({before.state}).",) if before.final else ()
    return await task_result(context, record, said=said)


CHECK_TASK = ToolSpec(
    name="check_task",
    title="Check task",
    description="A generation's state, outputs or failure; can wait.",
    input_model=CheckTask,
    call=check_task,
    hints=READS,
    output_schema=ANSWERS,
)
LIST_TASKS = ToolSpec(
    name="list_tasks",
    title="List tasks",
    description="Earlier generations, newest first.",
    input_model=ListTasks,
    call=list_tasks,
    hints=READS,
    output_schema=ANSWERS,
)
CANCEL_TASK = ToolSpec(
    name="cancel_task",
    title="Cancel task",
    description="Stop a generation, if its gateway can.",
    input_model=CancelTask,
    call=cancel_task,
    hints=CANCELS,
    output_schema=ANSWERS,
)
