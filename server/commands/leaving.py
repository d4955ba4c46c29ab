"""How a command ends that generated or looked: with the exit code of what is known, and with somebody who follows what
is not finished."""

import sys
from collections.abc import Iterator, Mapping
from typing import NoReturn

import typer
from pydantic import JsonValue

from .answer import Document
from .outcome import Exit, exit_of, keeping_words, worst


def leave(document: Document, *, stopped: bool = False) -> NoReturn:
    """Leave a keeper with what is unfinished, say so, and end with the answer's exit code.

    Args:
        document: A task as tools answer, or `{"tasks": […]}`.
        stopped: Whether somebody ended the command before its time.
    """
    code = code_of(document)
    unfinished = [task for task in tasks_in(document) if task.get("task_id") and exit_of(task) is Exit.RUNNING]
    followed = [task for task in unfinished if not _is_lost(task)]
    if followed:
        from ..preparation import prepared_settings

        sys.stderr.write("".join(f"{line}\n" for line in _said(followed, prepared_settings().keeper, stopped=stopped)))
        sys.stderr.flush()
    raise typer.Exit(code)


def _said(unfinished: list[Mapping[str, JsonValue]], keeper: bool, *, stopped: bool) -> Iterator[str]:
    sent = all(task.get("job") for task in unfinished)
    where = "goes on at its gateway" if sent else "is not sent yet, and is when rushes runs again"
    which = "The task" if len(unfinished) == 1 else f"Each of the {len(unfinished)} tasks"
    if stopped:
        yield f"\nStopped waiting. {which} {where}. Look again:"
        yield from (f"  rushes check {task['task_id']} --wait 60" for task in unfinished)
    if keeper:
        from .keeper import leave_keeper

        process = leave_keeper()
        if process is not None:
            yield f"A process of rushes stays behind ({process}), follows it and keeps the file, and then ends."
            return
    yield (
        "Nobody looks after it until some rushes runs again, and results expire: run `rushes check` before long, "
        "or leave `rushes serve` running."
    )


def _is_lost(task: Mapping[str, JsonValue]) -> bool:
    """Whether nothing more comes of a task that ended, so that nobody need follow it."""
    return task.get("state") == "succeeded" and "keeping" not in keeping_words(task)


def code_of(document: Document) -> Exit:
    """The exit code of one task or several."""
    return worst(exit_of(task) for task in tasks_in(document))


def tasks_in(document: Document) -> list[Mapping[str, JsonValue]]:
    """The tasks of an answer: itself, or those that it lists."""
    tasks = document.get("tasks")
    if isinstance(tasks, list):
        return [task for task in tasks if isinstance(task, dict)]
    return [document]
