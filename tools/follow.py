"""The tools around tasks that exist: look, list, cancel."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from ..domain.record import TaskRecord, TaskState
from .answers.result import ToolResult
from .answers.summary import TaskList, summary_of
from .answers.task_result import task_result
from .arguments.tool_input import ToolInput
from .arguments.values import KindFilter, Name, TaskId, Text, WaitSeconds, lowered
from .context import ToolContext
from .progress import ProgressMeter
from .spec import ANSWERS, CANCELS, READS, ToolSpec

StateFilter = Annotated[TaskState, BeforeValidator(lowered)]


class CheckTask(ToolInput):
    """Arguments of `check_task`."""

    task_id: TaskId
    wait_seconds: WaitSeconds = Field(0, description="0-45")
    job_id: Text | None = Field(None, description="Of a lost job")


class ListTasks(ToolInput):
    """Arguments of `list_tasks`."""

    state: StateFilter | None = Field(None)
    kind: KindFilter | None = Field(None)
    limit: int = Field(10, ge=1, le=50, description="1-50")
    cursor: Name | None = Field(None)


class CancelTask(ToolInput):
    """Arguments of `cancel_task`."""

    task_id: TaskId
    abandon: bool = Field(False, description="Even if the gateway goes on and may charge")


async def check_task(context: ToolContext, arguments: CheckTask) -> ToolResult:
    """The task as it is, or as it is once it has ended or the wait is over.

    Raises:
        RequestRefused: the job cannot be handed back to it.
        TaskNotFound, StoreError.
    """
    record = await _looked_at(context, arguments)
    return await task_result(context, record)


async def _looked_at(context: ToolContext, arguments: CheckTask) -> TaskRecord:
    service = await context.opened()
    if arguments.job_id is not None:
        attached = await service.attach(arguments.task_id, arguments.job_id, principal=context.principal)
        if not arguments.wait_seconds:
            return attached
    if not arguments.wait_seconds:
        return await service.get(arguments.task_id, principal=context.principal)
    meter = ProgressMeter(context.report_progress)
    return await service.wait(
        arguments.task_id, seconds=arguments.wait_seconds, principal=context.principal, report=meter.task
    )


async def list_tasks(context: ToolContext, arguments: ListTasks) -> ToolResult:
    """Tasks in short, newest first.

    Raises:
        RequestRefused: the cursor is not one of ours.
        StoreError.
    """
    service = await context.opened()
    page = await service.list_tasks(
        principal=context.principal,
        state=arguments.state,
        kind=arguments.kind,
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
    description="See a generation's state, outputs or failure; can wait for its end.",
    input_model=CheckTask,
    call=check_task,
    hints=READS,
    output_schema=ANSWERS,
)
LIST_TASKS = ToolSpec(
    name="list_tasks",
    title="List tasks",
    description="Find earlier generations, newest first.",
    input_model=ListTasks,
    call=list_tasks,
    hints=READS,
    output_schema=ANSWERS,
)
CANCEL_TASK = ToolSpec(
    name="cancel_task",
    title="Cancel task",
    description="Stop a generation, where its gateway can cancel.",
    input_model=CancelTask,
    call=cancel_task,
    hints=CANCELS,
    output_schema=ANSWERS,
)
