"""kill -9 while a request is held: it is provably unsent, so the next process sends it, once."""

import json
import os
import re
import signal
from pathlib import Path
from subprocess import DEVNULL

import anyio
import pytest
from anyio.streams.text import TextReceiveStream

from ..forks import forked
from ..gateways.client import RunningGateways

pytestmark = pytest.mark.anyio

FOX = "a red fox [look-after:0.1]"
GENERATE = ["generate", "image", FOX, "--provider", "routeany", "--model", "acme/new", "--json"]


async def _rushes(environment: dict[str, str], *arguments: str) -> dict[str, object]:
    async with forked("rushes", *arguments, environment=environment, stdin=DEVNULL, stderr=DEVNULL) as process:
        assert process.stdout is not None
        out = b"".join([chunk async for chunk in process.stdout])
    shown: dict[str, object] = json.loads(out)
    return shown


async def _settled(environment: dict[str, str], task_id: str) -> dict[str, object]:
    """The task at its end. One look waits until its time is up, so that it is given little."""
    while True:
        shown = await _rushes(environment, "check", task_id, "--wait", "2", "--json")
        if shown["state"] not in {"queued", "running"}:
            return shown


async def test_a_request_that_was_held_by_a_killed_process_is_sent_once_by_the_next(
    gateways: RunningGateways, tmp_path: Path
) -> None:
    environment = {**os.environ, **gateways.only("routeany"), "RUSHES_HOME": str(tmp_path), "RUSHES_LOG_LEVEL": "info"}
    await gateways.set_behaviour("routeany", "retry-after:1", times=1)
    with anyio.fail_after(60):
        async with forked("rushes", *GENERATE, environment=environment) as process:
            assert process.stderr is not None
            said, held = "", None
            async for text in TextReceiveStream(process.stderr):
                said += text
                if held := re.search(r"held task_id=(\w+) ", said):
                    break
            assert held is not None, said
            process.send_signal(signal.SIGKILL)
        sent = [request.method for request in await gateways.requests("routeany")].count("POST")
        shown = await _settled(environment, held[1])
    assert sent == 1
    assert shown["state"] == "succeeded", shown
    assert len(await gateways.jobs("routeany")) == 1
    assert [request.method for request in await gateways.requests("routeany")].count("POST") == 2
