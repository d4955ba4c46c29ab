"""A server on loopback that does to a connection what a test says."""

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import anyio
from anyio.abc import Listener, SocketAttribute, SocketStream
from anyio.streams.tls import TLSListener

Conduct = Callable[[SocketStream, str], Awaitable[None]]
"""What happens after the head of a request was read; the connection is closed after it."""


@dataclass
class Server:
    port: int
    heads: list[str] = field(default_factory=list[str])
    """The heads of all requests, in order."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(
    conduct: Conduct, end_of_head: bytes = b"\r\n\r\n", *, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Server]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    server = Server(listener.listeners[0].extra(SocketAttribute.local_port))  # noqa: S610
    door = cast("Listener[SocketStream]", TLSListener(listener, tls, standard_compatible=False)) if tls else listener

    async def serve(stream: SocketStream) -> None:
        async with stream:
            try:
                head = await _head(stream, end_of_head)
                server.heads.append(head)
                await conduct(stream, head)
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                pass

    async with door, anyio.create_task_group() as tasks:
        tasks.start_soon(door.serve, serve)
        yield server
        tasks.cancel_scope.cancel()


async def _head(stream: SocketStream, end: bytes) -> str:
    data = await stream.receive()
    while end not in data:
        data += await stream.receive()
    return data.partition(b"\r\n\r\n")[0].decode("latin-1")


def answer(status: str, body: bytes = b"", **headers: str) -> Conduct:
    """A whole HTTP answer."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *lines])

    async def conduct(stream: SocketStream, head_of_request: str) -> None:
        await stream.send(head.encode() + b"\r\n\r\n" + body)

    return conduct


def raw(data: bytes) -> Conduct:
    """These bytes, then the end of the connection."""

    async def conduct(stream: SocketStream, head_of_request: str) -> None:
        await stream.send(data)

    return conduct
