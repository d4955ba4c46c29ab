"""The process: two listening ports and one that refuses, one event loop, and an end."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import cast

import anyio
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import Gateways
from .control import control_app
from .media_origin import MediaOrigin
from .roster import environment, make_gateways, make_world
from .world import Origins


class _Protocol(H11Protocol):
    """Hands the connection's transport to the application, so that it can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut what still hangs or drips, so that nothing has to be waited for."""
        for connection in list(self.server_state.connections):
            cast(H11Protocol, connection).transport.abort()
        await super().shutdown(sockets)


def _listening(port: int) -> socket.socket:
    # With its protocol named: asyncio sends small answers at once (TCP_NODELAY) only on such sockets.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def _base_url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _by_port(media_port: int, media: ASGIApp, control: ASGIApp, gateways: ASGIApp) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["server"][1] == media_port:
            await media(scope, receive, send)
        elif scope["path"].startswith("/control/"):
            await control(scope, receive, send)
        else:
            await gateways(scope, receive, send)

    return app


def _at_end_of_input(stop: Callable[[], object]) -> None:
    """Call `stop` when standard input ends. Reads the descriptor itself: a blocked buffer would hold up the exit.

    Where there is none to speak of (the null device; the terminal of a job in the background), nothing is waited for.
    """
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    if os.fstat(0).st_rdev == Path(os.devnull).stat().st_rdev:
        return

    def wait() -> None:
        with suppress(OSError):
            while os.read(0, 4096):
                pass
            stop()

    threading.Thread(target=wait, name="end-of-input", daemon=True).start()


async def serve(
    *, port: int, wanted: Iterable[str], max_seconds: float, ready: Callable[[dict[str, str]], None]
) -> None:
    """Serve until standard input ends, SIGTERM or SIGINT comes, or `max_seconds` have passed.

    `ready` is called once with the environment that points at this process. Nothing listens but on loopback.
    """
    main, media, closed = _listening(port), _listening(0), _listening(0)
    world = make_world(Origins(_base_url(main), _base_url(media), _base_url(closed)))
    gateways = make_gateways(world, wanted)
    app = _by_port(media.getsockname()[1], MediaOrigin(world), control_app(world), Gateways(world, gateways))
    config = uvicorn.Config(
        app,
        http=_Protocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config, lambda: ready(environment(world, gateways)))

    def stop() -> None:
        server.should_exit = True
        world.holding.release(None, cut=True)

    async def end_of_life() -> None:
        await anyio.sleep(max_seconds)
        stop()

    loop = asyncio.get_running_loop()
    _at_end_of_input(lambda: loop.call_soon_threadsafe(stop))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end_of_life)
        world.deliveries.start = tasks.start_soon
        await server.serve(sockets=[main, media])
        tasks.cancel_scope.cancel()
    closed.close()
