"""Requests over HTTP that never end, or are more than fits: each is answered or cut off, and others are served."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import anyio
import anyio.lowlevel
import httpx
import pytest
from anyio.abc import SocketStream
from pydantic import JsonValue

from rushes.server.mcp.server import build_server
from rushes.server.transports import heads
from rushes.server.transports.bodies import BodyBounds
from rushes.server.transports.http import bound, http_app, serve_app
from rushes.tools import already

from ..tools.fake_service import FakeService

pytestmark = pytest.mark.anyio

PATIENT = BodyBounds(seconds=30.0, bytes_max=100_000, bytes_together_max=150_000)
ACCEPT = "application/json, text/event-stream"
LIST: dict[str, JsonValue] = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}


@asynccontextmanager
async def served(bounds: BodyBounds, *, idle_seconds: float = 1800.0) -> AsyncGenerator[int]:
    """The port of a server with these bounds."""
    app = http_app(
        build_server(already(FakeService()), local_files=False), "127.0.0.1", bounds, idle_seconds=idle_seconds
    )
    listener = bound("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            await group.start(partial(serve_app, app, listener, "/mcp"))
            yield port
            group.cancel_scope.cancel()


async def _begun(port: int, length: int | None, sent: int) -> SocketStream:
    """A request whose head promises `length` bytes, or does not say how many, and of which `sent` have gone out."""
    stream = await anyio.connect_tcp("127.0.0.1", port)
    lines = (
        "POST /mcp HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Content-Type: application/json",
        "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}",
        "",
        *([f"{sent:x}"] if length is None else []),
    )
    await stream.send("".join(f"{line}\r\n" for line in lines).encode() + b" " * sent)
    return stream


async def _answer(stream: SocketStream) -> bytes:
    """All that comes until the server closes."""
    parts: list[bytes] = []
    async with stream:
        with pytest.raises(anyio.EndOfStream):
            while True:
                parts.append(await stream.receive())
    return b"".join(parts)


async def _initialized(port: int) -> httpx.Response:
    params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    async with httpx.AsyncClient() as client:
        return await client.post(f"http://127.0.0.1:{port}/mcp", json=body, headers={"accept": ACCEPT})


async def test_a_body_that_does_not_come_in_time_is_refused_and_its_connection_closed() -> None:
    async with served(replace(PATIENT, seconds=0.2)) as port:
        answer = await _answer(await _begun(port, 1000, 10))
    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_is_told_to_be_larger_than_allowed_is_refused_at_once() -> None:
    async with served(PATIENT) as port:
        answer = await _answer(await _begun(port, 100_001, 0))
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_body_larger_than_allowed_is_refused_before_it_has_come() -> None:
    async with served(PATIENT) as port:
        answer = await _answer(await _begun(port, None, 100_001))
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_bodies_under_way_count_together_and_their_end_makes_room() -> None:
    bounds = replace(PATIENT)
    async with served(bounds) as port:
        waiting = await _begun(port, 100_000, 90_000)
        with anyio.fail_after(10):
            while bounds.held_bytes < 90_000:
                await anyio.lowlevel.checkpoint()
        answer = await _answer(await _begun(port, 100_000, 80_000))
        assert answer.startswith(b"HTTP/1.1 503 ")
        await waiting.aclose()
        while bounds.held_bytes:
            await anyio.lowlevel.checkpoint()
        assert (await _initialized(port)).status_code == 200


async def test_a_head_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads.PunctualProtocol, "seconds", 0.2)
    async with served(PATIENT) as port:
        silent = await anyio.connect_tcp("127.0.0.1", port)
        slow = await anyio.connect_tcp("127.0.0.1", port)
        await slow.send(b"POST /mcp HTTP/1.1\r\nHost: ")
        assert [await _answer(silent), await _answer(slow)] == [b"", b""]


async def test_a_second_head_on_a_used_connection_is_held_to_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads.PunctualProtocol, "seconds", 0.2)
    async with served(PATIENT) as port:
        stream = await anyio.connect_tcp("127.0.0.1", port)
        whole = f"GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        await stream.send(whole)
        assert (await stream.receive()).startswith(b"HTTP/1.1 404 ")
        await stream.send(b"GET /nowh")
        await _answer(stream)


async def test_a_session_that_asks_nothing_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "mcp")
    async with served(PATIENT, idle_seconds=0.2) as port:
        session = (await _initialized(port)).headers["mcp-session-id"]
        while f"Session {session} idle timeout" not in caplog.messages:
            await anyio.lowlevel.checkpoint()
        headers = {"accept": ACCEPT, "mcp-session-id": session}
        async with httpx.AsyncClient() as client:
            assert (await client.post(f"http://127.0.0.1:{port}/mcp", json=LIST, headers=headers)).status_code == 404
