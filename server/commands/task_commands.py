"""`rushes check`, `rushes attach`, `rushes tasks` and `rushes cancel`: what became of earlier generations."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from ...domain.principal import LOCAL
from ...domain.record import TaskRecord
from ...tasks.service import Service
from ...tools import CANCEL_TASK, LIST_TASKS, TaskList, ToolContext, call_tool, task_result
from .answer import Document, complaints, end, say
from .generate_command import view_of
from .options import NO_VALUE, AsJson, with_options_of
from .outcome import Exit, exit_of
from .session import run

if TYPE_CHECKING:
    from rich.console import RenderableType

LOOK_SECONDS = 5.0
"""How long one look at the gateway may take."""

TaskId = Annotated[str, typer.Argument(metavar="TASK_ID", show_default=False)]
JobId = Annotated[str, typer.Argument(metavar="JOB_ID", show_default=False)]
Wait = Annotated[
    float | None,
    typer.Option("--wait", metavar="SECONDS", min=0, help="Wait for the end, at most this long; default: one look."),
]


Resume = Annotated[
    bool, typer.Option("--resume", metavar=NO_VALUE, help="Take up a task that was set aside, as processes died of it.")
]


def check(task_id: TaskId, wait: Wait = None, resume: Resume = False, as_json: AsJson = False) -> None:
    """Look at a task, and wait for its end if asked."""

    async def work(context: ToolContext) -> Document:
        from .terminal import ProgressLine

        service = await context.opened()
        if resume:
            await service.take_up(task_id, principal=LOCAL)
        with ProgressLine("looking") as line:
            if wait is None:
                record = await look_once(service, task_id)
            else:
                record = await service.wait(task_id, seconds=wait, report=line.follow, principal=LOCAL)
        return (await task_result(context, record)).document

    with complaints(as_json=as_json, about_a_task=True):
        document = run(work)
    end(document, as_json=as_json, view=lambda: view_of(document))


def attach(task_id: TaskId, job_id: JobId, as_json: AsJson = False) -> None:
    """Hand a task the job that it lost, by the job's id at the gateway."""

    async def work(context: ToolContext) -> Document:
        service = await context.opened()
        record = await service.attach(task_id, job_id, principal=LOCAL)
        return (await task_result(context, await look_once(service, record.task_id))).document

    with complaints(as_json=as_json, about_a_task=True):
        document = run(work)
    end(document, as_json=as_json, view=lambda: view_of(document))


async def look_once(service: Service, task_id: str) -> TaskRecord:
    """The record after the next look at the gateway, or as it is after `LOOK_SECONDS`.

    Raises:
        TaskNotFound, StoreError.
    """
    before = seen = await service.get(task_id, principal=LOCAL)
    with anyio.CancelScope() as looking:

        async def note(record: TaskRecord) -> None:
            nonlocal seen
            seen = record
            if record.polls > before.polls:
                looking.cancel()

        seen = await service.wait(task_id, seconds=LOOK_SECONDS, report=note, principal=LOCAL)
    return seen


def _tasks(typed: dict[str, object], as_json: AsJson = False) -> None:
    """List tasks, newest first."""

    async def work(context: ToolContext) -> Document:
        return (await call_tool(LIST_TASKS, context, typed)).document

    with complaints(as_json=as_json):
        document = run(work)
    end(document, as_json=as_json, view=lambda: _list_view(document))


def _list_view(document: Document) -> "Iterable[RenderableType]":
    from rich.text import Text

    from .task_view import tasks_table

    if "tasks" not in document:
        return view_of(document)
    listed = TaskList.model_validate(document)
    if not listed.tasks:
        return [Text("No tasks. Make one: rushes generate image 'a lighthouse in a storm'")]
    table = tasks_table(listed.tasks, datetime.now(UTC))
    more = [Text(f"More: rushes tasks --cursor {listed.next_cursor}", "dim")] if listed.next_cursor else []
    return [table, *more]


def _cancel(typed: dict[str, object], as_json: AsJson = False) -> None:
    """Cancel a task at its gateway, where that is possible."""

    async def work(context: ToolContext) -> Document:
        return (await call_tool(CANCEL_TASK, context, typed)).document

    with complaints(as_json=as_json, about_a_task=True):
        document = run(work)
    say(document, as_json=as_json, view=lambda: view_of(document))
    raise typer.Exit(Exit.DONE if document.get("state") == "cancelled" else exit_of(document))


tasks = with_options_of(LIST_TASKS.input_model, _tasks)
cancel = with_options_of(CANCEL_TASK.input_model, _cancel, argument="task_id")
