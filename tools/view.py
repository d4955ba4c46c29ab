"""`view_output`: a small picture of what was made, so that a model sees it without moving the whole file."""

from typing import Self

from pydantic import Field, model_validator

from ..tasks.previews.facts_line import facts_line
from .answers.result import Picture
from .arguments.tool_input import ToolInput
from .arguments.values import TaskId, TaskIds
from .context import ToolContext
from .several import one_or_several, view_several
from .spec import READS, ToolSpec


class ViewOutput(ToolInput):
    """Arguments of `view_output`."""

    task_id: TaskId | None = Field(None)
    task_ids: TaskIds | None = Field(None, description="One grid")
    index: int | None = Field(None, ge=1, description="From 1")
    at_seconds: float | None = Field(None, description="Video frame")

    @model_validator(mode="after")
    def _names_tasks_once(self) -> Self:
        return one_or_several(self, self.task_id, self.task_ids)


async def view_output(context: ToolContext, arguments: ViewOutput) -> Picture:
    """The picture, and one line of measured facts; or of several one grid, and a line for each.

    Raises:
        TaskNotFound, StoreError.
        RequestRefused: there is no such output, or it cannot be shown.
    """
    if arguments.task_id is None:
        ids = arguments.task_ids or ()
        return await view_several(context, ids, index=arguments.index, at_seconds=arguments.at_seconds)
    service, index = await context.opened(), arguments.index or 1
    seen = await service.glimpse(arguments.task_id, index, principal=context.principal, at_seconds=arguments.at_seconds)
    return Picture(seen.glimpse.jpeg, f"{facts_line(seen.record, index)} Shown: {seen.glimpse.shows}.")


VIEW_OUTPUT = ToolSpec(
    name="view_output",
    title="View output",
    description="See what was made: image, contact sheet, waveform.",
    input_model=ViewOutput,
    call=view_output,
    hints=READS,
    output_schema=None,
)
