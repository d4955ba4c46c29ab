"""A `rushes serve` on a free port, for what must reach one from outside of pytest."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]

START_SECONDS = 60


def without_keys() -> dict[str, str]:
    """This process's environment without anybody's keys, addresses of gateways, or settings."""
    left_out = ("_API_KEY", "_BASE_URL")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.endswith(left_out) and not name.startswith("RUSHES_")
    }


@contextmanager
def serving(arguments: Sequence[str], home: Path) -> Generator[str]:
    """The URL of a server that runs until the end of the block, in a home of its own.

    Args:
        arguments: Of Python, such as `["-m", "rushes", "serve", "--transport", "http", "--port", "0"]`.
        home: For what it keeps; its log is beside it.

    Raises:
        RuntimeError: it did not start; the message is what it said.
    """
    log = home.with_suffix(".log")
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, *arguments],
            env={**without_keys(), "RUSHES_HOME": str(home)},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        ) as process,
    ):
        try:
            yield _announced(process, log)
        finally:
            process.terminate()


def _announced(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        found = re.search(r"listening on (\S+)", log.read_text(encoding="utf-8"))
        if found:
            return found[1]
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text(encoding='utf-8')}")
