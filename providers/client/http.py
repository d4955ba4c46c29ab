"""The HTTP client of a gateway: connections, the key, limits, and what a fault on the way means.

The only module that knows the HTTP library; it is imported when a gateway is first used. Nothing is retried here: a
lost answer to a paid POST must not become a second POST, and polls are repeated by who polls.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx
from pydantic import JsonValue

from ..provider import AnswerSink
from .connections import Connections, RequestProgress
from .encodings import ACCEPTED, EncodingRefused, TooLarge, decoded, whole_body
from .handed_over import without_tokens
from .inline_media import Received, receive
from .proxies import proxy_for
from .redaction import Redaction
from .reply import NoReply, Reply, is_medium, parse_body

logger = logging.getLogger(__name__)

READ_BYTES_MAX = 4 * 1024 * 1024
"""Largest reply to a poll, a list or an asynchronous submission."""

MEDIA_BYTES_MAX = 64 * 1024 * 1024
"""Largest reply of an endpoint that answers with the media themselves."""

NO_QUERY: Mapping[str, str] = MappingProxyType({})

LONG_BYTES = 64 * 1024
"""A reply of more is read beside the event loop."""


@dataclass(frozen=True)
class Timeouts:
    """Limits in seconds on the parts of one request, and on all of it."""

    total: float
    connect: float = 10.0
    pool: float = 30.0

    def for_transport(self) -> dict[str, float]:
        """As the transport is told of them. Of a read or a write alone there is no limit: that on all of the request
        comes first, and each limit costs a timer."""
        return {"connect": min(self.connect, self.total / 2), "pool": min(self.pool, self.total / 2)}


OUTCOMES: Mapping[type[Exception], tuple[Literal["refused", "lost"], str]] = {
    httpx.ConnectTimeout: ("refused", "the connection could not be opened in time"),
    httpx.ConnectError: ("refused", "the connection could not be opened"),
    httpx.PoolTimeout: ("refused", "too many requests to it are under way"),
    httpx.ProxyError: ("refused", "the proxy did not let the connection through"),
    httpx.UnsupportedProtocol: ("refused", "the base URL is neither http nor https"),
    httpx.LocalProtocolError: ("refused", "the request could not be formed"),
    httpx.InvalidURL: ("refused", "the base URL is not valid"),
    httpx.WriteTimeout: ("lost", "the request could not be written in time"),
    httpx.WriteError: ("lost", "the connection broke while the request was written"),
    httpx.ReadTimeout: ("lost", "no answer came in time"),
    httpx.ReadError: ("lost", "the connection broke before the answer came"),
    httpx.RemoteProtocolError: ("lost", "the answer broke off or was no HTTP"),
    httpx.DecodingError: ("lost", "the answer was compressed wrongly"),
    TimeoutError: ("lost", "no whole answer came in time"),  # unless the connection was still being opened
    OSError: ("lost", "the connection broke"),
}
"""What a fault on the way means for a submission.

