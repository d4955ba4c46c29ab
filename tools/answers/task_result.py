"""A task's record as the answer of a tool."""

from ...domain.record import TaskRecord
from ..context import ToolContext
from .links import output_links
from .result import ToolResult
from .task import task_of


async def task_result(
    context: ToolContext,
    record: TaskRecord,
    *,
    deduplicated: bool = False,
    failure_is_error: bool = False,
    whole: bool = False,
) -> ToolResult:
    """The task as a tool's answer. It is an error only where the call itself was to generate.

    With `whole` nothing is left out for being long: for the task's resource.
    """
    service = await context.opened()
    interval = service.poll_interval_seconds(record)
    task = task_of(record, deduplicated=deduplicated, poll_interval_seconds=interval, whole=whole)
    return ToolResult(
        document=task.model_dump(mode="json"),
        is_error=failure_is_error and record.state in {"failed", "unknown"},
        links=output_links(record, local_files=context.local_files),
    )
