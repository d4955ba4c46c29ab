"""How a command ends that generated or looked: with the exit code of what is known, and with somebody who follows what
is not finished."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
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

        settings = prepared_settings()
        lines = [*_said(followed, settings.cache_dir if settings.keeper else None, stopped=stopped)]
        # A terminal that was closed takes nothing, and the keeper is at work by now.
        with suppress(OSError, ValueError):
            sys.stderr.write("".join(f"{line}\n" for line in lines))
            sys.stderr.flush()
    raise typer.Exit(code)


def _said(unfinished: list[Mapping[str, JsonValue]], keeping: Path | None, *, stopped: bool) -> Iterator[str]:
    sent = all(task.get("job") for task in unfinished)
    where = "goes on at its gateway" if sent else "is not sent yet, and is when rushes runs again"
    which = "The task" if len(unfinished) == 1 else f"Each of the {len(unfinished)} tasks"
    if stopped:
        yield f"\nStopped waiting. {which} {where}. Look again:"
        yield from (f"  rushes check {task['task_id']} --wait 60" for task in unfinished)
    them, files = ("it", "the file") if len(unfinished) == 1 else ("them", "the files")
    if keeping is not None:
        from .keeper import is_kept_already, leave_keeper

        if is_kept_already(keeping):
            yield f"A process of rushes that runs already follows {them} and keeps {files}."
            return
        if (process := leave_keeper()) is not None:
            yield f"A process of rushes stays behind ({process}), follows {them} and keeps {files}, and then ends."
            return
    yield (
        f"Nobody looks after {them} until some rushes runs again, and results expire: run `rushes check` before long, "
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
