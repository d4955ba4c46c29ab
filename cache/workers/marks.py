"""What a process was doing when it died: the tasks in whose step it was, named in a small file beside its lease.

A step's begin and end each write one line of the file in place. That is a copy into the system's memory: it outlives
the process, however that dies, and nothing waits for the disk. (A mapped file would cost less still, but a full disk
would then kill the process.) Where the file cannot be written, steps go on without.
"""

import contextlib
import logging
import os
from pathlib import Path

logger = logging.getLogger(__name__)

SUFFIX = ".steps"
_LINE_BYTES = 64


class StepMarks:
    """The marks of one process; the file is made at its first step."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = None
        self._lines: dict[str, int] = {}
        self._free: list[int] = []
        self._broken = False

    def begun(self, task_id: str) -> None:
        """A step of the task begins."""
        line = self._free.pop() if self._free else len(self._lines)
        self._lines[task_id] = line
        self._write(line, task_id)

    def ended(self, task_id: str) -> None:
        """The step has ended, well or not: the process is alive."""
        line = self._lines.pop(task_id)
        self._free.append(line)
        self._write(line, "")

    def remove(self) -> None:
        """The process ends in an orderly way."""
        descriptor, self._descriptor = self._descriptor, None
        self._broken = True
        if descriptor is not None:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)

    def _write(self, line: int, text: str) -> None:
        if self._broken:
            return
        try:
            if self._descriptor is None:
                flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
                self._descriptor = os.open(self._file, flags, 0o600)
            os.lseek(self._descriptor, line * _LINE_BYTES, os.SEEK_SET)
            os.write(self._descriptor, text.encode().ljust(_LINE_BYTES - 1)[: _LINE_BYTES - 1] + b"\n")
        except OSError as error:
            self._broken = True
            logger.warning("a death in a step will not be told from others", extra={"problem": error})


def marked(file: Path) -> set[str]:
    """The tasks that a file of marks names; a file without one is removed."""
    try:
        data = file.read_bytes()
    except OSError:
        return set()
    tasks = {text for line in data.split(b"\n") if (text := line.strip(b" \0").decode("ascii", "replace"))}
    if not tasks:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)
    return tasks
