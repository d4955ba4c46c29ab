"""A task's record as the answer of a tool."""

from collections.abc import Sequence

from ...domain.record import TaskRecord
from ..context import ToolContext
from .links import output_links
from .result import ToolResult
from .task import Origin, task_of


async def task_result(
    context: ToolContext,
    record: TaskRecord,
    *,
    deduplicated: bool = False,
    failure_is_error: bool = False,
    whole: bool = False,
    said: Sequence[str] = (),
    origin: Origin | None = None,
) -> ToolResult:
    """The task as a tool's answer. It is an error only where the call itself was to generate.

    With `whole` nothing is left out for being long: for the task's resource. `said` is what the call has to tell
    beside the task, as warnings; with `origin` it says where it comes from.
    """
    service = await context.opened()
    interval = service.poll_interval_seconds(record)
    task = task_of(
        record,
        deduplicated=deduplicated,
        poll_interval_seconds=interval,
        whole=whole,
        said=said,
        tells_choice=failure_is_error,
        origin=origin,
    )
    return ToolResult(
        document=task.document(),
        is_error=failure_is_error and record.state in {"failed", "unknown"},
        links=output_links(record, local_files=context.local_files),
        said=tuple(said),
    )
