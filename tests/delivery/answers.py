"""Large media that cost no memory to make, as the answers of a gateway that delivers in its answer."""

import base64
import io
import re
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import anyio.abc
from PIL import Image

MIB = 2**20
BLOCK = 3 * 2**18
"""Divisible by three, so that blocks of base64 join without padding."""


def png(size_bytes: int, colour: int = 0) -> Iterator[bytes]:
    """A real picture of that many bytes, the most of them in a chunk that readers pass over."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), (colour, 0, 0)).save(buffer, "PNG")
    small = buffer.getvalue()
    count = size_bytes - len(small) - 12
    yield small[:-12] + count.to_bytes(4, "big") + b"fiLl"
    crc = zlib.crc32(b"fiLl")
    for start in range(0, count, BLOCK):
        block = bytes(min(BLOCK, count - start))
        crc = zlib.crc32(block, crc)
        yield block
    yield crc.to_bytes(4, "big") + small[-12:]


def wav(size_bytes: int) -> Iterator[bytes]:
    """A real sound of that many bytes: silence."""
    data = size_bytes - 44
    form = b"fmt \x10\0\0\0\x01\0\x01\0" + (24_000).to_bytes(4, "little") + (48_000).to_bytes(4, "little")
    yield (
        b"RIFF" + (data + 36).to_bytes(4, "little") + b"WAVE" + form + b"\x02\0\x10\0data" + data.to_bytes(4, "little")
    )
    for start in range(0, data, BLOCK):
        yield bytes(min(BLOCK, data - start))


def encoded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Their base64, block by block."""
    left = b""
    for piece in pieces:
        whole = left + piece
        cut = len(whole) // 3 * 3
        yield base64.b64encode(whole[:cut])
        left = whole[cut:]
    yield base64.b64encode(left)


def images(sizes: Sequence[int]) -> Iterator[bytes]:
    """The answer of an image endpoint."""
    yield b'{"created": 1, "data": ['
    for number, size in enumerate(sizes):
        yield b'%s{"b64_json": "' % (b", " if number else b"")
        yield from encoded(png(size, number))
        yield b'", "revised_prompt": "a \\"fox\\""}'
    yield b'], "usage": {"cost": 0.4}}'


@dataclass
class Gateway:
    """What a gateway answers to every request, and how many POSTs came. `cut_after` ends the connection after so many
    bytes."""

    answer: Callable[[], Iterator[bytes]]
    content_type: str = "application/json"
    cut_after: int | None = None
    pause_after: int | None = None
    """After so many bytes nothing comes any more."""
    posts: int = 0
    paused: anyio.Event = field(default_factory=anyio.Event)
    url: str = ""

    async def pieces(self) -> AsyncIterator[bytes]:
        sent = 0
        for piece in self.answer():
            for limit in (self.cut_after, self.pause_after):
                if limit is not None and sent + len(piece) > limit:
                    yield piece[: limit - sent]
                    if limit == self.pause_after:
                        self.paused.set()
                        await anyio.sleep_forever()
                    return
            sent += len(piece)
            yield piece

    async def serve(self, stream: anyio.abc.SocketStream) -> None:
        async with stream:
            try:
                await self._answer(stream)
            except (anyio.BrokenResourceError, anyio.EndOfStream):
                return

    async def _answer(self, stream: anyio.abc.SocketStream) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += await stream.receive()
        head, _, body = request.partition(b"\r\n\r\n")
        told = re.search(rb"(?i)content-length: *([0-9]+)", head)
        length = int(told[1]) if told is not None else 0
        while len(body) < length:
            body += await stream.receive()
        self.posts += head.startswith(b"POST ")
        kind = self.content_type.encode()
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % kind)
        async for piece in self.pieces():
            if piece:
                await stream.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        if self.cut_after is None:
            await stream.send(b"0\r\n\r\n")


@asynccontextmanager
async def serving(gateway: Gateway) -> AsyncGenerator[Gateway]:
    """The gateway on a port of loopback."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        port = listener.extra_attributes[anyio.abc.SocketAttribute.local_port]()
        gateway.url = f"http://127.0.0.1:{port}"
        group.start_soon(listener.serve, gateway.serve)
        yield gateway
        group.cancel_scope.cancel()
