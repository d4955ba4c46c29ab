"""Bytes behind a whole answer are nobody's: taken for the next answer, they could tell a paid request as refused."""

from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream

from rushes.providers.client.downloads import OutputClient
from rushes.providers.client.http import HttpClient, Timeouts

from .certified import certified
from .servers import Conduct, serving
from .test_outputs import fetch

pytestmark = pytest.mark.anyio

TIMES = Timeouts(total=10)
STALE = b'HTTP/1.1 400 Bad Request\r\ncontent-length: 14\r\n\r\n{"stale":true}'


def answer(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body):08}\r\n\r\n"
    return head.encode() + body


def filling(count: int) -> bytes:
    """An answer of so many bytes, its head with them."""
    return answer(b"{}" + b" " * (count - len(answer(b"{}"))))


def followed_by(surplus: bytes, first: bytes) -> Conduct:
    """Each request on a connection is answered truly; the first answer has something behind it."""

    async def conduct(stream: SocketStream, head: str) -> None:
        await stream.send(first + surplus)
        while True:
            await stream.receive()
            await stream.send(answer(b"{}"))

    return conduct


LENGTHS = [len(answer(b"{}")), 65_536, 131_072]
"""Those of an answer that ends where a buffer of 64 KiB does, through which it is read, among them."""


@pytest.mark.parametrize("length", LENGTHS)
async def test_a_paid_request_is_not_answered_by_what_came_behind_the_answer_before(length: int) -> None:
    async with serving(followed_by(STALE, filling(length))) as server:
        await ask_twice(server.url)
        assert len(server.heads) == 2


@pytest.mark.parametrize("length", LENGTHS)
async def test_nor_by_what_tls_holds_back(length: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    async with serving(followed_by(STALE, filling(length)), tls=certified(tmp_path)) as server:
        await ask_twice(server.url.replace("http:", "https:"))
        assert len(server.heads) == 2


async def test_a_result_through_a_proxy_is_not_what_came_behind_another(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(followed_by(STALE, answer(b"{}"))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        outputs = OutputClient("http://gateway.invalid", None, resolve=somewhere)
        with anyio.fail_after(10):
            assert [await fetch(outputs, "http://cdn.invalid/v.mp4") for _ in range(2)] == [b"{}", b"{}"]
        await outputs.aclose()


async def somewhere(host: str, port: int) -> list[str]:
    return ["93.184.216.34"]


async def ask_twice(url: str) -> None:
    client = HttpClient(url, None)
    for _ in range(2):
        with anyio.fail_after(10):
            reply = await client.post("/jobs", {}, headers={}, timeouts=TIMES)
        assert (reply.status, reply.body) == (200, {})
    await client.aclose()
