"""Faults: what can be wrong with an answer, or with the connection that should carry it.

Each fault takes the answer that would have been given (`genuine`) and returns the one that is. The responses at the top
need the connection's transport, which `server.py` puts into the ASGI state.
"""

import asyncio
import json
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from time import time
from typing import Final, Literal, cast

import anyio
import anyio.lowlevel
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from .behaviours import Word
from .proxies import PROXY_ANSWERS, ProxyAnswer

LONGEST_SECONDS: Final = 600.0
"""Nothing is kept hanging or dripping for longer."""

CutHow = Literal["quiet", "reset"]


async def cut(scope: Scope, receive: Receive, how: CutHow) -> None:
    """End the connection now: `quiet` sends FIN, `reset` sends RST."""
    transport = cast(asyncio.Transport, scope["state"]["transport"])
    if how == "reset":
        connection = cast(socket.socket, transport.get_extra_info("socket"))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()
    await gone(receive)


async def gone(receive: Receive) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Cut(Response):
    """No answer at all."""

    def __init__(self, how: CutHow) -> None:
        super().__init__()
        self.how: CutHow = how

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await cut(scope, receive, self.how)


class Half(Response):
    """The head promises the whole body, half of it comes, then the connection ends."""

    def __init__(self, genuine: Response) -> None:
        body = bytes(genuine.body) or b'{"accepted": true}'
        super().__init__(body, genuine.status_code, {"content-type": genuine.headers.get("content-type", "text/plain")})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        part = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": part, "more_body": True})
        await cut(scope, receive, "quiet")


class NotHttp(Response):
    """Bytes that are no HTTP answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cast(asyncio.Transport, scope["state"]["transport"]).write(b"\x00\x01SSH-2.0-not a web server\r\n\r\n")
        await cut(scope, receive, "quiet")


class Hang(Response):
    """Silence until the client gives up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with anyio.move_on_after(LONGEST_SECONDS):
            await gone(receive)
        await cut(scope, receive, "quiet")


