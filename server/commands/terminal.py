"""What people see: text on stdout, progress on stderr while something is waited for. Imports rich, so it comes late.

Text from gateways is printed as text: no markup, no control characters.
"""

import sys
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from ...domain.record import TaskRecord

WIDTH_OF_A_FILE = 200
"""Columns where the output is no terminal, so that nothing is cut."""


def console_on(stream: TextIO) -> Console:
    """A console that prints what it is given, nothing else."""
    width = None if stream.isatty() else WIDTH_OF_A_FILE
    return Console(file=stream, markup=False, highlight=False, emoji=False, width=width)


def show(*parts: RenderableType) -> None:
    """Print on stdout; in a file or a pipe without the blanks that fill the lines of a table."""
    console = console_on(sys.stdout)
    if console.is_terminal:
        for part in parts:
            console.print(part)
        return
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in capture.get().splitlines())


class ProgressLine:
    """One line on stderr that tells how a task goes; nothing where stderr is no terminal."""

    def __init__(self, doing: str) -> None:
        console = console_on(sys.stderr)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not sys.stderr.isatty(),
            expand=True,
        )
        self._line = self._progress.add_task(doing, total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    async def follow(self, record: TaskRecord) -> None:
        """Show a task's state; `report` of `Service.wait`."""
        share = record.progress
        self._progress.update(
            self._line,
            description=f"{record.kind} {record.state} at {record.provider}",
            total=None if share is None else 100,
            completed=0 if share is None else 100 * share,
        )
