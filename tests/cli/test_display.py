"""What is shown while something is waited for: nothing that breaks it, and never nothing at all."""

import io
import logging
import subprocess
import sys

import anyio
import pytest

from rushes.server.commands.terminal import HeldLogs, ProgressLine

from ..tools.fake_service import record
from .command import COMMAND


class Hearing(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__()
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(record.getMessage())


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_a_terminal_a_line_says_every_15_seconds_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = Clock(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)

    async def wait() -> None:
        with ProgressLine("video on its way", clock) as line:
            for _ in range(40):
                clock.now += 1
                await line.follow(record(progress=0.4))

    anyio.run(wait)
    assert said.getvalue().splitlines() == [
        "rushes: video running at gateway, 40 % (15 s)",
        "rushes: video running at gateway, 40 % (30 s)",
    ]


def test_a_short_wait_without_a_terminal_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = Clock(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)

    async def wait() -> None:
        with ProgressLine("video on its way", clock) as line:
            await line.heard(1.0, "waiting for the gateway's answer")

    anyio.run(wait)
    assert said.getvalue() == ""


def test_log_lines_are_held_back_while_something_is_drawn_and_those_of_tasks_left_out() -> None:
    heard: list[str] = []
    handler = Hearing(heard)
    root, logger = logging.getLogger(), logging.getLogger("rushes.test")
    root.addHandler(handler)
    held = HeldLogs()
    try:
        held.begin()
        logger.warning("output not kept", extra={"task_id": "01OTHER"})
        logger.warning("the disk is nearly full")
        logger.error("a fault", extra={"task_id": "01OTHER"})
        assert heard == []
        held.end()
        logger.warning("afterwards")
    finally:
        root.removeHandler(handler)

    assert heard == ["the disk is nearly full", "a fault", "afterwards"]


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the stream")
def test_a_closed_stdout_is_no_traceback() -> None:
    shell = ["sh", "-c", 'exec "$@" >&-', "sh"]
    done = subprocess.run(
        [*shell, *COMMAND, "generate", "image", "x", "--size", "128x128"],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
