"""Logs: one line an event, as key=value pairs, and never a key of a gateway."""

import io
import logging
import sys
from collections.abc import Iterator

import pytest

from rushes.server.logs import start_logging
from rushes.server.settings.file import LogLevel

KEY = 'very-secret-"value"'


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def started(level: LogLevel = "info") -> io.StringIO:
    stream = io.StringIO()
    start_logging(level, [KEY], stream)
    return stream


def test_an_event_is_one_line_with_what_the_call_gave_beside_it() -> None:
    stream = started()
    logging.getLogger("rushes.tasks").info("poll of %s failed", "t1", extra={"task_id": "01J", "polls": 3})
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert line.startswith("time=2")
    assert 'level=info logger=rushes.tasks message="poll of t1 failed" task_id=01J polls=3' in line


def test_text_from_outside_cannot_start_a_line_of_its_own() -> None:
    stream = started()
    logging.getLogger("rushes.tasks").info("gateway said %s", "no\nlevel=error forged\x1b[31m")
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_a_key_is_blotted_out_of_messages_extras_and_tracebacks() -> None:
    stream = started()
    logger = logging.getLogger("rushes.providers")
    try:
        raise ValueError(f"bad header {KEY}")
    except ValueError:
        logger.exception("sent %s", KEY, extra={"header": f"Bearer {KEY}"})
    assert "very-secret" not in stream.getvalue()
    assert stream.getvalue().count("[key]") == 3
    assert "Traceback" in stream.getvalue()


def test_a_secret_too_short_to_be_one_does_not_eat_words() -> None:
    stream = io.StringIO()
    start_logging("info", ["a", ""], stream)
    logging.getLogger("rushes").info("a cat")
    assert 'message="a cat"' in stream.getvalue()


def test_libraries_are_heard_from_warning_on() -> None:
    stream = started("debug")
    logging.getLogger("httpx").info("GET https://signed.example/?token=1")
    logging.getLogger("httpx").warning("odd")
    assert "signed" not in stream.getvalue()
    assert "message=odd" in stream.getvalue()


def test_starting_twice_does_not_write_twice() -> None:
    started()
    stream = started()
    logging.getLogger("rushes").warning("once")
    assert stream.getvalue().count("once") == 1


def test_the_level_is_held() -> None:
    stream = started("error")
    logging.getLogger("rushes").warning("quiet")
    assert stream.getvalue() == ""


def test_it_writes_to_what_stderr_is_at_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    start_logging("info")
    display = io.StringIO()
    monkeypatch.setattr(sys, "stderr", display)
    logging.getLogger("rushes").warning("above the progress line")
    assert "above the progress line" in display.getvalue()
