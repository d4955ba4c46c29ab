"""The transports: stdio, Streamable HTTP and SSE. Each ends by itself when its host or a signal says so.

The service runs around a transport, once a process; none of these enters or leaves it.
"""

import logging
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from ..mcp.server import RushesServer
from .message_lines import message_streams
from .stdio import standard_streams

if TYPE_CHECKING:
    from anyio.abc import TaskStatus

    from ..web.hooks import HookDoor

logger = logging.getLogger(__name__)

HTTP_PATH = "/mcp"
SSE_PATH = "/sse"
SIGNALS = (signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if sys.platform != "win32" else []))


def _nothing() -> None:
    """Nobody wants to hear of the end."""


async def serve_stdio(server: RushesServer, *, ending: Callable[[], None] = _nothing) -> None:
    """Serve one host over standard input and output, until stdin ends or SIGTERM, SIGINT or SIGHUP comes.

    A call that is under way is cancelled then; its task goes on in the service, or in the next process. `ending` is
    called, from any thread, when the end is asked for.
    """
    async with (
        standard_streams(ending) as (lines, writer),
        ended_by_signals(ending),
        message_streams(lines, writer) as (read, write),
    ):
        await server.serve_streams(read, write)


async def serve_http(
    server: RushesServer,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    hooks: "HookDoor | None" = None,
    ending: Callable[[], None] = _nothing,
    task_status: "TaskStatus[str]" = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve Streamable HTTP at `/mcp` until a signal comes or the caller cancels.

    Args:
        server: The server.
        host: A loopback address or `localhost`.
        port: 0 takes a free one.
        hooks: Where gateways call back, if they do.
        ending: Called when the end is asked for.
        task_status: Told the URL once connections are accepted.

    Raises:
        ConfigurationError: the host is not loopback, or the port is taken.
    """
    from .http import bound, http_app, serve_app

    app, listener = http_app(server, host, hooks=hooks), bound(host, port)
    async with ended_by_signals(ending):
        await serve_app(app, listener, HTTP_PATH, task_status)


async def serve_sse(
    server: RushesServer,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    hooks: "HookDoor | None" = None,
    ending: Callable[[], None] = _nothing,
    task_status: "TaskStatus[str]" = anyio.TASK_STATUS_IGNORED,
) -> None:
    """The same as `serve_http` for the deprecated SSE transport, at `/sse`."""
    from .http import bound, serve_app, sse_app

    app, listener = sse_app(server, host, hooks=hooks), bound(host, port)
    async with ended_by_signals(ending):
        await serve_app(app, listener, SSE_PATH, task_status)


async def serve_hooks(
    hooks: "HookDoor",
    *,
    host: str = "127.0.0.1",
    port: int = 9000,
    ending: Callable[[], None] = _nothing,
    task_status: "TaskStatus[str]" = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve nothing but hooks until a signal comes or the caller cancels.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    from ...providers.hook_addresses import HOOKS_PATH
    from .http import bound, hooks_app, serve_app

    app, listener = hooks_app(hooks), bound(host, port)
    async with ended_by_signals(ending):
        await serve_app(app, listener, HOOKS_PATH, task_status)


@asynccontextmanager
async def ended_by_signals(ending: Callable[[], None] = _nothing) -> AsyncGenerator[None]:
    """Cancel the body when the process is asked to stop, and go on after it."""
    async with anyio.create_task_group() as watching:
        if sys.platform != "win32":
            watching.start_soon(_cancel_on_signal, watching.cancel_scope, ending)
        yield
        watching.cancel_scope.cancel()


async def _cancel_on_signal(scope: anyio.CancelScope, ending: Callable[[], None]) -> None:
    def begin(number: int, frame: object) -> None:  # noqa: ARG001
        ending()

    with anyio.open_signal_receiver(*SIGNALS) as signals:
        # The event loop hears of a signal in its turn, which may be late. Python's own handler beside it, which the
        # loop leaves empty and takes away with its own, is called at once.
        for each in SIGNALS:
            signal.signal(each, begin)
        async for received in signals:
            ending()
            logger.info("stopping", extra={"signal": received.name})
            scope.cancel()
            return
