"""A task, a refusal and a dry run as people read them; pure, from the tools' own answers."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue
from rich.console import RenderableType
from rich.json import JSON
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from ...domain.errors import Charged
from ...domain.failure import Failure, clean_text
from ...domain.record import TaskState
from ...tools import DryRun, EstimateShown, KeepingWord, Task, TaskOutput
from .words import amount_text, for_people

MARKS: dict[TaskState, tuple[str, str]] = {
    "queued": ("•", "cyan"),
    "running": ("•", "cyan"),
    "succeeded": ("✔", "green"),
    "failed": ("✘", "red"),
    "cancelled": ("■", "yellow"),
    "unknown": ("?", "yellow"),
}

LOST, KEEPING, NOT_CLEAN = ("✘", "red"), ("•", "cyan"), ("!", "yellow")
"""Marks of a task that succeeded at its gateway while its outputs are not simply there."""

MONEY: dict[Charged, str] = {
    "no": "Nothing was charged.",
    "yes": "The gateway charged for it.",
    "unknown": "The gateway may have charged for it.",
}


def plain(text: str, limit: int = 500) -> str:
    """Text from outside as one line without control characters."""
    return clean_text(text, limit)


def error_view(error: JsonValue) -> Iterator[RenderableType]:
    """Why a call about a task was not answered."""
    told = error if isinstance(error, dict) else {}
    yield Text(plain(str(told.get("message"))), "bold red")
    if told.get("hint"):
        yield _indented(Text(for_people(plain(str(told["hint"])))))


def task_view(task: Task) -> Iterator[RenderableType]:
    """A task in a few lines."""
    yield _headline(task)
    for output in task.outputs:
        yield from _output(output)
    if task.failure is not None:
        yield from _failure(task.failure)
    for warning in task.warnings:
        yield _noted(warning)
    to_come = any(output.keeping == "keeping" for output in task.outputs)
    if (to_come or task.state in {"queued", "running"}) and task.task_id:
        yield _indented(Text(f"Look again:  rushes check {task.task_id} --wait 60"))
    elif task.task_id:
        yield _indented(Text(f"task {task.task_id}", "dim"))


def _headline(task: Task) -> Text:
    mark, colour = MARKS[task.state]
    state = f"{task.state}: {task.failure.reason}" if task.failure else task.state
    if (missing := unkept([output.keeping for output in task.outputs])) and task.state == "succeeded":
        mark, colour, said = missing
        state += f", but {said}"
    elif task.state == "succeeded" and any(output.hint for output in task.outputs):
        mark, colour = NOT_CLEAN
    if task.progress is not None and task.state in {"queued", "running"}:
        state += f", {round(100 * task.progress)} %"
    line = Text(f"{mark} {state}", Style(color=colour, bold=True))
    took = _seconds_taken(task)
    about = [task.kind, task.provider, task.model, None if took is None else f"{max(took, 1):.0f} s", _cost(task)]
    known = [plain(part, 80) for part in about if part]
    return line.append(f"  {' · '.join(known)}", "not bold default") if known else line


def unkept(words: Sequence[KeepingWord | None]) -> tuple[str, str, str] | None:
    """The mark of a task whose outputs are not all on disk, its colour, and that in words; `None` where they are."""
    for word, (mark, colour), said in (("lost", LOST, "lost"), ("keeping", KEEPING, "not on disk yet")):
        count = words.count(word)
        if count:
            return mark, colour, f"{count} of {len(words)} outputs {'is' if count == 1 else 'are'} {said}"
    return None


def _cost(task: Task) -> str | None:
    if task.cost is not None:
        return f"{amount_text(task.cost.amount)} {task.cost.currency}"
    return None if task.estimate is None else f"about {estimate_text(task.estimate)}"


def estimate_text(estimate: EstimateShown) -> str:
    """`3.2 USD (learned, n=5)`."""
    known = estimate.basis if estimate.n is None else f"{estimate.basis}, n={estimate.n}"
    return f"{amount_text(estimate.amount)} {plain(estimate.currency, 40)} ({known})"


def _seconds_taken(task: Task) -> float | None:
    if task.created_at is None or task.finished_at is None or task.state != "succeeded":
        return None
    return (datetime.fromisoformat(task.finished_at) - datetime.fromisoformat(task.created_at)).total_seconds()


def _output(output: TaskOutput) -> Iterator[RenderableType]:
    if output.path is not None:
        # One unbroken line, so that it can be copied.
        link = Style(link=Path(output.path).as_uri()) if Path(output.path).is_absolute() else Style()
        yield Text("  ", no_wrap=True, overflow="ignore").append(plain(output.path, 4096), link)
    elif output.url is not None:
        yield Text(f"  {plain(output.url, 4096)}", no_wrap=True, overflow="ignore")
    if output.hint is not None:
        yield _indented(Text(for_people(plain(output.hint)), "yellow"))
    facts = [fact for fact in _facts(output) if fact]
    if facts:
        yield _indented(Text(", ".join(facts), "dim"))


def _facts(output: TaskOutput) -> Iterator[str | None]:
    yield f"{output.width} x {output.height}" if output.width and output.height else None
    yield f"{output.duration_seconds:.4g} s" if output.duration_seconds else None
    yield size_text(output.bytes) if output.bytes else None
    yield plain(output.mime_type, 80) if output.mime_type else None


def saved_view(saved: JsonValue, seed: JsonValue = None) -> Iterator[RenderableType]:
    """Where files were put besides, and the seed of one of several."""
    if seed is not None:
        yield Text(f"  seed {seed}")
    for path in saved if isinstance(saved, list) else ():
        yield Text("  saved as ", no_wrap=True, overflow="ignore").append(plain(str(path), 4096))


def _failure(told: Failure) -> Iterator[RenderableType]:
    yield _indented(Text(plain(told.message)))
    code = f" (the gateway's code: {plain(told.provider_code, 100)})" if told.provider_code else ""
    yield _indented(Text(f"{MONEY[told.charged]}{code}", "bold"))
    if told.hint:
        yield _indented(Text(for_people(plain(told.hint))))


def dry_run_view(preview: DryRun) -> Iterator[RenderableType]:
    """What would be sent, and where."""
    yield Text("Nothing was sent. ", "bold").append(
        f"{plain(preview.provider, 80)} would get this for {plain(preview.model, 80)}:", "not bold"
    )
    if preview.url:
        yield Text(f"  POST {plain(preview.url, 4096)}", no_wrap=True, overflow="ignore")
    if preview.estimate is not None:
        yield Text(f"  about {estimate_text(preview.estimate)}")
    yield Padding(JSON(json.dumps(preview.payload)), (0, 0, 0, 2), expand=False)
    for warning in preview.warnings:
        yield _noted(warning)


def age_text(moment: str | None, now: datetime) -> str:
    """`12 s`, `5 min`, `3 h` or `9 d`."""
    if moment is None:
        return ""
    seconds = max(0.0, (now - datetime.fromisoformat(moment).astimezone(UTC)).total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def size_text(size_bytes: int) -> str:
    """`812 bytes`, `42 kB`, `1.3 MB`."""
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size_bytes >= size:
            return f"{size_bytes / size:.3g} {unit}"
    return f"{size_bytes} bytes"


def _noted(warning: str) -> Padding:
    note = Table.grid(padding=(0, 1, 0, 0))
    note.add_row(Text("!", "yellow"), Text(for_people(plain(warning)), "yellow"))
    return Padding(note, (0, 0, 0, 2), expand=False)


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, 2), expand=False)