*refused*: not a byte of the request was written, so the gateway cannot have taken it: DNS failure, connection refused,
failed TLS handshake (all `ConnectError`), a connection that did not open in time, no free connection, a proxy that
refused the tunnel, a request that could not be formed. *lost*: bytes were or may have been written and no whole answer
came back; the gateway may have accepted. What a whole answer means is decided by `submission_outcome` in `verdict.py`.
"""


class HttpClient:
    """Requests to one gateway, and to no other host: redirects are not followed.

    `base_url` is scheme, host and prefix; every path goes below it. `requests_max` bounds the reads under way at once,
    and the submissions: each have connections of their own, so that submissions that are answered slowly keep nobody
    from looking at a job. `transport` is for tests.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        requests_max: int = 16,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._redaction = Redaction(api_key)
        self._long_replies = anyio.CapacityLimiter(1)
        self._reads = transport or self._connections(requests_max)
        self._submissions = transport or self._connections(requests_max)

    async def post(
        self,
        path: str,
        body: Mapping[str, JsonValue],
        *,
        query: Mapping[str, str] = NO_QUERY,
        multipart: Sequence[tuple[str, tuple[str | None, str | bytes, str | None]]] | None = None,
        headers: Mapping[str, str],
        timeouts: Timeouts,
        bytes_max: int = READ_BYTES_MAX,
        sink: AnswerSink | None = None,
    ) -> Reply:
        """One POST with a JSON body, or with form parts (file name, content, type). Media in the answer go to `sink`.

        Raises:
            NoReply: no whole answer came; its `outcome` says what that means.
            StoreError, OutputRejected: of the sink.
        """
        json = None if multipart is not None else body
        sent = self._headers(headers)
        try:
            request = httpx.Request(
                "POST", self._url(path), params=dict(query) or None, json=json, files=multipart, headers=sent
            )
        except (ValueError, TypeError, httpx.InvalidURL) as error:
            # Such as half an emoji in the prompt, NaN in an option, a key beyond ASCII.
            raise NoReply("refused", "the request could not be formed") from error
        return await self._send(self._submissions, request, timeouts, bytes_max, sink)

    async def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        timeouts: Timeouts,
        *,
        sink: AnswerSink | None = None,
    ) -> Reply:
        """One request without a body. Media in the answer go to `sink`.

        Raises:
            NoReply: no whole answer came.
            StoreError, OutputRejected: of the sink.
        """
        try:
            request = httpx.Request(method, self._url(path), params=dict(query) or None, headers=self._headers({}))
        except (ValueError, httpx.InvalidURL) as error:
            raise NoReply("refused", "the request could not be formed") from error
        return await self._send(self._reads, request, timeouts, READ_BYTES_MAX, sink)

    async def aclose(self) -> None:
        """Close the connections; a later request opens new ones."""
        await self._reads.aclose()
        await self._submissions.aclose()

    def _connections(self, connections_max: int) -> Connections:
        # Through a proxy, plain http would show the key to a host that is not the gateway's.
        parts = urlsplit(self._base_url)
        return Connections(
            connections_max, proxy_for("https", parts.hostname or "") if parts.scheme == "https" else None
        )

    def _url(self, path: str) -> httpx.URL:
        if not path.startswith("/"):
            raise ValueError(f"a path below the base URL starts with a slash, not {path!r}")
        return _parsed_url(self._base_url + path)

    def _headers(self, extra: Mapping[str, str]) -> dict[str, str]:
        own = {"Accept": "application/json, */*;q=0.5", "Accept-Encoding": ACCEPTED, "User-Agent": user_agent()}
        headers = {**own, **extra}
        if self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key}"
        return headers

    async def _send(
        self,
        transport: httpx.AsyncBaseTransport,
        request: httpx.Request,
        timeouts: Timeouts,
        bytes_max: int,
        sink: AnswerSink | None,
    ) -> Reply:
        progress = RequestProgress()
        request.extensions |= {"timeout": timeouts.for_transport(), "progress": progress}
        started = time.monotonic()
        try:
            with anyio.fail_after(timeouts.total):
                response = await transport.handle_async_request(request)
                try:
                    received = await _read(response, bytes_max, sink)
                finally:
                    await response.aclose()
        except tuple(OUTCOMES) as error:
            raise _no_reply(error, progress) from error
        took = round((time.monotonic() - started) * 1000)
        logger.debug(
            "answered",
            extra={"method": request.method, "path": request.url.path, "status": response.status_code, "took_ms": took},
        )
        return await self._reply(response, received)

    async def _reply(self, response: httpx.Response, received: Received) -> Reply:
        """The reply without the key, which some gateways repeat: in a message about it, or in the address of a result.

        The `Reply` alone is read from here on, so that what is shown, logged or stored cannot hold it.
        """
        data = received.data
        content_type = response.headers.get("content-type", "")

        def parse() -> JsonValue | bytes:
            body = parse_body(content_type, data)
            if is_medium(content_type):
                return body
            body = self._redaction.body(body)
            return without_tokens(body) if b"hooks" in data else body

        is_long = len(data) > LONG_BYTES
        body = await anyio.to_thread.run_sync(parse, limiter=self._long_replies) if is_long else parse()
        headers = {name.lower(): self._redaction.text(value) for name, value in response.headers.items()}
        now = datetime.now(UTC)
        return Reply(response.status_code, headers, body, now, received.held, received.medium, is_long)


async def _read(response: httpx.Response, bytes_max: int, sink: AnswerSink | None) -> Received:
    try:
        if sink is None or not response.is_success:
            return Received(await whole_body(response, bytes_max))
        async with aclosing(decoded(response)) as chunks:
            return await receive(chunks, response.headers.get("content-type", ""), sink, READ_BYTES_MAX)
    except TooLarge as error:
        raise NoReply("lost", f"the answer is larger than {bytes_max // 1024 // 1024} MiB") from error
    except EncodingRefused as error:
        raise NoReply("lost", f"the answer cannot be read: {error}") from error


@lru_cache(maxsize=512)
def _parsed_url(url: str) -> httpx.URL:
    """To parse one takes as long as to read an answer, and the same few are asked for again and again."""
    return httpx.URL(url)


def _no_reply(error: Exception, progress: RequestProgress) -> NoReply:
    if isinstance(error, TimeoutError) and progress.connecting:
        error = httpx.ConnectTimeout(str(error))
    for kind, (outcome, words) in OUTCOMES.items():
        if isinstance(error, kind):
            return NoReply(outcome, words)
    raise AssertionError from error


@cache
def user_agent() -> str:
    """`rushes/` and the version."""
    try:
        return f"rushes/{version('rushes')}"
    except PackageNotFoundError:
        return "rushes"
