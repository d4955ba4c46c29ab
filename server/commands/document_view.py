"""What the tools answer, for people: one task, several, a dry run, or why there is none."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ...tools import DryRun, Task
from .answer import Document

if TYPE_CHECKING:
    from rich.console import RenderableType


def several(documents: list[Document]) -> Document:
    """One answer of several: the one that there is, or `{"tasks": […]}`."""
    return documents[0] if len(documents) == 1 else {"tasks": [*documents]}


def view_of(document: Document) -> "Iterable[RenderableType]":
    """A generating tool's answer."""
    from .task_view import dry_run_view, error_view, saved_view, task_view

    tasks = document.get("tasks")
    if isinstance(tasks, list):
        return _each(task for task in tasks if isinstance(task, dict))
    if "error" in document:
        return error_view(document["error"])
    if "payload" in document:
        return dry_run_view(DryRun.model_validate(document))
    return [*task_view(Task.model_validate(document)), *saved_view(document.get("saved"), document.get("seed"))]


def _each(documents: Iterable[Document]) -> "Iterator[RenderableType]":
    for document in documents:
        yield from view_of(document)
