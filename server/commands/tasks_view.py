"""The list of tasks: as wide as the terminal is, down to 40 columns, and one whole line each in a file or a pipe."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderableType
from rich.style import Style
from rich.text import Text

from ...tools import KeepingWord, TaskSummary
from .task_ids import shortest
from .task_view import MARKS, age_text, plain, unkept
from .words import amount_text

WHOLE_IDS = 80
"""Columns from which whole ids have room; else so much of each as tells it from the others."""


@dataclass(frozen=True)
class TasksTable:
    """Tasks in short, as given (newest first)."""

    tasks: Sequence[TaskSummary]
    now: datetime

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        if not console.is_terminal:
            yield from self._lines()
        else:
            yield from self._blocks(options.max_width)

    def _lines(self) -> Iterator[RenderableType]:
        """For `grep` and `cut`: a header, and a line each, cut nowhere but at the prompt's end."""
        rows = [
            [
                task.task_id,
                age_text(task.created_at, self.now),
                task.kind,
                _state(task).plain,
                plain(task.model, 80),
                _cost(task) or "-",
                _file(task) or "-",
                plain(task.prompt, 80),
            ]
            for task in self.tasks
        ]
        rows.insert(0, ["task", "age", "kind", "state", "model", "cost", "file", "prompt"])
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            yield Text("  ".join(cells).rstrip(), no_wrap=True, overflow="ignore")

    def _blocks(self, width: int) -> Iterator[RenderableType]:
        """Two or three lines each, which can be read at any width: what it is, what was asked, where the file lies."""
        ids = [task.task_id for task in self.tasks]
        shown = {task_id: task_id for task_id in ids} if width >= WHOLE_IDS else shortest(ids)
        for task in self.tasks:
            head = _state(task)
            head.pad_right(max(14 - len(head), 0))
            head.append(f" {shown[task.task_id]}", "bold").append(f" {age_text(task.created_at, self.now):>6}")
            about = [_cost(task), plain(task.model, 80)]
            yield _line(head.append(f"  {' · '.join(part for part in about if part)}", "dim"))
            yield _line(Text(f"  {plain(task.prompt, 80)}"))
            if (file := _linked(task, width - 2)) is not None:
                yield _line(Text("  ").append_text(file))
            if (missing := _missing(task)) is not None:
                yield _line(Text(f"  {missing[2]}", missing[1]))


def _line(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _missing(task: TaskSummary) -> tuple[str, str, str] | None:
    """Mark, colour and words of a task whose files are not all on disk."""
    words: list[KeepingWord | None] = [output.keeping for output in task.outputs or ()]
    return unkept(words) if task.state == "succeeded" else None


def _state(task: TaskSummary) -> Text:
    mark, colour = MARKS[task.state]
    if (missing := _missing(task)) is not None:
        mark, colour, _ = missing
    share = "" if task.progress is None else f" {round(100 * task.progress)} %"
    return Text(f"{mark} {task.state}{share}", colour)


def _cost(task: TaskSummary) -> str | None:
    return None if task.cost is None else f"{amount_text(task.cost.amount)} {task.cost.currency}"


def _file(task: TaskSummary) -> str | None:
    kept = [output.path for output in task.outputs or () if output.path is not None]
    return plain(kept[0], 4096) if kept else None


def _linked(task: TaskSummary, width: int) -> Text | None:
    """The first file and how many more, as a link that terminals open: whole where it has room, else by its name."""
    file = _file(task)
    if file is None:
        return None
    path, more = Path(file), len(task.outputs or ()) - 1
    rest = f" and {more} more" if more > 0 else ""
    link = Style(link=path.as_uri(), dim=True) if path.is_absolute() else Style(dim=True)
    shown = Text(file if len(file) + len(rest) <= width else path.name, link)
    shown.truncate(max(width - len(rest), 1), overflow="ellipsis")
    return shown.append(rest, "dim")
