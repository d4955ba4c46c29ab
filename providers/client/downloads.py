"""Fetching results: other hosts than the gateway's, so without its key, and never from inside the user's network.

A result's host is looked up first, its addresses are checked, and the connection goes to the checked address (so that
a second look-up cannot answer otherwise); TLS still proves the host's name. Redirects are followed by hand, each under
the same rule. A loopback or private address is fetched from only if the gateway's own base URL is on such a one.

Where the environment names a proxy, it makes the connection and looks the host up itself: what can be looked up here is
still checked, and the key goes through it only inside TLS.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import anyio
import httpx

from ...domain.errors import OutputError, OutputExpired, OutputRejected, OutputUnavailable
from ...domain.job import RemoteOutput
from ..formats.readings import urls_in
from ..provider import OutputStream
from .addresses import Resolve, absolute_url, is_public, resolve
from .http import user_agent
from .proxies import proxy_for
from .reply import Reply, parse_body, retry_after

REDIRECTS_MAX = 5
SECONDS_MAX = 1800.0
"""Limit on one download, however steadily it drips."""

_TIMEOUT = httpx.Timeout(connect=10.0, read=30.0, write=30.0, pool=30.0)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_YET = frozenset({401, 403, 404, 409, 425})
"""From the gateway itself, which told of the result: it is a moment late, or the key must be put right."""
_GONE = frozenset({400, 401, 403, 404, 410, 451})
_JSON_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True)
class _Target:
    url: str
    with_key: bool
    key_on_request: bool = False
    """The key may be sent to the gateway's own host if it answers that it wants one."""


class OutputClient:
    """Opens outputs of one gateway. `transport`, `resolve` and `seconds_max` are for tests."""

    def __init__(
        self,
        base_url: str | None,
        api_key: str | None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve = resolve,
        seconds_max: float = SECONDS_MAX,
    ) -> None:
        self._base = httpx.URL(base_url) if base_url else None
        self._api_key = api_key
        self._transport = transport
        self._resolve = resolve
        self._seconds_max = seconds_max
        self._proxies: dict[str, httpx.AsyncBaseTransport] = {}

    @asynccontextmanager
    async def open(self, output: RemoteOutput) -> AsyncGenerator[OutputStream]:
        """The output as a stream of bytes.

        Raises:
            OutputUnavailable: a passing fault. OutputExpired: the URL does not work; a moment after success that may
                yet change, as storage shows a new object late, so who keeps outputs asks again before believing it.
            OutputRejected: it may not be fetched.
        """
        response = await self._fetch(output)
        try:
            yield _Stream(response, self._seconds_max)
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close what is open; a later fetch opens anew."""
        opened = [self._transport, *self._proxies.values()]
        self._transport, self._proxies = None, {}
        for transport in opened:
            if transport is not None:
                await transport.aclose()

    async def _fetch(self, output: RemoteOutput) -> httpx.Response:
        # Where a fallback with the key exists, the URL itself is signed, and is never shown the key.
        guess = output.fallback_url is None
        targets = [_Target(output.url, output.authenticated, key_on_request=guess)] if output.url else []
        targets += [_Target(output.fallback_url, with_key=True)] if output.fallback_url else []
        if not targets:
            raise OutputRejected("the output has no URL")
        faults: list[OutputError] = []
        for target in targets:
            try:
                return await self._follow(target)
            except OutputError as fault:
                faults.append(fault)
        raise next((fault for fault in faults if isinstance(fault, OutputUnavailable)), faults[0])

    async def _follow(self, target: _Target) -> httpx.Response:
        for _ in range(REDIRECTS_MAX + 1):
            url = _parsed(target.url)
            own = self._is_own(url)
            response = await self._get(url, with_key=target.with_key and own)
            if own and target.key_on_request and not target.with_key and response.status_code in {401, 403}:
                await response.aclose()
                response = await self._get(url, with_key=True)
            elsewhere = await self._elsewhere(response, target)
            if elsewhere is None:
                return response
            target = elsewhere
        raise OutputRejected(f"the result was redirected more than {REDIRECTS_MAX} times")

    async def _elsewhere(self, response: httpx.Response, target: _Target) -> _Target | None:
        """Where the medium is instead, if the answer is not the medium itself; the answer is then closed."""
        status = response.status_code
        if status in _REDIRECTS and "location" in response.headers:
            await response.aclose()
            return replace(target, url=_joined(target.url, response.headers["location"]))
        if status not in {200, 206}:
            await response.aclose()
            if target.with_key and status in _NOT_YET and self._is_own(_parsed(target.url)):
                raise OutputUnavailable(f"the gateway does not give the result out now (HTTP {status})")
            raise _fault_of(response)
        if target.with_key and _media_type(response) == "application/json":
            # Some servers of this kind answer with a URL instead of the bytes.
            link = await _linked_in(response)
            return _Target(absolute_url(str(self._base or ""), link), with_key=False, key_on_request=True)
        return None

    async def _get(self, url: httpx.URL, *, with_key: bool) -> httpx.Response:
        headers = {"User-Agent": user_agent(), "Accept": "*/*", "Accept-Encoding": "identity"}
        if with_key and self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key}"
        proxy = self._proxy(url, with_key=with_key)
        if self._is_own(url):
            return await self._request(url, headers, None, proxy)
        if proxy is not None:
            await self._check_if_known(url)
            return await self._request(url, headers, None, proxy)
        fault: OutputUnavailable | None = None
        for address in await self._checked_addresses(url):
            headers["Host"] = url.netloc.decode("ascii")
            try:
                return await self._request(url.copy_with(host=address), headers, url.host)
            except _NotConnected as error:
                fault = error
        raise fault or OutputUnavailable(f"{url.host} has no address")

    def _proxy(self, url: httpx.URL, *, with_key: bool) -> str | None:
        """The proxy to go through; never for the gateway's own plain http, as for its API."""
        if self._transport is not None or (url.scheme == "http" and (with_key or self._is_own(url))):
            return None
        return proxy_for(url.scheme, url.host)

    async def _check_if_known(self, url: httpx.URL) -> None:
        """A proxy may know names that this machine does not."""
        try:
            await self._checked_addresses(url)
        except OutputUnavailable:
            return

    async def _request(
        self, url: httpx.URL, headers: dict[str, str], certified: str | None, proxy: str | None = None
    ) -> httpx.Response:
        extensions: dict[str, object] = {"timeout": _TIMEOUT.as_dict()}
        if certified is not None and url.scheme == "https":
            extensions["sni_hostname"] = certified
        request = httpx.Request("GET", url, headers=headers, extensions=extensions)
        host = certified or url.host
        try:
            return await self._opened(proxy).handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _NotConnected(f"{host} cannot be reached") from error
        except (httpx.HTTPError, OSError) as error:
            raise OutputUnavailable(f"{host} gave no answer ({type(error).__name__})") from error

    def _opened(self, proxy: str | None) -> httpx.AsyncBaseTransport:
        if proxy is not None:
            if proxy not in self._proxies:
                self._proxies[proxy] = httpx.AsyncHTTPTransport(proxy=proxy)
            return self._proxies[proxy]
        if self._transport is None:
            # No connection is kept: one to an address could be reused for another name without proof of it.
            self._transport = httpx.AsyncHTTPTransport(
                limits=httpx.Limits(max_connections=16, max_keepalive_connections=0)
            )
        return self._transport

    def _is_own(self, url: httpx.URL) -> bool:
        return self._base is not None and _origin(url) == _origin(self._base)

    async def _checked_addresses(self, url: httpx.URL) -> list[str]:
        addresses = await self._resolved(url)
        if all(map(is_public, addresses)) or await self._base_is_inside():
            return addresses
        raise OutputRejected(f"the result is on {url.host}, an address inside this network, and was not fetched")

    async def _base_is_inside(self) -> bool:
        if self._base is None:
            return False
        return not any(map(is_public, await self._resolved(self._base)))

    async def _resolved(self, url: httpx.URL) -> list[str]:
        try:
            return await self._resolve(url.host, _port(url))
        except UnicodeError as error:
            raise OutputRejected("the result's URL has no valid host") from error
        except OSError as error:
            raise OutputUnavailable(f"{url.host} cannot be looked up") from error


