"""Who does not read, and what has no end, holds nothing up: stderr, a long stdin, a text that never closes."""

import io
import logging
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TextIO

import anyio
import pytest

from rushes.domain.nesting import DEPTH_MAX, without_deep_values
from rushes.server.logs import start_logging
from rushes.server.transports.ending import Ending
from rushes.server.transports.stdio import LINES_AHEAD, Lines

pytestmark = pytest.mark.anyio


@contextmanager
def _full_pipe() -> Generator[tuple[int, TextIO]]:
    """The end to read from, and the other as a stream, with no room in it."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(writer, b"x" * 65536)
    os.set_blocking(writer, True)
    with os.fdopen(reader, "rb"), os.fdopen(writer, "w", encoding="utf-8") as stream:
        yield reader, stream


@pytest.fixture
def log() -> Generator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield logging.getLogger("rushes.tests")
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_log_line_that_nobody_reads_is_left_out_and_counted(
    log: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _full_pipe() as (reader, stream):
        monkeypatch.setattr("sys.stderr", stream)
        start_logging("info")
        for _ in range(3):
            log.warning("unread %s", "y" * 100_000)
        os.set_blocking(reader, False)
        with pytest.raises(BlockingIOError):
            while True:
                os.read(reader, 65536)
        log.warning("read again")
        said = os.read(reader, 65536).decode()
    assert "lines_left_out=3" in said
    assert 'message="read again"' in said
    assert "yyy" not in said


def test_a_stream_that_is_no_file_is_written_as_ever(log: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    start_logging("info")
    log.warning("z" * 5000)
    assert "z" * 5000 in stream.getvalue()


async def test_a_host_that_has_gone_is_noticed_before_its_last_line_was_read() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"{}\n" * (LINES_AHEAD + 50))
    os.close(writer)
    gone = threading.Event()
    lines = Lines(reader, gone.set)
    lines.start()
    try:
        with anyio.fail_after(10):
            while not gone.is_set():
                await anyio.lowlevel.checkpoint()
        # None of them was taken, so the thread waits for room.
        assert [await anext(lines) for _ in range(3)] == ["{}"] * 3
    finally:
        lines.close()
        os.close(reader)


def test_the_end_may_be_asked_for_while_it_is_being_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by a signal that comes in the middle of a first one."""
    ending = Ending(1000)
    started: list[threading.Timer] = []

    def start(timer: threading.Timer) -> None:
        started.append(timer)
        ending.begin()

    monkeypatch.setattr(threading.Timer, "start", start)
    ending.begin()
    assert len(started) == 1


@pytest.mark.parametrize("text", [b'"' + b'\\"' * 500_000, b'"\\' * 500_000, b'"' * 999_999, b'"' + b"\\" * 999_999])
def test_a_text_without_an_end_is_looked_through_once(text: bytes) -> None:
    """It took seconds for each 10 kB, and minutes for this, while nothing else ran."""
    data = b"[" * (DEPTH_MAX - 1) + b"[]{}" + text
    assert without_deep_values(data) is data
