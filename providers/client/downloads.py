"""Fetching results: other hosts than the gateway's, so without its key, and never from inside the user's network.

A result's host is looked up first, its addresses are checked, and the connection goes to the checked address (so that
a second look-up cannot answer otherwise); TLS still proves the host's name. Redirects are followed by hand, each under
the same rule, and without the key from the first one on: whoever may say where a result is must not say where the key
goes. What inside the user's network may be fetched from says `reach.py`.

Where the environment names a proxy, it makes the connection and looks the host up itself: what can be looked up here is
still checked, and the key goes through it only inside TLS.
"""

import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import anyio
import anyio.to_thread
import httpcore
import httpx

from ...domain.errors import OutputError, OutputExpired, OutputRejected, OutputUnavailable
from ...domain.job import RemoteOutput
from ..formats.readings import urls_in
from ..provider import OutputStream
from .addresses import Resolve, absolute_url, is_public, resolve
from .certificates import certificates
from .encodings import EncodingRefused, TooLarge, decoded, whole_body
from .http import user_agent
from .network import Network
from .proxies import proxy_for
from .reach import Reach, port
from .redaction import Redaction
from .reply import Reply, parse_body, retry_after

REDIRECTS_MAX = 5
SECONDS_MAX = 1800.0
"""Limit on one download from the first look-up to the last byte, however steadily it drips."""

HEAD_SECONDS_MAX = 120.0
"""Limit on what comes before the medium: look-ups, connections, redirects, and the heads of the answers."""

_TIMEOUT = httpx.Timeout(connect=10.0, read=30.0, write=30.0, pool=30.0)
_LIMITS = httpx.Limits(max_connections=16, max_keepalive_connections=0)
"""No connection is kept: one to an address could be used again for another name without proof of it, and what came
behind a whole answer would be taken for the next result."""
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
    """Opens outputs of one gateway. `result_origins` are places inside the network from which they may come, too.

    `transport`, `resolve` and `seconds_max` are for tests.
    """

    def __init__(
        self,
        base_url: str | None,
        api_key: str | None,
        *,
        result_origins: Sequence[str] = (),
        transport: httpx.AsyncBaseTransport | None = None,
        resolve: Resolve = resolve,
        seconds_max: float = SECONDS_MAX,
    ) -> None:
        self._base = httpx.URL(base_url) if base_url else None
        self._reach = Reach(self._base, result_origins)
        self._api_key = api_key
        self._redaction = Redaction(api_key)
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
        end = anyio.current_time() + self._seconds_max
        try:
            with anyio.fail_after(min(self._seconds_max, HEAD_SECONDS_MAX)):
                response = await self._fetch(output)
        except TimeoutError as error:
            raise _too_slow() from error
        try:
            yield _Stream(response, end)
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
                return await self._follow(replace(target, url=self._redaction.restored(target.url)))
            except OutputError as fault:
                faults.append(fault)
        raise next((fault for fault in faults if isinstance(fault, OutputUnavailable)), faults[0])

    async def _follow(self, target: _Target) -> httpx.Response:
        for _ in range(REDIRECTS_MAX + 1):
            url = _parsed(target.url)
            own = self._reach.is_own(url)
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
            return _Target(_joined(target.url, response.headers["location"]), with_key=False)
        if status not in {200, 206}:
            await response.aclose()
            if target.with_key and status in _NOT_YET and self._reach.is_own(_parsed(target.url)):
                raise OutputUnavailable(f"the gateway does not give the result out now (HTTP {status})")
            raise _fault_of(response)
        if status == 206 and not _is_all(response):
            await response.aclose()
            raise OutputUnavailable("only a part of the result was given out, which was not asked for")
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
        if self._reach.is_own(url):
            return await self._request(url, headers, None, proxy)
        if proxy is not None:
            await self._check_if_known(url)
            return await self._request(url, headers, None, proxy)
        fault: OutputUnavailable | None = None
        for address in await self._checked_addresses(url):
            headers["Host"] = url.netloc.decode("ascii")
            try:
                return await self._request(url.copy_with(host=address), headers, url)
            except _NotConnected as error:
                fault = error
        raise fault or OutputUnavailable(f"{self._named(url)} has no address")

    def _proxy(self, url: httpx.URL, *, with_key: bool) -> str | None:
        """The proxy to go through; never for the gateway's own plain http, as for its API."""
        if self._transport is not None or (url.scheme == "http" and (with_key or self._reach.is_own(url))):
            return None
        return proxy_for(url.scheme, url.host)

    async def _check_if_known(self, url: httpx.URL) -> None:
        """A proxy may know names that this machine does not."""
        try:
            await self._checked_addresses(url)
        except OutputUnavailable:
            return

    async def _request(
        self, url: httpx.URL, headers: dict[str, str], asked: httpx.URL | None, proxy: str | None = None
    ) -> httpx.Response:
        """`asked` is the URL before its host was replaced by one of its addresses; TLS proves that host's name."""
        extensions: dict[str, object] = {"timeout": _TIMEOUT.as_dict()}
        if asked is not None and url.scheme == "https":
            extensions["sni_hostname"] = asked.host
        request = httpx.Request("GET", url, headers=headers, extensions=extensions)
        host = self._named(asked or url)
        try:
            transport = await self._opened(proxy)
            return await transport.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _NotConnected(f"{host} cannot be reached") from error
        except (httpx.HTTPError, OSError) as error:
            raise OutputUnavailable(f"{host} gave no answer ({type(error).__name__})") from error

    async def _opened(self, proxy: str | None) -> httpx.AsyncBaseTransport:
        opened = self._transport if proxy is None else self._proxies.get(proxy)
        if opened is not None:
            return opened
        trusted = await anyio.to_thread.run_sync(certificates)
        # Others may have come by in the meantime.
        if proxy is not None:
            if proxy not in self._proxies:
                self._proxies[proxy] = httpx.AsyncHTTPTransport(verify=trusted, proxy=proxy, limits=_LIMITS)
            return self._proxies[proxy]
        if self._transport is None:
            self._transport = _Direct(trusted, _LIMITS)
        return self._transport

    async def _checked_addresses(self, url: httpx.URL) -> list[str]:
        addresses = await self._resolved(url)
        if all(map(is_public, addresses)):
            return addresses
        permitted = self._reach.permitted(url, addresses, await self._resolved(self._base) if self._base else ())
        if permitted:
            return permitted
        raise OutputRejected(
            f"the result is on {self._named(url)}, an address inside this network, and was not fetched; "
            "if it belongs there, name its origin in result_origins of this provider's table in rushes.toml"
        )

    async def _resolved(self, url: httpx.URL) -> list[str]:
        try:
            return await self._resolve(url.raw_host.decode("ascii"), port(url))
        except UnicodeError as error:
            raise OutputRejected("the result's URL has no valid host") from error
        except OSError as error:
            raise OutputUnavailable(f"{self._named(url)} cannot be looked up") from error

    def _named(self, url: httpx.URL) -> str:
        """The host, for a message; a hostile one may hold the key, in lower case as hosts are written."""
        return "its host" if self._api_key and self._api_key.lower() in url.host else url.host


