"""`view_output`: a small picture of what was made, so that a model sees it without moving the whole file."""

from functools import partial

import anyio.to_thread

from ..domain.errors import RequestRefused
from ..domain.record import TaskRecord
from ..tasks.previews.facts_line import facts_line
from ..tasks.previews.preview import look
from .context import ToolContext
from .inputs import ViewOutput
from .result import Picture


async def view_output(context: ToolContext, arguments: ViewOutput) -> Picture:
    """The picture, and one line of measured facts.

    Raises:
        TaskNotFound, StoreError.
        RequestRefused: there is no such output, or it cannot be shown.
    """
    record = await context.service.get(arguments.task_id, owner=context.owner)
    check_index(record, arguments.index)
    output = record.outputs[arguments.index - 1]
    seen = await anyio.to_thread.run_sync(
        partial(look, output, arguments.at_seconds), abandon_on_cancel=True, limiter=context.looks
    )
    return Picture(seen.jpeg, f"{facts_line(record, arguments.index)} Shown: {seen.shows}.")


def check_index(record: TaskRecord, index: int) -> None:
    """See that the task has this output, counted from 1.

    Raises:
        RequestRefused: it has not.
    """
    count = len(record.outputs)
    if not count:
        hint = "Call check_task to see why." if record.final else "Call check_task to wait for it."
        raise RequestRefused("invalid_input", f"Task {record.task_id} is {record.state} and has no output.", hint=hint)
    if index > count:
        has = "1 output" if count == 1 else f"{count} outputs"
        raise RequestRefused("invalid_input", f"Task {record.task_id} has {has}, counted from 1; there is no {index}.")
