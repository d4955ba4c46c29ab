"""`view_output`: a small picture of what was made, so that a model sees it without moving the whole file."""

from ..tasks.previews.facts_line import facts_line
from .answers.result import Picture
from .context import ToolContext
from .inputs import ViewOutput


async def view_output(context: ToolContext, arguments: ViewOutput) -> Picture:
    """The picture, and one line of measured facts.

    Raises:
        TaskNotFound, StoreError.
        RequestRefused: there is no such output, or it cannot be shown.
    """
    seen = await context.service.look(
        arguments.task_id, arguments.index, owner=context.owner, at_seconds=arguments.at_seconds
    )
    return Picture(seen.look.jpeg, f"{facts_line(seen.record, arguments.index)} Shown: {seen.look.shows}.")
