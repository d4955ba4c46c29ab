"""Runs the command, with or without a terminal: in this process, or in one of its own where that is the question."""

import json
import logging
import os
import pty
import re
import sys
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from io import BytesIO, TextIOWrapper
from typing import Any, TextIO, cast

import pytest
import typer.main

from rushes.server.cli import main

from ..forks import fork, ran

COMMAND = [sys.executable, "-m", "rushes"]
TIMEOUT_SECONDS = 120.0
command_of = cache(typer.main.get_command)
"""What typer makes anew of the functions of the command line at each call, which takes longer than most commands."""
ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x1b\x07]*(\x1b\\|\x07)|[()][A-Z0-9])")


@dataclass(frozen=True)
class Run:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output as the one JSON document that it must be."""
        return cast("dict[str, Any]", json.loads(self.out))


def rushes(*arguments: str, code: int = 0, environment: Mapping[str, str] | None = None, **more: str) -> Run:
    """Run `rushes` in this process, with pipes for its output, and hold it to an exit code."""
    out, err = _pipe(), _pipe()
    ended = _run(arguments, {**(environment or {}), **more}, out, err)
    run = Run(ended, _written(out), _written(err))
    assert run.code == code, f"exit {run.code}\n{run.out}\n{run.err}"
    return run


def process(*arguments: str, code: int = 0, environment: Mapping[str, str] | None = None, **more: str) -> Run:
    """Run `rushes` as a person or a host does, in a process of its own, and hold it to an exit code."""
    done = ran("rushes", *arguments, environment={**os.environ, **(environment or {}), **more}, seconds=TIMEOUT_SECONDS)
    assert done.code == code, f"exit {done.code}\n{done.out}\n{done.err}"
    return Run(done.code, done.out, done.err)


def _pipe() -> TextIOWrapper:
    return TextIOWrapper(BytesIO(), encoding="utf-8", write_through=True)


def _written(pipe: TextIOWrapper) -> str:
    return cast("BytesIO", pipe.buffer).getvalue().decode("utf-8")


def _run(arguments: Sequence[str], environment: Mapping[str, str], out: TextIO, err: TextIO) -> int:
    """`main`, as in a new process: with its own arguments, environment, streams and logs."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err), _own_logs():
        patch.setattr(sys, "argv", ["rushes", *arguments])
        patch.setattr(typer.main, "get_command", command_of)
        for name, value in environment.items():
            patch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0)


@contextmanager
def _own_logs() -> Generator[None]:
    """A command takes over the process's logs; give them back after it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def terminal_shows(*arguments: str, columns: int = 80) -> tuple[int, str]:
    """Run `rushes` in this process with its output on a terminal; returns as `on_terminal` does."""
    main, side = pty.openpty()
    settings = {"COLUMNS": str(columns), "LINES": "30", "TERM": "xterm-256color"}
    with ThreadPoolExecutor(1) as reader:
        text = reader.submit(read_to_end, main)
        try:
            with os.fdopen(side, "w", encoding="utf-8") as terminal:
                code = _run(arguments, settings, terminal, terminal)
            return code, text.result(TIMEOUT_SECONDS)
        finally:
            os.close(main)


def on_terminal(arguments: Sequence[str], *, columns: int = 80) -> tuple[int, str]:
    """Run `rushes` in a process of its own, all of it on a terminal; returns exit code and text, escapes included."""
    main, side = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "LINES": "30", "TERM": "xterm-256color"}
    process = fork(
        "rushes", *arguments, stdin=side, stdout=side, stderr=side, environment=environment, own_session=True
    )
    os.close(side)
    try:
        text = read_to_end(main)
        return process.wait(TIMEOUT_SECONDS), text
    finally:
        process.kill()
        os.close(main)


def read_to_end(descriptor: int) -> str:
    """Everything that comes out of a terminal until its last user closes it."""
    chunks: list[bytes] = []
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:
            # Linux says EIO where other systems say end of file.
            break
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks).decode("utf-8")


def visible(text: str) -> str:
    """What a terminal shows of it: without escape sequences."""
    return ESCAPE.sub("", text).replace("\r", "")
