"""What comes in over HTTP, held to bounds: how long a request may take to arrive, and how much may be under way."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from starlette.types import Message, Receive, Scope


class BodyRefused(Exception):
    """The request did not arrive within the bounds; `status` and the text answer it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class ClientGone(Exception):
    """The client left before its request was whole."""


@dataclass
class BodyBounds:
    """The bounds of one server. The protocol's own code reads a body whole, so it is read whole here, and counted."""

    seconds: float = 60.0
    """For one body, from the request's head to its last byte."""
    bytes_max: int = 64 * 1024**2
    """Of one body. A call may hold several input media of 10 MB as base64."""
    bytes_together_max: int = 256 * 1024**2
    """Of all requests that are under way."""
    held_bytes: int = 0

    @asynccontextmanager
    async def whole(self, scope: Scope, receive: Receive) -> AsyncGenerator[Receive]:
        """A `receive` that has the whole body at hand; its bytes count until the end of the block.

        Raises:
            BodyRefused: it took too long (408), is too large or says that it will be (413), or too much is under way
                with it (503).
            ClientGone: the client left.
        """
        self._check(_told_length(scope))
        parts: list[bytes] = []
        size = 0
        try:
            with anyio.move_on_after(self.seconds) as time:
                more = True
                while more:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise ClientGone
                    part: bytes = message.get("body", b"")
                    size += len(part)
                    self.held_bytes += len(part)
                    self._check(size)
                    parts.append(part)
                    more = message.get("more_body", False)
            if time.cancelled_caught:
                raise BodyRefused(408, f"The request did not arrive within {self.seconds:g} s.")
            yield _replay(b"".join(parts), receive)
        finally:
            self.held_bytes -= size

    def _check(self, size: int) -> None:
        if size > self.bytes_max:
            raise BodyRefused(413, f"The request is larger than {self.bytes_max // 1024**2} MiB.")
        if self.held_bytes > self.bytes_together_max:
            raise BodyRefused(503, "Too much is under way at once; send it again in a moment.")


def _told_length(scope: Scope) -> int:
    """What the head says of the body's length, which h11 has seen to be a number; 0 where it says nothing."""
    fields: list[tuple[bytes, bytes]] = scope["headers"]
    return max((int(value) for name, value in fields if name == b"content-length"), default=0)


def _replay(body: bytes, receive: Receive) -> Receive:
    told = False

    async def next_message() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message
