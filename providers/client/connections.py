"""Connections to one gateway, each used again for as long as it lives.

httpcore opens them and speaks HTTP on them. Its own pool is not used: at each request it walks through all its
connections, and asks the system about every idle one, twice.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import cast

import anyio
import anyio.to_thread
import httpcore
import httpx

from .certificates import certificates
from .network import Network

KEEPALIVE_SECONDS = 20.0
"""Idle connections are kept for this long: a little over the time between two looks at a job."""

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


class Connections(httpx.AsyncBaseTransport):
    """Up to `connections_max` at once; who comes when all are taken waits for the next that is free.

    A request's extensions name its limits in seconds (`timeout`: `connect` on each part of opening a connection, and
    `pool` on the wait for one); on the rest the caller has a limit. `trace` hears of a connection that is opened, and
    of nothing where one is used again.
    """

    def __init__(self, connections_max: int, proxy: str | None = None) -> None:
        self._proxy = proxy
        self._free = anyio.Semaphore(connections_max, fast_acquire=True)
        self._idle: list[httpcore.AsyncConnectionInterface] = []
        self._open: set[httpcore.AsyncConnectionInterface] = set()
        self._opening = anyio.Lock()
        self._make: Callable[[httpcore.Origin], httpcore.AsyncConnectionInterface] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._turn(request)
        connection: httpcore.AsyncConnectionInterface | None = None
        try:
            connection = await self._reused()
            sent = _as_sent(request, {} if connection is not None else request.extensions)
            connection = connection or await self._opened(sent.url.origin)
            with _told():
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

    async def _reused(self) -> httpcore.AsyncConnectionInterface | None:
        """The one that was used last, if the gateway has not closed it meanwhile."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed() and not connection.has_expired():
                return connection
            self._open.discard(connection)
            await connection.aclose()
        return None

    async def _opened(self, origin: httpcore.Origin) -> httpcore.AsyncConnectionInterface:
        if self._make is None:
            async with self._opening:
                # The first of a process reads the certificates, which blocks for tens of milliseconds.
                if self._make is None:
                    try:
                        self._make = await anyio.to_thread.run_sync(self._maker, origin)
                    except (OSError, ValueError) as error:
                        raise httpx.ConnectError("the certificates or the proxy's address cannot be used") from error
        connection = self._make(origin)
        self._open.add(connection)
        return connection

    def _maker(self, origin: httpcore.Origin) -> Callable[[httpcore.Origin], httpcore.AsyncConnectionInterface]:
        trusted = certificates() if origin.scheme == b"https" else None
        if self._proxy is None:
            return httpcore.AsyncConnectionPool(
                ssl_context=trusted, keepalive_expiry=KEEPALIVE_SECONDS, network_backend=Network()
            ).create_connection
        proxy = httpx.Proxy(self._proxy)
        return httpcore.AsyncHTTPProxy(
            proxy_url=str(proxy.url),
            proxy_auth=proxy.raw_auth,
            ssl_context=trusted,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=Network(),
        ).create_connection

    async def _done(self, connection: httpcore.AsyncConnectionInterface) -> None:
        """A request has ended; after a whole answer its connection can be used again."""
        if connection in self._open and connection.is_idle():
            self._idle.append(connection)
            self._free.release()
        else:
            await self._dropped(connection)

    async def _dropped(self, connection: httpcore.AsyncConnectionInterface | None) -> None:
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


def _as_sent(request: httpx.Request, extensions: Mapping[str, object]) -> httpcore.Request:
    url = request.url
    if url.scheme not in {"http", "https"}:
        raise httpx.UnsupportedProtocol("neither http nor https")
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=cast("httpx.AsyncByteStream", request.stream),
        extensions=dict(extensions),
    )


@contextmanager
def _told() -> Generator[None]:
    """httpcore's faults as httpx's, which tests give too."""
    try:
        yield
    except tuple(_FAULTS) as error:
        raise _FAULTS[type(error)](str(error)) from error
