"""Connections to one gateway, each used again for as long as it lives.

httpcore opens them and speaks HTTP on them. Its own pool is not used: at each request it walks through all its
connections, and asks the system about every idle one, twice.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import cast

import anyio
import httpcore
import httpx

from .opening import GatewayConnection, Opener

_FAULTS: Mapping[type[Exception], type[httpx.HTTPError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ConnectionNotAvailable: httpx.ConnectError,  # all were closed just before the request went out
    httpcore.ProxyError: httpx.ProxyError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
}


@dataclass
class RequestProgress:
    """How far a request has come."""

    connecting: bool = False
    """Its connection is being opened, or could not be: nothing of it has gone out."""


class Connections(httpx.AsyncBaseTransport):
    """Up to `connections_max` at once; who comes when all are taken waits for the next that is free.

    A request's extensions name its limits in seconds (`timeout`: `connect` on each part of opening a connection, and
    `pool` on the wait for one); on the rest the caller has a limit. Its `progress` is kept true meanwhile.
    """

    def __init__(self, connections_max: int, proxy: str | None = None) -> None:
        self._free = anyio.Semaphore(connections_max, fast_acquire=True)
        self._idle: list[GatewayConnection] = []
        self._open: set[GatewayConnection] = set()
        self._opener = Opener(proxy)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._turn(request)
        connection: GatewayConnection | None = None
        try:
            sent = _as_sent(request)
            with _told():
                connection = await self._reused() or await self._opened(request, sent.url.origin)
                response = await connection.handle_async_request(sent)
        except BaseException:
            await self._dropped(connection)
            raise
        body = _Body(response, partial(self._done, connection))
        return httpx.Response(response.status, headers=response.headers, stream=body)

    async def aclose(self) -> None:
        """Close all of them; a later request opens anew."""
        opened, self._open, self._idle = self._open, set(), []
        for connection in opened:
            await connection.aclose()

    async def _turn(self, request: httpx.Request) -> None:
        try:
            self._free.acquire_nowait()
        except anyio.WouldBlock:
            try:
                with anyio.fail_after(request.extensions["timeout"]["pool"]):
                    await self._free.acquire()
            except TimeoutError as error:
                raise httpx.PoolTimeout("no connection is free") from error

    async def _reused(self) -> GatewayConnection | None:
        """The one that was used last, if the gateway has neither closed it nor said anything unasked meanwhile."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed() and not connection.has_expired():
                return connection
            self._open.discard(connection)
            await connection.aclose()
        return None

    async def _opened(self, request: httpx.Request, origin: httpcore.Origin) -> GatewayConnection:
        progress = cast("RequestProgress", request.extensions.get("progress", RequestProgress()))
        opened, progress.connecting = self._open, True
        connection = await self._opener.open(origin, request.extensions["timeout"]["connect"])
        # Where all were closed meanwhile, it serves this request and is not used again.
        opened.add(connection)
        progress.connecting = False
        return connection

    async def _done(self, connection: GatewayConnection) -> None:
        """A request has ended; after a whole answer its connection can be used again."""
        if connection in self._open and connection.is_idle():
            self._idle.append(connection)
            self._free.release()
        else:
            await self._dropped(connection)

    async def _dropped(self, connection: GatewayConnection | None) -> None:
        try:
            if connection is not None:
                self._open.discard(connection)
                with anyio.CancelScope(shield=True):
                    await connection.aclose()
        finally:
            self._free.release()


class _Body(httpx.AsyncByteStream):
    """An answer's body; `done` is called once it is closed."""

    def __init__(self, response: httpcore.Response, done: Callable[[], Awaitable[None]]) -> None:
        self._response = response
        self._done = done
        self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _told():
            async for chunk in self._response.aiter_stream():
                yield chunk

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            try:
                await self._response.aclose()
            finally:
                await self._done()


def _as_sent(request: httpx.Request) -> httpcore.Request:
    url = request.url
    if url.scheme not in {"http", "https"}:
        raise httpx.UnsupportedProtocol("neither http nor https")
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=cast("httpx.AsyncByteStream", request.stream),
    )


@contextmanager
def _told() -> Generator[None]:
    """httpcore's faults as httpx's, which tests give too."""
    try:
        yield
    except tuple(_FAULTS) as error:
        raise _FAULTS[type(error)](str(error)) from error
