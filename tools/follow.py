"""The tools around tasks that exist: look, list, cancel."""

from ..domain.record import TaskRecord
from .answers.result import ToolResult
from .answers.summary import TaskList, summary_of
from .context import ToolContext
from .generate import task_result
from .inputs import CancelTask, CheckTask, ListTasks
from .progress import ProgressMeter


async def check_task(context: ToolContext, arguments: CheckTask) -> ToolResult:
    """The task as it is, or as it is once it has ended or the wait is over.

    Raises:
        RequestRefused: the job cannot be handed back to it.
        TaskNotFound, StoreError.
    """
    record = await _looked_at(context, arguments)
    return task_result(context, record)


async def _looked_at(context: ToolContext, arguments: CheckTask) -> TaskRecord:
    if arguments.job_id is not None:
        attached = await context.service.attach(arguments.task_id, arguments.job_id, owner=context.owner)
        if not arguments.wait_seconds:
            return attached
    if not arguments.wait_seconds:
        return await context.service.get(arguments.task_id, owner=context.owner)
    meter = ProgressMeter(context.report_progress)
    return await context.service.wait(
        arguments.task_id, seconds=arguments.wait_seconds, owner=context.owner, report=meter.task
    )


async def list_tasks(context: ToolContext, arguments: ListTasks) -> ToolResult:
    """Tasks in short, newest first.

    Raises:
        RequestRefused: the cursor is not one of ours.
        StoreError.
    """
    page = await context.service.list_tasks(
        owner=context.owner,
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
    record = await context.service.cancel(arguments.task_id, owner=context.owner, abandon=arguments.abandon)
    return task_result(context, record)
