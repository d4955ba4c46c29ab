"""What people see: text on stdout, progress on stderr while something is waited for. Imports rich, so it comes late.

Text from gateways is printed as text: no markup, no control characters.
"""

import logging
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column

from ...domain.record import TaskRecord

WIDTH_OF_A_FILE = 200
"""Columns where the output is no terminal, so that nothing is cut."""

SILENCE_SECONDS = 15.0
"""So long nothing may be said while something is waited for: then a person takes it for hung."""

NARROW = 60
"""Columns below which there is no room for a bar."""

HELD_MAX = 500
"""Log lines that are kept back at most; the oldest give way."""


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
            console.print(part, crop=False)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in capture.get().splitlines())


class ProgressLine:
    """How tasks go, on stderr: a line each that is redrawn in place on a terminal, else one now and then.

    Args:
        doing: What is done before a task is known.
        now: Seconds of a clock that only runs on.
    """

    def __init__(self, doing: str, now: Callable[[], float] = time.monotonic) -> None:
        self._drawn = sys.stderr.isatty()
        self._now = now
        self._begun = self._said_at = now()
        console = console_on(sys.stderr)
        wide = [BarColumn(bar_width=None), TaskProgressColumn(), TimeElapsedColumn()]
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis"), markup=False),
            # Where it is narrow, words and number have the room.
            *(wide if console.width >= NARROW else [TaskProgressColumn()]),
            console=console,
            transient=True,
            disable=not self._drawn,
            expand=console.width >= NARROW,
        )
        self._free = [self._progress.add_task(doing, total=None)]
        self._lines: dict[str, TaskID] = {}
        self._held = HeldLogs()

    def __enter__(self) -> Self:
        if self._drawn:
            self._held.begin()
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()
        self._held.end()

    def stop(self) -> None:
        """Leave the terminal to somebody else for a while."""
        self._progress.stop()

    def start(self) -> None:
        """Go on."""
        self._progress.start()

    async def follow(self, record: TaskRecord) -> None:
        """Show a task's state; `report` of `Service.wait`."""
        share = None if record.progress is None else min(max(record.progress, 0.0), 1.0)
        doing = f"{record.kind} {record.state} at {record.provider}"
        if record.task_id not in self._lines:
            self._lines[record.task_id] = self._free.pop() if self._free else self._progress.add_task(doing, total=None)
        self._progress.update(
            self._lines[record.task_id],
            description=doing,
            total=None if share is None else 100,
            completed=0 if share is None else 100 * share,
        )
        self._say(doing if share is None else f"{doing}, {round(100 * share)} %")

    async def heard(self, percent: float, message: str) -> None:  # noqa: ARG002  of the call as a whole, not the task
        """A tool's own report, while a call is under way."""
        self._say(message)

    def _say(self, doing: str) -> None:
        """Where nothing is drawn, whoever reads a log hears at times that it goes on."""
        now = self._now()
        if self._drawn or now - self._said_at < SILENCE_SECONDS:
            return
        self._said_at = now
        with suppress(OSError, ValueError):
            sys.stderr.write(f"rushes: {doing} ({now - self._begun:.0f} s)\n")
            sys.stderr.flush()


class HeldLogs:
    """Keeps log lines back while something is drawn, which they would break, and writes them at the end. Warnings about
    a task are left out, unless logs were asked for: of the one that is followed the answer tells, and others would only
    puzzle whoever reads."""

    def __init__(self) -> None:
        self._records: deque[tuple[logging.Handler, logging.LogRecord]] = deque(maxlen=HELD_MAX)
        self._filters: list[tuple[logging.Handler, Callable[[logging.LogRecord], bool]]] = []

    def begin(self) -> None:
        """Keep back from here on."""
        for handler in logging.getLogger().handlers:
            self._filters.append((handler, self._keeping(handler)))
            handler.addFilter(self._filters[-1][1])

    def end(self) -> None:
        """Write what was kept back."""
        for handler, keeping in self._filters:
            handler.removeFilter(keeping)
        self._filters.clear()
        while self._records:
            handler, record = self._records.popleft()
            if self._is_wanted(record):
                handler.handle(record)

    def _keeping(self, handler: logging.Handler) -> Callable[[logging.LogRecord], bool]:
        def keep(record: logging.LogRecord) -> bool:
            self._records.append((handler, record))
            return False

        return keep

    def _is_wanted(self, record: logging.LogRecord) -> bool:
        asked_for = logging.getLogger().level < logging.WARNING
        return asked_for or record.levelno >= logging.ERROR or not hasattr(record, "task_id")
