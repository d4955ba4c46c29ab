"""`rushes serve` ends within five seconds of being asked to, whatever is said to it or not read from it."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from ..forks import fork

ENDS_WITHIN_SECONDS = 5.0
INITIALIZE = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
UNREAD = 200
"""Answers of several kilobytes each: more than any pipe holds."""


def _message(number: int, method: str, params: dict[str, object]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode() + b"\n"


@pytest.mark.parametrize("asked", ["EOF", "SIGTERM", "SIGINT"])
def test_a_host_that_reads_no_answer_does_not_hold_up_the_end(asked: str, tmp_path: Path) -> None:
    environment = {**os.environ, "RUSHES_HOME": str(tmp_path / "home"), "RUSHES_LOG_LEVEL": "info"}
    with (
        (tmp_path / "log").open("wb") as log,
        fork("rushes", "serve", environment=environment, stderr=log.fileno()) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(_message(1, "initialize", dict(INITIALIZE)))
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.stdin.write(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
        for number in range(UNREAD):
            process.stdin.write(_message(number + 2, "tools/list", {}))
        process.stdin.flush()
        # One answer was begun, so the pipe is being filled.
        assert process.stdout.read(1)
        if asked == "EOF":
            process.stdin.close()
        else:
            process.send_signal(signal.Signals[asked])
        began = time.monotonic()
        code = process.wait(60)
        seconds = time.monotonic() - began
    # A bound that the product promises, not a measure of speed: it was over 40 s.
    assert (code, seconds < ENDS_WITHIN_SECONDS) == (0, True), (tmp_path / "log").read_text(encoding="utf-8")