class _Direct(httpx.AsyncHTTPTransport):
    """The library's own, but that the gateway's host is looked up as others' are: not in the threads that all share."""

    def __init__(self, trusted: ssl.SSLContext, limits: httpx.Limits) -> None:
        super().__init__(verify=trusted, limits=limits)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trusted,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            network_backend=Network(),
        )


class _NotConnected(OutputUnavailable):
    """One address of a host does not answer; the next may."""


class _Stream:
    """`end` is the moment, by the event loop's clock, at which the last byte must have come."""

    def __init__(self, response: httpx.Response, end: float) -> None:
        self._response = response
        self._end = end

    @property
    def mime_type(self) -> str | None:
        return _media_type(self._response) or None

    @property
    def size_bytes(self) -> int | None:
        length = self._response.headers.get("content-length", "")
        encoded = "content-encoding" in self._response.headers
        return int(length) if length.isdecimal() and len(length) < 16 and not encoded else None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async with aclosing(decoded(self._response)) as chunks:
                while True:
                    with anyio.fail_after(self._end - anyio.current_time()):
                        chunk = await anext(chunks, None)
                    if chunk is None:
                        return
                    yield chunk
        except TimeoutError as error:
            raise _too_slow() from error
        except EncodingRefused as error:
            raise OutputRejected(f"the result cannot be read: {error}") from error
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise OutputUnavailable(f"the result broke off ({type(error).__name__})") from error


def _too_slow() -> OutputUnavailable:
    return OutputUnavailable("the result came too slowly")


def _parsed(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise OutputRejected("the result's URL is not valid") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise OutputRejected("the result's URL is neither http nor https")
    if not 0 < port(url) < 65536:
        raise OutputRejected("the result's URL has no valid port")
    return url.copy_with(userinfo=b"", fragment=None)


def _joined(url: str, location: str) -> str:
    try:
        return str(httpx.URL(url).join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise OutputRejected("the result was redirected to an invalid URL") from error


def _media_type(response: httpx.Response) -> str:
    media_type: str = response.headers.get("content-type", "")
    return media_type.partition(";")[0].strip().lower()


def _is_all(response: httpx.Response) -> bool:
    """Whether a partial answer holds everything from the first byte to the last, as its range says."""
    told = re.fullmatch(r"bytes 0-(\d{1,15})/(\d{1,15})", response.headers.get("content-range", "").strip())
    return told is not None and int(told[1]) + 1 == int(told[2])


def _fault_of(response: httpx.Response) -> OutputError:
    status = response.status_code
    if status in _GONE:
        return OutputExpired(f"the result's URL no longer works (HTTP {status})")
    headers = {name.lower(): value for name, value in response.headers.items()}
    wait = retry_after(Reply(status, headers, b"", datetime.now(UTC)))
    return OutputUnavailable(f"the result cannot be fetched now (HTTP {status})", retry_after_seconds=wait)


async def _linked_in(response: httpx.Response) -> str:
    try:
        data = await whole_body(response, _JSON_BYTES_MAX)
    except (TooLarge, EncodingRefused) as error:
        raise OutputRejected("the result is JSON, not a medium") from error
    except (httpx.HTTPError, OSError) as error:
        raise OutputUnavailable("the result broke off") from error
    finally:
        await response.aclose()
    body = parse_body("application/json", data)
    links = [] if isinstance(body, bytes) else [url for url in urls_in(body) if not url.startswith("data:")]
    if not links:
        raise OutputUnavailable("the gateway answered with JSON instead of the result")
    return links[0]