class _NotConnected(OutputUnavailable):
    """One address of a host does not answer; the next may."""


class _Stream:
    def __init__(self, response: httpx.Response, seconds_max: float) -> None:
        self._response = response
        self._seconds_max = seconds_max

    @property
    def mime_type(self) -> str | None:
        return _media_type(self._response) or None

    @property
    def size_bytes(self) -> int | None:
        length = self._response.headers.get("content-length", "")
        encoded = "content-encoding" in self._response.headers
        return int(length) if length.isdecimal() and len(length) < 16 and not encoded else None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        end = anyio.current_time() + self._seconds_max
        try:
            async for chunk in self._response.aiter_bytes():
                yield chunk
                if anyio.current_time() > end:
                    raise OutputUnavailable("the result came too slowly")
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise OutputUnavailable(f"the result broke off ({type(error).__name__})") from error


def _parsed(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise OutputRejected("the result's URL is not valid") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise OutputRejected("the result's URL is neither http nor https")
    if not 0 < _port(url) < 65536:
        raise OutputRejected("the result's URL has no valid port")
    return url.copy_with(userinfo=b"", fragment=None)


def _joined(url: str, location: str) -> str:
    try:
        return str(httpx.URL(url).join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise OutputRejected("the result was redirected to an invalid URL") from error


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, _port(url)


def _media_type(response: httpx.Response) -> str:
    media_type: str = response.headers.get("content-type", "")
    return media_type.partition(";")[0].strip().lower()


def _fault_of(response: httpx.Response) -> OutputError:
    status = response.status_code
    if status in _GONE:
        return OutputExpired(f"the result's URL no longer works (HTTP {status})")
    headers = {name.lower(): value for name, value in response.headers.items()}
    wait = retry_after(Reply(status, headers, b"", datetime.now(UTC)))
    return OutputUnavailable(f"the result cannot be fetched now (HTTP {status})", retry_after_seconds=wait)


async def _linked_in(response: httpx.Response) -> str:
    data = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > _JSON_BYTES_MAX:
                raise OutputRejected("the result is JSON, not a medium")
    except (httpx.HTTPError, OSError) as error:
        raise OutputUnavailable("the result broke off") from error
    finally:
        await response.aclose()
    body = parse_body("application/json", bytes(data))
    links = [] if isinstance(body, bytes) else [url for url in urls_in(body) if not url.startswith("data:")]
    if not links:
        raise OutputUnavailable("the gateway answered with JSON instead of the result")
    return links[0]
