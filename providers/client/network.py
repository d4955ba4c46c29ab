"""Sockets for httpcore, which takes those of its caller's making: without a timer at each read and each write where a
request has a limit for all of it, and without asking the system for a socket's addresses to see whether it has ended.

Hosts are looked up in threads of their own (`addresses_of`). The event loop has a few for this, which all gateways
would share: those of one whose name nobody answers for would keep every other from being connected to.
"""

import select
import ssl
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import anyio
import httpcore
from anyio.abc import ByteStream, SocketAttribute, SocketStream
from anyio.streams.tls import TLSAttribute, TLSStream

from .addresses import addresses_of

ATTEMPT_SECONDS = 0.25
"""After so long without a connection a host's next address is tried as well (RFC 8305, section 5)."""

_ENDED = (anyio.BrokenResourceError, anyio.ClosedResourceError)


class Network(httpcore.AsyncNetworkBackend):
    """Opens connections by TCP."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - none are set
    ) -> httpcore.AsyncNetworkStream:
        with _while_opening(), anyio.fail_after(timeout):
            opened = await _first_connected(await addresses_of(host, port), port, local_address)
        wire = _Wire(opened)
        return _Stream(wire, wire.is_readable)


async def _first_connected(addresses: Sequence[str], port: int, local_address: str | None) -> SocketStream:
    """The first connection that opens.

    Raises:
        OSError: none does; of the address that failed last.
    """
    opened: list[SocketStream] = []
    fault = OSError("it has no address")

    async def attempt(address: str, over: anyio.Event) -> None:
        nonlocal fault
        try:
            opened.append(await anyio.connect_tcp(address, port, local_host=local_address))
        except OSError as error:
            fault = error
        else:
            attempts.cancel_scope.cancel()
        over.set()

    try:
        async with anyio.create_task_group() as attempts:
            for address in addresses:
                over = anyio.Event()
                attempts.start_soon(attempt, address, over)
                with anyio.move_on_after(ATTEMPT_SECONDS):
                    await over.wait()
        if not opened:
            raise fault
        return opened.pop(0)
    finally:
        with anyio.CancelScope(shield=True):
            for stream in opened:
                await stream.aclose()


class _Wire(ByteStream):
    """A socket's bytes, as they are on the way. anyio takes a piece from the system at once and keeps what was not
    asked for of it, where no look at the socket finds it."""

    def __init__(self, stream: SocketStream) -> None:
        self._stream = stream
        self._socket = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - not Django's
        self._perhaps_kept = False

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return self._stream.extra_attributes

    async def receive(self, max_bytes: int = 65_536) -> bytes:
        data = await self._stream.receive(max_bytes)
        self._perhaps_kept = len(data) == max_bytes
        return data

    async def send(self, item: bytes) -> None:
        await self._stream.send(item)

    async def send_eof(self) -> None:
        await self._stream.send_eof()

    async def aclose(self) -> None:
        await self._stream.aclose()

    def is_readable(self) -> bool:
        """Whether bytes may have come that were not received, or the end."""
        descriptor = self._socket.fileno()
        if self._perhaps_kept or descriptor < 0:
            return True
        if not hasattr(select, "poll"):
            return bool(select.select([descriptor], [], [], 0)[0])
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))


class _Stream(httpcore.AsyncNetworkStream):
    """`beneath` says whether there is anything to be read of what this stream reads from."""

    def __init__(self, stream: ByteStream, beneath: Callable[[], bool]) -> None:
        self._stream = stream
        self._beneath = beneath
        self._tls = stream.extra(TLSAttribute.ssl_object, None)  # noqa: S610 - not Django's

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            with _limit(timeout):
                return await self._stream.receive(max_bytes)
        except anyio.EndOfStream:
            return b""
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except _ENDED as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not buffer:
            return
        try:
            with _limit(timeout):
                await self._stream.send(buffer)
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except _ENDED as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            with _while_opening(), anyio.fail_after(timeout):
                wrapped = await TLSStream.wrap(
                    self._stream,
                    ssl_context=ssl_context,
                    hostname=server_hostname,
                    standard_compatible=False,
                    server_side=False,
                )
        except BaseException:
            # Nobody else knows of this connection yet, also where its request was given up.
            with anyio.CancelScope(shield=True):
                await self.aclose()
            raise
        return _Stream(wrapped, self._is_readable)

    def get_extra_info(self, info: str) -> object:
        if info == "is_readable":
            return self._is_readable()
        return self._tls if info == "ssl_object" else None

    def _is_readable(self) -> bool:
        """Of a connection between two requests: whether anything came, or its end. It is closed then, so a byte may be
        taken to see whether there are others that TLS holds back."""
        if self._beneath():
            return True
        if self._tls is None:
            return False
        try:
            self._tls.read(1)
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError:
            return True
        return True


def _limit(seconds: float | None) -> AbstractContextManager[object]:
    return nullcontext() if seconds is None else anyio.fail_after(seconds)


@contextmanager
def _while_opening() -> Generator[None]:
    try:
        yield
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(str(error)) from error
    except (OSError, UnicodeError, anyio.EndOfStream, anyio.BrokenResourceError) as error:
        raise httpcore.ConnectError(str(error)) from error
