"""`rushes doctor`: what works here, what does not, and what to do about it."""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from .answer import complaints, say
from .options import NO_VALUE, AsJson
from .outcome import Exit

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..doctor.checks import State
    from ..doctor.report import Report

MARKS: "dict[State, tuple[str, str]]" = {
    "ok": ("✔", "green"),
    "note": ("·", "cyan"),
    "warning": ("!", "yellow"),
    "broken": ("✘", "red"),
}


def doctor(
    offline: Annotated[
        bool, typer.Option("--offline", metavar=NO_VALUE, help="Ask no gateway whether its key works.")
    ] = False,
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild",
            metavar=NO_VALUE,
            help="Bring back tasks from the files beside outputs and from receipts.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check versions, folders, keys and the store; spends nothing."""
    from ..doctor.report import examine

    async def work() -> "Report":
        return await examine(offline=offline, rebuild=rebuild)

    with complaints(as_json=as_json):
        report = anyio.run(work)
    say(report.model_dump(mode="json"), as_json=as_json, view=lambda: _view(report))
    raise typer.Exit(Exit.DONE if report.ok else Exit.FAILED)


def _view(report: "Report") -> "Iterator[RenderableType]":
    from rich.table import Table
    from rich.text import Text

    for topic, checks in groupby(report.checks, key=lambda check: check.topic):
        yield Text(topic, "bold")
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for check in checks:
            mark, colour = MARKS[check.state]
            message = Text(check.message)
            if check.hint:
                message.append(f"\n{check.hint}", "dim")
            table.add_row(Text(mark, colour), check.name, message)
        yield table
        yield Text("")
    broken = sum(check.state == "broken" for check in report.checks)
    yield Text("All is well.", "green") if report.ok else Text(f"Broken: {broken}.", "bold red")
