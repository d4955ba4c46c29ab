"""`rushes check`, `attach`, `view`, `tasks` and `cancel`: what became of earlier generations."""

import sys
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import anyio
import typer

from ...domain.principal import LOCAL
from ...domain.record import TaskRecord
from ...tasks.service import Service
from ...tools import CANCEL_TASK, LIST_TASKS, TaskList, ToolContext, call_tool, task_result
from .answer import Document, complaints, end, say
from .document_view import view_of
from .leaving import leave
from .opening import opened
from .options import NO_VALUE, AsJson, with_options_of
from .outcome import Exit, exit_of
from .saving import check_target, saved
from .session import run
from .task_ids import meant_task
from .waiting import KEEP_SECONDS, kept_within, until_kept

if TYPE_CHECKING:
    from rich.console import RenderableType

LOOK_SECONDS = 5.0
"""How long one look at the gateway may take."""

TaskId = Annotated[
    str,
    typer.Argument(
        metavar="TASK_ID", show_default=False, help="Its id, a beginning of it that no other has, or `last`."
    ),
]
JobId = Annotated[str, typer.Argument(metavar="JOB_ID", show_default=False)]
Wait = Annotated[
    float | None,
    typer.Option("--wait", metavar="SECONDS", min=0, help="Wait for the end, at most this long; default: one look."),
]
Resume = Annotated[
    bool, typer.Option("--resume", metavar=NO_VALUE, help="Take up a task that was set aside, as processes died of it.")
]
Target = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Put the file here too: a name, or a folder that exists."),
]
Index = Annotated[int, typer.Option("--index", metavar="NUMBER", min=1, help="Which of several files, from 1.")]

Begin = Callable[[Service, str], Awaitable[object]]


def check(
    task_id: TaskId, wait: Wait = None, resume: Resume = False, output: Target = None, as_json: AsJson = False
) -> None:
    """Look at a task, and wait for its end if asked."""

    async def begin(service: Service, meant: str) -> None:
        if resume:
            await service.take_up(meant, principal=LOCAL)

    with complaints(as_json=as_json, about_a_task=True):
        if output is not None:
            check_target(output, None)
        document = run(lambda context: _looked_at(context, task_id, wait, begin))
    _answered(saved(document, output), as_json=as_json)


def attach(task_id: TaskId, job_id: JobId, wait: Wait = None, as_json: AsJson = False) -> None:
    """Hand a task the job that it lost, by the job's id at the gateway."""

    async def begin(service: Service, meant: str) -> None:
        await service.attach(meant, job_id, principal=LOCAL)

    with complaints(as_json=as_json, about_a_task=True):
        document = run(lambda context: _looked_at(context, task_id, wait, begin))
    _answered(document, as_json=as_json)


def view(task_id: TaskId, index: Index = 1, wait: Wait = None, as_json: AsJson = False) -> None:
    """Open what a task made with the program that this machine has for it."""

    with complaints(as_json=as_json, about_a_task=True):
        document = run(lambda context: _looked_at(context, task_id, wait, _nothing))
    path = _path(document, index)
    if path is None:
        _answered(document, as_json=as_json)
    if as_json:
        say(document, as_json=True, view=tuple)
    else:
        typer.echo(str(path))
    if not opened(path):
        sys.stderr.write("No program here opens it: the file is where the line above says.\n")


def _path(document: Document, index: int) -> Path | None:
    outputs = document.get("outputs")
    output = outputs[index - 1] if isinstance(outputs, list) and index <= len(outputs) else None
    path = output.get("path") if isinstance(output, dict) else None
    return Path(path) if isinstance(path, str) else None


def _answered(document: Document, *, as_json: bool) -> NoReturn:
    say(document, as_json=as_json, view=lambda: view_of(document))
    leave(document)


async def _looked_at(context: ToolContext, task_id: str, wait: float | None, begin: Begin) -> Document:
    """The task after a look, or after a wait for its file."""
    from .terminal import ProgressLine

    service = await context.opened()
    meant = await meant_task(service, task_id)
    await begin(service, meant)
    with ProgressLine("looking") as line:
        if wait is None:
            record = await look_once(service, meant)
        else:
            record = await until_kept(service, meant, wait, line.follow)
    return (await task_result(context, record)).document


async def look_once(service: Service, task_id: str) -> TaskRecord:
    """The record after the next look at the gateway, or as it is after `LOOK_SECONDS`; where that look finds the end,
    once the file is on disk.

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
    return await kept_within(service, seen, KEEP_SECONDS) if seen.state == "succeeded" else seen


def _tasks(typed: dict[str, object], as_json: AsJson = False) -> None:
    """List tasks, newest first."""

    async def work(context: ToolContext) -> Document:
        return (await call_tool(LIST_TASKS, context, typed)).document

    with complaints(as_json=as_json):
        document = run(work)
    end(document, as_json=as_json, view=lambda: _list_view(document))


def _list_view(document: Document) -> "Iterable[RenderableType]":
    from rich.text import Text

    from .tasks_view import TasksTable

    if "tasks" not in document:
        return view_of(document)
    listed = TaskList.model_validate(document)
    if not listed.tasks:
        return [Text("No tasks. Make one: rushes generate image 'a lighthouse in a storm'")]
    table = TasksTable(listed.tasks, datetime.now(UTC))
    more = [Text(f"More: rushes tasks --cursor {listed.next_cursor}", "dim")] if listed.next_cursor else []
    return [table, *more]


def _cancel(typed: dict[str, object], wait: Wait = None, as_json: AsJson = False) -> None:
    """Cancel a task at its gateway, where that is possible."""

    async def work(context: ToolContext) -> Document:
        service = await context.opened()
        meant = await meant_task(service, str(typed["task_id"]))
        document = (await call_tool(CANCEL_TASK, context, {**typed, "task_id": meant})).document
        if wait is None or exit_of(document) is not Exit.RUNNING:
            return document
        return await _looked_at(context, meant, wait, _nothing)

    with complaints(as_json=as_json, about_a_task=True):
        document = run(work)
    say(document, as_json=as_json, view=lambda: view_of(document))
    if document.get("state") == "cancelled":
        raise typer.Exit(Exit.DONE)
    leave(document)


async def _nothing(service: Service, task_id: str) -> None:
    """Nothing is to be done before the look."""


tasks = with_options_of(LIST_TASKS.input_model, _tasks)
cancel = with_options_of(CANCEL_TASK.input_model, _cancel, argument="task_id")
