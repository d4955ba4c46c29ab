"""Runs the real command as a subprocess, with or without a terminal."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

COMMAND = [sys.executable, "-m", "rushes"]
TIMEOUT_SECONDS = 120.0
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
    """Run `rushes` with pipes, and hold it to an exit code."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **(environment or {}), **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return Run(done.returncode, done.stdout, done.stderr)


def on_terminal(arguments: Sequence[str], *, columns: int = 80) -> tuple[int, str]:
    """Run `rushes` with everything on a terminal; returns exit code and what was written, escapes included."""
    main, side = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "LINES": "30", "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdin=side, stdout=side, stderr=side, env=environment, start_new_session=True
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
