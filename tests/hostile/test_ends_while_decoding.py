"""Whatever is decoded: the process ends when its host or a signal says so, and the one that decodes with it."""

import json
import signal
import subprocess
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from ..forks import forked
from . import bombs
from .processes import at_work, children_of, gone, on_linux

pytestmark = [pytest.mark.anyio, on_linux]

SECONDS = 5


async def ask(server: Process, number: int, method: str, **params: object) -> None:
    assert server.stdin is not None
    await server.stdin.send(
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode() + b"\n"
    )


async def greet(server: Process) -> BufferedByteReceiveStream:
    assert server.stdin is not None
    assert server.stdout is not None
    answers = BufferedByteReceiveStream(server.stdout)
    client = {"name": "test", "version": "1"}
    await ask(server, 1, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)
    await answers.receive_until(b"\n", 10**6)
    await server.stdin.send(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
    return answers


@pytest.mark.parametrize("end", ["closed stdin", "SIGTERM", "SIGINT", "SIGKILL"])
async def test_a_film_that_decodes_for_hours_holds_no_exit_up(tmp_path: Path, end: str) -> None:
    (tmp_path / "film.mp4").write_bytes(bombs.one_frame_for_ever())
    async with forked("tests.hostile.looking", str(tmp_path / "film.mp4"), stderr=subprocess.DEVNULL) as server:
        answers = await greet(server)
        await ask(server, 2, "tools/list")
        await answers.receive_until(b"\n", 10**6)
        assert children_of(server.pid) == []

        await ask(server, 3, "tools/call", name="view_output", arguments={"task_id": "01TASK"})
        with anyio.fail_after(20):
            while not (decoding := children_of(server.pid)):
                await anyio.lowlevel.checkpoint()
        await at_work(decoding[0])
        if end == "closed stdin":
            assert server.stdin is not None
            await server.stdin.aclose()
        else:
            server.send_signal(signal.Signals[end])

        with anyio.fail_after(SECONDS):
            await server.wait()
        await gone(decoding[0])
