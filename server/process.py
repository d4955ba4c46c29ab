"""The MCP server as a process: settings, logs, one engine, one transport. Light to import; `serve` loads the rest."""

import gc
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ..tasks.engine import Engine
    from ..tasks.service import Service
    from ..tools import OpenService
    from .mcp.server import RushesServer
    from .settings.settings import Settings

Transport = Literal["stdio", "sse", "http"]

GARBAGE_MIN = 10_000
"""So many objects more, and garbage is looked for: one or two megabytes. The protocol's machinery leaves two hundred in
cycles after each call over HTTP, no message's body among them, so that Python's own 700 are reached at every third."""


def serve(transport: Transport = "stdio", host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until the host or a signal ends it.

    Raises:
        RushesError: a setting is wrong, the store cannot be used, or the address cannot be listened on.
    """
    # A KeyboardInterrupt can get lost in a callback while modules load, and the process would go on. Until the
    # transport listens for signals nothing has begun, so the plain end is right.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Nearly all that loading makes stays: looking through it for garbage costs a tenth of the start.
    gc.disable()

    import anyio

    from .preparation import prepared_settings
    from .transports.ending import Ending

    settings = prepared_settings()
    ending = Ending(settings.limits.shutdown_grace_seconds)
    if transport == "stdio":
        anyio.run(_serve_stdio, settings, ending.begin)
    else:
        anyio.run(_serve_http, settings, transport, host, port, ending.begin)


async def _serve_stdio(settings: "Settings", ending: Callable[[], None]) -> None:
    """A host waits for the list of tools, and may give up: it is answered before the engine is open."""
    from .deferred import deferred
    from .mcp.loading import built_at_first_use

    with built_at_first_use():
        from .transports.serve import serve_stdio

    async with deferred(partial(_engine, settings)) as opened:
        await serve_stdio(_server(opened, settings, local_files=True), ending=ending)


async def _serve_http(
    settings: "Settings", transport: Literal["http", "sse"], host: str, port: int, ending: Callable[[], None]
) -> None:
    from anyio.to_thread import run_sync

    from ..tools import already
    from .mcp.loading import built_at_first_use

    with built_at_first_use():
        from .transports.serve import serve_http, serve_sse
    from .web.hooks import HookDoor

    serve_here = serve_http if transport == "http" else serve_sse
    open_engine = await run_sync(_assembly)
    async with open_engine(settings) as engine:
        server = _server(already(engine), settings, local_files=False)
        desk = engine.hook_desk
        hooks = None if desk is None else HookDoor(desk, public_url=settings.public_url or "")
        await serve_here(server, host=host, port=port, hooks=hooks, ending=ending)


def serve_hooks(host: str = "127.0.0.1", port: int = 9000) -> None:
    """Take in gateways' hooks until a signal comes, for processes of this home whose tools run over stdio.

    Raises:
        RushesError: a setting is wrong, the store cannot be used, or the address cannot be listened on.
    """
    import anyio

    from .preparation import prepared_settings
    from .transports.ending import Ending

    settings = prepared_settings()
    anyio.run(_serve_hooks, settings, host, port, Ending(settings.limits.shutdown_grace_seconds).begin)


async def _serve_hooks(settings: "Settings", host: str, port: int, ending: Callable[[], None]) -> None:
    from .assembly import open_hook_desk
    from .transports.serve import serve_hooks
    from .web.hooks import HookDoor

    async with open_hook_desk(settings) as desk:
        door = HookDoor(desk, public_url=settings.public_url or "")
        await serve_hooks(door, host=host, port=port, ending=ending)


def _server(opened: "OpenService", settings: "Settings", *, local_files: bool) -> "RushesServer":
    from .mcp.server import build_server
    from .mcp.viewer import media_domains

    domains = media_domains(settings.providers, settings.viewer_domains)
    # Whoever named the folders in the file has named all of them.
    ask_roots = settings.own_input_roots is None
    server = build_server(opened, local_files=local_files, media_domains=domains, ask_roots=ask_roots)
    # Loading is over: garbage is looked for from here on, and not in what was loaded.
    gc.freeze()
    gc.set_threshold(GARBAGE_MIN)
    gc.enable()
    return server


@asynccontextmanager
async def _engine(settings: "Settings") -> AsyncGenerator["Service"]:
    from anyio.to_thread import run_sync

    open_engine = await run_sync(_assembly)
    async with open_engine(settings) as engine:
        # What was loaded for it stays as well: to look through it once more holds up the event loop for long.
        gc.freeze()
        yield engine


def _assembly() -> "Callable[[Settings], AbstractAsyncContextManager[Engine]]":
    """Loads what takes longest to load; calls are answered meanwhile."""
    from .assembly import open_engine

    return open_engine
