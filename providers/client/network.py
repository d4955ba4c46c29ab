"""Sockets for httpcore, which takes those of its caller's making: without a time limit at each read and each write, as
a request has one for all of it, and without asking the system for a socket's addresses to see whether it has ended."""

import select
import ssl
from collections.abc import Generator, Iterable
from contextlib import contextmanager

import anyio
import httpcore
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSAttribute, TLSStream

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
            return _Stream(await anyio.connect_tcp(host, port, local_host=local_address))


class _Stream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._socket = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - not Django's

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        try:
            return await self._stream.receive(max_bytes)
        except anyio.EndOfStream:
            return b""
        except _ENDED as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        if not buffer:
            return
        try:
            await self._stream.send(buffer)
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
        except (httpcore.ConnectError, httpcore.ConnectTimeout):
            await self.aclose()
            raise
        return _Stream(wrapped)

    def get_extra_info(self, info: str) -> object:
        if info == "is_readable":
            return self._is_readable()
        return self._stream.extra(TLSAttribute.ssl_object, None) if info == "ssl_object" else None  # noqa: S610

    def _is_readable(self) -> bool:
        """Of a connection between two requests: whether the other side has closed it."""
        descriptor = self._socket.fileno()
        if descriptor < 0:
            return True
        if not hasattr(select, "poll"):
            return bool(select.select([descriptor], [], [], 0)[0])
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))


@contextmanager
def _while_opening() -> Generator[None]:
    try:
        yield
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(str(error)) from error
    except (OSError, anyio.EndOfStream, anyio.BrokenResourceError) as error:
        raise httpcore.ConnectError(str(error)) from error
