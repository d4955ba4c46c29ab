"""`view_output`: a small picture of what was made, so that a model sees it without moving the whole file."""

from pydantic import Field

from ..tasks.previews.facts_line import facts_line
from .answers.result import Picture
from .arguments.tool_input import ToolInput
from .arguments.values import TaskId
from .context import ToolContext
from .spec import READS, ToolSpec


class ViewOutput(ToolInput):
    """Arguments of `view_output`."""

    task_id: TaskId
    index: int = Field(1, ge=1, description="From 1")
    at_seconds: float | None = Field(None, description="One frame of a video")


async def view_output(context: ToolContext, arguments: ViewOutput) -> Picture:
    """The picture, and one line of measured facts.

    Raises:
        TaskNotFound, StoreError.
        RequestRefused: there is no such output, or it cannot be shown.
    """
    service = await context.opened()
    seen = await service.look(
        arguments.task_id, arguments.index, principal=context.principal, at_seconds=arguments.at_seconds
    )
    return Picture(seen.look.jpeg, f"{facts_line(seen.record, arguments.index)} Shown: {seen.look.shows}.")


VIEW_OUTPUT = ToolSpec(
    name="view_output",
    title="View output",
    description="See what was made: an image, a video's contact sheet, a sound's waveform.",
    input_model=ViewOutput,
    call=view_output,
    hints=READS,
    output_schema=None,
)
