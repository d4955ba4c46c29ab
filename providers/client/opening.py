"""A connection to a gateway, as far as a first request: TCP, the proxy's tunnel where there is a proxy, TLS.

Nothing of a request goes out here, so whatever goes wrong the gateway has got nothing.
"""

import ssl
from base64 import b64encode

import anyio
import anyio.to_thread
import httpcore
import httpx

from .certificates import certificates
from .network import Network

KEEPALIVE_SECONDS = 20.0
"""Idle connections are kept for this long: a little over the time between two looks at a job."""


class GatewayConnection(httpcore.AsyncHTTP11Connection):
    """It has expired, too, where bytes came behind a whole answer: they would be read as the next request's answer, and
    could tell a paid one as refused."""

    def has_expired(self) -> bool:
        return bool(self._h11_state.trailing_data[0]) or super().has_expired()


class Opener:
    """Opens connections to one gateway. `proxy` is the address of an HTTP proxy, which is asked for a tunnel."""

    def __init__(self, proxy: str | None) -> None:
        self._proxy_address = proxy
        self._proxy: httpx.Proxy | None = None
        self._trusted: ssl.SSLContext | None = None
        self._reading = anyio.Lock()
        self._network = Network()

    async def open(self, origin: httpcore.Origin, seconds: float) -> GatewayConnection:
        """A new connection. `seconds` bounds each part of the way: TCP, the tunnel, TLS.

        Raises:
            httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.ProxyError: there is none.
        """
        if origin.scheme == b"http":
            return GatewayConnection(origin, await self._reached(origin, seconds), KEEPALIVE_SECONDS)
        trusted = await self._prepared()
        if self._proxy is None:
            stream = await self._reached(origin, seconds)
        else:
            stream = await self._tunnelled(self._proxy, trusted, origin, seconds)
        return GatewayConnection(origin, await _encrypted(stream, trusted, origin, seconds), KEEPALIVE_SECONDS)

    async def _prepared(self) -> ssl.SSLContext:
        async with self._reading:
            if self._trusted is None:
                try:
                    # The first of a process reads them from files, which blocks for tens of milliseconds.
                    self._trusted = await anyio.to_thread.run_sync(certificates)
                    self._proxy = httpx.Proxy(self._proxy_address) if self._proxy_address else None
                except (OSError, ValueError, httpx.InvalidURL) as error:
                    raise httpcore.ConnectError("the certificates or the proxy's address cannot be used") from error
            return self._trusted

    async def _reached(self, origin: httpcore.Origin, seconds: float) -> httpcore.AsyncNetworkStream:
        return await self._network.connect_tcp(origin.host.decode("ascii"), origin.port, seconds)

    async def _tunnelled(
        self, proxy: httpx.Proxy, trusted: ssl.SSLContext, origin: httpcore.Origin, seconds: float
    ) -> httpcore.AsyncNetworkStream:
        request = _connect_request(proxy, origin)
        stream = await self._reached(request.url.origin, seconds)
        if request.url.scheme == b"https":
            stream = await _encrypted(stream, trusted, request.url.origin, seconds)
        connection = httpcore.AsyncHTTP11Connection(request.url.origin, stream)
        try:
            with anyio.fail_after(seconds):
                response = await connection.handle_async_request(request)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("the proxy gave no answer") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise httpcore.ProxyError("the proxy gave no whole answer") from error
        if not 200 <= response.status < 300:
            await connection.aclose()
            raise httpcore.ProxyError(f"the proxy answered HTTP {response.status}")
        return stream


def _connect_request(proxy: httpx.Proxy, origin: httpcore.Origin) -> httpcore.Request:
    host = b"[%b]" % origin.host if b":" in origin.host else origin.host
    target = b"%b:%d" % (host, origin.port)
    headers = [(b"Host", target), (b"Accept", b"*/*"), *proxy.headers.raw]
    if proxy.raw_auth is not None:
        headers.append((b"Proxy-Authorization", b"Basic " + b64encode(b":".join(proxy.raw_auth))))
    url = httpcore.URL(scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=target)
    return httpcore.Request(b"CONNECT", url, headers=headers)


async def _encrypted(
    stream: httpcore.AsyncNetworkStream, trusted: ssl.SSLContext, origin: httpcore.Origin, seconds: float
) -> httpcore.AsyncNetworkStream:
    trusted.set_alpn_protocols(["http/1.1"])
    return await stream.start_tls(trusted, origin.host.decode("ascii"), seconds)
