"""Media inside an answer, taken out of it while it comes: so an answer of any size needs little memory.

Gateways put media into JSON as base64, in fields of any name and order, as data URLs or bare. A streaming JSON parser
does not help there, because it hands over each string as a whole. So a long string of base64 goes to a sink, decoded on
the way, and a token stands in its place; what is left of the JSON is small, and read like any other reply.
"""

import binascii
import codecs
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Literal

from ...domain.job import RemoteOutput
from ..formats.media_text import looks_like_media
from ..provider import AnswerSink
from .reply import NoReply

HEAD_BYTES = 64 * 1024
"""Strings and bodies shorter than this stay where they are."""

_DATA_URL = re.compile(rb"\s*data:([^,\"]{0,200}?);?base64,", re.IGNORECASE)
_RUN = re.compile(rb'(?:[^"\\]++|\\[^u]|\\u[0-9a-fA-F]{4}|\\u(?=.{4}))*+', re.DOTALL)
"""As much of a JSON string as is there, without an escape that has only begun."""
_SHORT_STRINGS = re.compile(rb'(?:[^"]*+"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
"""Whole strings, with what stands before each."""
_ESCAPE = re.compile(rb"\\(u[0-9a-fA-F]{4}|[^u])")
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_BLANKS = b" \t\r\n"


@dataclass(frozen=True)
class MediumEnded:
    """The medium that began last is whole."""

    token: str
    mime_type: str | None


Event = Literal["begin", "drop"] | bytes | MediumEnded
"""A medium begins, some of its bytes, its end; `drop`: what began is no base64 after all."""


class MediaScanner:
    """Finds long strings of base64 in JSON that is fed piece by piece. Pure; holds little more than `HEAD_BYTES`.

    `rest` is the JSON with a token for each of them: a text like a URL where the bytes look like a medium, so that it
    is found wherever a URL is looked for.
    """

    def __init__(self) -> None:
        self.rest = bytearray()
        self._nonce = secrets.token_hex(8)
        self._count = 0
        self._carry = b""
        self._in_string = False
        self._pending = bytearray()
        """The string that is being read, while it may still be short."""
        self._as_it_is = False
        """The string is long and no medium."""
        self._medium: _Base64 | None = None
        self._token = ""

    def feed(self, data: bytes) -> Iterator[Event]:
        """What these next bytes of the JSON hold of media."""
        data = self._carry + data
        self._carry = b""
        at = 0
        while at < len(data):
            if not self._in_string:
                # No string that ends within so many bytes is a medium.
                short = _SHORT_STRINGS.match(data, at, at + HEAD_BYTES)
                if short is not None and short.end() > at:
                    self.rest += short[0]
                    at = short.end()
                    continue
                end = data.find(b'"', at) + 1 or len(data)
                self.rest += data[at:end]
                self._in_string = data[end - 1] == _QUOTE
                at = end
                continue
            end = _end_of_run(data, at)
            closed = data[end : end + 1] == b'"'
            if not closed:
                self._carry = data[end:]
            yield from self._read(data[at:end], closed)
            at = end + 1 if closed else len(data)

    def _read(self, piece: bytes, closed: bool) -> Iterator[Event]:
        if self._medium is not None:
            yield from self._decoded(self._medium, piece, closed)
        elif self._as_it_is:
            self.rest += piece
        else:
            self._pending += piece
            if len(self._pending) >= HEAD_BYTES:
                yield from self._decided(bytes(self._pending), closed)
                self._pending.clear()
        if closed:
            self.rest += self._pending + b'"'
            self._pending.clear()
            self._medium = None
            self._in_string = self._as_it_is = False

    def _decided(self, text: bytes, closed: bool) -> Iterator[Event]:
        """Whether a string that turned out to be long is a medium."""
        prefix = _DATA_URL.match(text)
        medium = _Base64(_declared(prefix))
        body = text[prefix.end() :] if prefix is not None else text
        try:
            head = medium.decode(body)
        except ValueError:
            self.rest += text
            self._as_it_is = True
            return
        slashes = "//" if prefix is not None or looks_like_media(head) else ""
        self._token = f"rushes-held:{slashes}{self._nonce}/{self._count}"
        self._count += 1
        self._medium = medium
        self.rest += self._token.encode()
        yield "begin"
        yield head
        if closed:
            yield from self._decoded(medium, b"", closed)

    def _decoded(self, medium: "_Base64", piece: bytes, closed: bool) -> Iterator[Event]:
        if medium.broken:
            return
        try:
            data = medium.decode(piece)
            last = medium.finish() if closed else b""
        except ValueError:
            medium.broken = True
            yield "drop"
            return
        if data or last:
            yield data + last
        if closed:
            yield MediumEnded(self._token, medium.mime_type)


_QUOTE = ord('"')


def _end_of_run(data: bytes, at: int) -> int:
    """Where what is there of a string ends: at its quote, at an escape that has only begun, or with the data."""
    quote = data.find(b'"', at)
    end = len(data) if quote < 0 else quote
    if data.find(b"\\", at, end) < 0:
        return end
    found = _RUN.match(data, at)
    return found.end() if found is not None else at


def _declared(prefix: re.Match[bytes] | None) -> str | None:
    if prefix is None:
        return None
    return prefix[1].replace(b"\\", b"").partition(b";")[0].decode("ascii", "replace").strip().lower() or None


class _Base64:
    """Base64 out of a JSON string, piece by piece: with blanks, escapes, the URL-safe letters, padded or not."""

    def __init__(self, mime_type: str | None) -> None:
        self.mime_type = mime_type
        self.broken = False
        self._left = b""
        self._ended = False

    def decode(self, piece: bytes) -> bytes:
        """The bytes of as much as makes whole groups. Raises ValueError for what is no base64."""
        plain = _ESCAPE.sub(_unescaped, piece) if b"\\" in piece else piece
        text = self._left + plain.translate(_FROM_URL_SAFE, delete=_BLANKS)
        whole = len(text) // 4 * 4
        self._left = text[whole:]
        if self._ended and text:
            raise ValueError("more after the padding")
        self._ended = text[:whole].endswith(b"=")
        return binascii.a2b_base64(text[:whole], strict_mode=True)

    def finish(self) -> bytes:
        """The bytes of the last group, where its padding was left out."""
        return binascii.a2b_base64(self._left + b"=" * (-len(self._left) % 4), strict_mode=True)


def _unescaped(escape: re.Match[bytes]) -> bytes:
    told = escape[1]
    if told.startswith(b"u"):
        return chr(int(told[1:], 16)).encode("utf-8", "replace")
    return b"" if told in b"nrt" else told


@dataclass
class Received:
    """What came in an answer."""

    data: bytes
    """The body, without the media that a sink has; empty where the whole body is one."""
    held: dict[str, RemoteOutput] = field(default_factory=dict[str, RemoteOutput])
    """The media in the sink, by the token that stands for each in the body."""
    medium: RemoteOutput | None = None
    """The whole body, where it is a medium."""


async def receive(chunks: AsyncIterator[bytes], content_type: str, sink: AnswerSink, rest_bytes_max: int) -> Received:
    """Read an answer; long media in it go to `sink`.

    Raises:
        NoReply: what is no medium is larger than `rest_bytes_max`.
        StoreError, OutputRejected: of the sink.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    head = bytearray()
    async for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    else:
        if len(head) < HEAD_BYTES:
            return Received(bytes(head))
    if _is_json(media_type, bytes(head[:64])):
        return await _receive_json(bytes(head), chunks, sink, rest_bytes_max)
    if media_type.startswith("text/"):
        async for chunk in chunks:
            head += chunk
            _check_rest(len(head), rest_bytes_max)
        return Received(bytes(head))
    await sink.begin()
    await sink.write(bytes(head))
    async for chunk in chunks:
        await sink.write(chunk)
    declared = media_type if media_type.startswith(("audio/", "video/", "image/")) else None
    return Received(b"", medium=RemoteOutput(held=await sink.end(), mime_type=declared))


def _is_json(media_type: str, head: bytes) -> bool:
    if media_type.startswith(("audio/", "video/", "image/")):
        return False
    return head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"{", b"[")


async def _receive_json(head: bytes, chunks: AsyncIterator[bytes], sink: AnswerSink, rest_bytes_max: int) -> Received:
    scanner = MediaScanner()
    held: dict[str, RemoteOutput] = {}
    await _carry_out(scanner.feed(head), sink, held)
    async for chunk in chunks:
        await _carry_out(scanner.feed(chunk), sink, held)
        _check_rest(len(scanner.rest), rest_bytes_max)
    return Received(bytes(scanner.rest), held)


async def _carry_out(events: Iterator[Event], sink: AnswerSink, held: dict[str, RemoteOutput]) -> None:
    for event in events:
        if isinstance(event, bytes):
            await sink.write(event)
        elif isinstance(event, MediumEnded):
            held[event.token] = RemoteOutput(held=await sink.end(), mime_type=event.mime_type)
        elif event == "begin":
            await sink.begin()
        else:
            await sink.drop()


def _check_rest(count: int, bytes_max: int) -> None:
    if count > bytes_max:
        raise NoReply("lost", f"the answer has more than {bytes_max // 1024 // 1024} MiB beside its media")
