"""uvicorn's HTTP/1.1 with a bound on how long a request's head may take; uvicorn itself waits for ever."""

import asyncio
from typing import cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_SECONDS = 20.0
"""From a connection's first moment, or a head's first byte, to the head's end."""


class PunctualProtocol(H11Protocol):
    """Closes a connection whose client does not say what it wants."""

    seconds = HEAD_SECONDS
    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        begun = self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
        if not begun:
            self._forget_head()
        elif self._head is None:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def look_again(self) -> None:
        """Wake whoever waits for the client's next message, though none has come."""
        # There is none before the first request, whatever uvicorn's types say.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is not None:
            cycle.message_event.set()

    def _await_head(self) -> None:
        self._head = asyncio.get_running_loop().call_later(self.seconds, self.transport.close)

    def _forget_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None