class Late(Response):
    """The genuine answer, some seconds later."""

    def __init__(self, genuine: Response, seconds: float) -> None:
        super().__init__()
        self.genuine = genuine
        self.seconds = min(seconds, LONGEST_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with anyio.move_on_after(self.seconds) as waiting:
            await gone(receive)
        if waiting.cancelled_caught:
            await self.genuine(scope, receive, send)


def dripping(genuine: Response, interval_seconds: float, seconds_max: float = LONGEST_SECONDS) -> Response:
    """A body byte by byte, and after so many seconds the rest of it: of JSON first blanks, with which it may begin, so
    that no byte is wrong."""
    content_type = genuine.headers.get("content-type", "")
    count = int(min(seconds_max, LONGEST_SECONDS) / max(interval_seconds, 0.001))
    body = b" " * count + bytes(genuine.body) if "json" in content_type else bytes(genuine.body)

    async def drops() -> AsyncIterator[bytes]:
        for byte in body[:count]:
            yield bytes((byte,))
            await anyio.sleep(interval_seconds)
        yield body[count:]

    return StreamingResponse(drops(), genuine.status_code, media_type=content_type)


def gzip_bomb(content_type: str, megabytes: int) -> Response:
    """A body of that many megabytes of zeros in a thousandth of it, with Content-Encoding gzip."""

    async def pieces() -> AsyncIterator[bytes]:
        packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        for _ in range(megabytes):
            yield packer.compress(bytes(2**20)) + packer.flush(zlib.Z_SYNC_FLUSH)
            await anyio.lowlevel.checkpoint()
        yield packer.flush()

    return StreamingResponse(pieces(), media_type=content_type, headers={"content-encoding": "gzip"})


def endless(content_type: str, megabytes: int, piece: bytes = b" " * 65536) -> Response:
    """A body of that many megabytes, without a length in its head."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(megabytes * 16):
            yield piece
            await anyio.lowlevel.checkpoint()

    return StreamingResponse(pieces(), media_type=content_type)


@dataclass(frozen=True)
class Spoilt:
    """What a fault may use."""

    word: Word
    genuine: Response
    error: Callable[[int], Response]
    """The gateway's own error of an HTTP status."""
    elsewhere: str
    """An address at another origin, where a visit is recorded."""


@dataclass(frozen=True)
class Fault:
    make: Callable[[Spoilt], Response]
    meaning: str
    parameters: tuple[str, ...] = ()
    accepted: bool = True
    """On a create, without a suffix: whether the job was accepted before it."""


_HTML: Final = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>nginx</body></html>"


def _html(status: int, title: str) -> Response:
    return Response(_HTML.format(title), status, media_type="text/html")


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")


def _relabelled(genuine: Response) -> Response:
    return Response(genuine.body, genuine.status_code, media_type="text/plain")


def _with_bom(genuine: Response) -> Response:
    return Response(b"\xef\xbb\xbf" + bytes(genuine.body), genuine.status_code, media_type="application/json")


def _rate_limited(spoilt: Spoilt, retry_after: str) -> Response:
    answer = spoilt.error(429)
    answer.headers["retry-after"] = retry_after
    return answer


def _redirect(spoilt: Spoilt) -> Response:
    return Response(status_code=spoilt.word.count(0, 307), headers={"location": spoilt.elsewhere})


def _from_a_proxy(answer: ProxyAnswer) -> Fault:
    def make(spoilt: Spoilt) -> Response:
        if answer.names_the_job:
            return _with_the_job(spoilt.error(answer.status), spoilt.genuine)
        content = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        return Response(content, answer.status, media_type=answer.media_type)

    return Fault(make, f"{answer.meaning} ({answer.source})")


def _with_the_job(error: Response, genuine: Response) -> Response:
    """The error, beside what the genuine answer holds (nothing where the job was not accepted)."""
    held: object = json.loads(bytes(genuine.body)) if genuine.media_type == "application/json" else {}
    told: object = json.loads(bytes(error.body))
    if not isinstance(held, dict) or not isinstance(told, dict):
        return error
    merged = {**cast(dict[str, object], held), **{k: v for k, v in cast(dict[str, object], told).items() if v}}
    return JSONResponse(merged, error.status_code)


FAULTS: Final[Mapping[str, Fault]] = {
    **{answer.name: _from_a_proxy(answer) for answer in PROXY_ANSWERS},
    "http": Fault(lambda s: s.error(s.word.count(0, 500)), "HTTP error in the gateway's own form", ("STATUS",), False),
    "http-empty": Fault(
        lambda s: Response(status_code=s.word.count(0, 500)), "HTTP error, no body", ("STATUS",), False
    ),
    "html-502": Fault(lambda s: _html(502, "502 Bad Gateway"), "502 with a proxy's HTML page", (), False),
    "retry-after": Fault(
        lambda s: _rate_limited(s, s.word.argument(0, "1")), "429 with Retry-After in seconds", ("SECONDS",), False
    ),
    "retry-after-date": Fault(
        lambda s: _rate_limited(s, formatdate(time() + s.word.number(0, 1), usegmt=True)),
        "429 with Retry-After as an HTTP date",
        ("SECONDS",),
        False,
    ),
    "redirect": Fault(_redirect, "a redirect to another origin, where the key must not arrive", ("STATUS",), False),
    "cut": Fault(lambda s: Cut("quiet"), "the connection is closed without an answer"),
    "reset": Fault(lambda s: Cut("reset"), "the connection is reset without an answer"),
    "half-response": Fault(lambda s: Half(s.genuine), "half of the answer, then the connection is closed"),
    "hang": Fault(lambda s: Hang(), "no answer for as long as the client waits"),
    "slow-drip": Fault(
        lambda s: dripping(s.genuine, s.word.number(0, 0.05), s.word.number(1, LONGEST_SECONDS)),
        "bytes drip in, one at a time, and after so many seconds the rest",
        ("SECONDS", "SECONDS_IN_ALL"),
    ),
    "late": Fault(lambda s: Late(s.genuine, s.word.number(0, 1)), "the right answer after a while", ("SECONDS",)),
    "not-http": Fault(lambda s: NotHttp(), "bytes that are not HTTP"),
    "html-200": Fault(lambda s: _html(200, "Welcome"), "200 with an HTML page"),
    "empty-200": Fault(lambda s: Response(status_code=200), "200 without a body"),
    "junk-json": Fault(lambda s: _json('{"id": "abc", "sta'), "200 with JSON that breaks off"),
    "null-json": Fault(lambda s: _json("null"), "200 with the JSON value null"),
    "list-json": Fault(lambda s: _json("[1, 2, 3]"), "200 with a JSON list instead of an object"),
    "deep-json": Fault(lambda s: _json("[" * 100_000 + "]" * 100_000), "200 with JSON nested 100,000 deep"),
    "huge-json": Fault(
        lambda s: endless("application/json", s.word.count(0, 256)), "200 with an enormous body", ("MEGABYTES",)
    ),
    "gzip-bomb": Fault(
        lambda s: gzip_bomb(s.genuine.headers.get("content-type", "application/json"), s.word.count(0, 1024)),
        "200, compressed, that becomes an enormous body",
        ("MEGABYTES",),
    ),
    "plain-text": Fault(lambda s: _relabelled(s.genuine), "the right body as text/plain"),
    "bom-json": Fault(lambda s: _with_bom(s.genuine), "the right body after a byte order mark"),
    "bad-utf8": Fault(
        lambda s: Response(b'{"id": "\xff\xfe"}', media_type="application/json"), "200 with JSON in no encoding"
    ),
}
"""The faults of an answer. On a create each comes with the suffixes `-before-accept` and `-after-accept` too; on later
requests with a prefix: `poll-reset`, `cancel-http:500`, `read-cut`, `output-half-response`."""


def spoil(word: Word, name: str, genuine: Response, error: Callable[[int], Response], elsewhere: str) -> Response:
    """The answer that the fault `name` makes of `genuine`."""
    return FAULTS[name].make(Spoilt(word, genuine, error, elsewhere))
