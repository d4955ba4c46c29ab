"""HTTP for the protocol: which hosts may ask, and a uvicorn that leaves signals and the end to us.

Imported only by the transports that need it, because uvicorn and its like are slow to load.
"""

import ipaddress
import logging
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, cast

import anyio
import uvicorn
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...domain.errors import ConfigurationError
from ..mcp.server import RushesServer
from ..web.hooks import HookDoor
from .bodies import BodyBounds, BodyRefused, ClientGone
from .heads import PunctualProtocol

if TYPE_CHECKING:
    from anyio.abc import TaskStatus

logger = logging.getLogger(__name__)

SESSION_IDLE_SECONDS = 1800.0
SESSIONS_MAX = 1000
"""A host that comes back after its session has ended is told so, and begins another. SSE has no such word; there a
session is its connection, which a ping keeps looking after."""

BEHIND_THE_DOOR = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""For what a `Doorkeeper` stands before: who gets there has been checked."""

GRACE_SECONDS = 0.5
"""How long answers that are being sent may still take after a signal."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def loopback_security(host: str) -> TransportSecuritySettings:
    """Only names of this machine are answered, so that a web page cannot reach the server by DNS rebinding.

    Raises:
        ConfigurationError: the host is reachable from elsewhere, which needs authentication.
    """
    if not is_loopback(host):
        raise ConfigurationError(
            f"--host {host}: rushes has no authentication yet, so it listens on loopback only",
            hint="Use --host 127.0.0.1; reach it from elsewhere through an SSH tunnel.",
        )
    names = dict.fromkeys(["127.0.0.1", "localhost", "[::1]", _in_url(host)])
    hosts = [pattern for name in names for pattern in (name, f"{name}:*")]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=[f"http://{name}" for name in hosts])


def _in_url(host: str) -> str:
    bare = host.strip("[]")
    return f"[{bare}]" if ":" in bare else bare


class Doorkeeper:
    """Refuses foreign hosts and origins for every path, holds requests to their bounds, and ends open streams when the
    server stops."""

    def __init__(
        self,
        app: ASGIApp,
        security: TransportSecuritySettings,
        bodies: BodyBounds,
        hooks: HookDoor | None = None,
    ) -> None:
        self._app = app
        self._hooks = hooks
        self._bodies = bodies
        self._security = TransportSecurityMiddleware(security)
        self._stopping = anyio.Event()
        self._under_way: set[anyio.CancelScope] = set()
        """Hooks that are being taken in; cancelled when the server stops."""

    def end_streams(self) -> None:
        """Let every open request see its client go, as soon as it looks again for a message of it."""
        self._stopping.set()
        for scope in self._under_way:
            scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._hooks is not None and (self._app is self._hooks or self._hooks.is_meant(scope)):
            # They come from outside under another name; their token is what lets them in.
            await self._take_in(self._hooks, scope, receive, send)
            return
        refusal = await self._security.validate_request(Request(scope, receive))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        answer = _Answer(send, self._stopping)
        try:
            async with self._bodies.whole(scope, partial(self._received, receive)) as whole:
                await self._app(scope, whole, answer.send)
        except BodyRefused as refused:
            # The rest of such a body is not read, so the connection cannot carry another request.
            headers = {"connection": "close", "retry-after": "1"}
            await PlainTextResponse(str(refused), refused.status, headers)(scope, receive, answer.send)
        except ClientGone:
            return
        if self._stopping.is_set():
            await answer.finish()

    async def _take_in(self, hooks: HookDoor, scope: Scope, receive: Receive, send: Send) -> None:
        """A hook, whose sender is told to come again where the server stops before it has arrived."""
        answer = _Answer(send, self._stopping)
        with anyio.CancelScope() as until_stop:
            self._under_way.add(until_stop)
            try:
                await hooks(scope, receive, answer.send)
            finally:
                self._under_way.discard(until_stop)
        if until_stop.cancelled_caught:
            await answer.finish()

    async def _received(self, receive: Receive) -> Message:
        """The next message of the client, or its going; its going, too, once the server stops."""
        if not self._stopping.is_set():
            message = await receive()
            if not self._stopping.is_set():
                return message
        return {"type": "http.disconnect"}


class _Answer:
    """One response: knows whether it was begun and ended, and takes no more once the server stops."""

    def __init__(self, send: Send, stopping: anyio.Event) -> None:
        self._send = send
        self._stopping = stopping
        self._begun = self._ended = False

    async def send(self, message: Message) -> None:
        # The SDK's SSE endpoint begins a second response when its stream has ended.
        if self._begun and self._stopping.is_set():
            return
        self._begun = True
        self._ended = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)

    async def finish(self) -> None:
        """End the response, so that the client sees a whole one."""
        if not self._begun:
            await self._send({"type": "http.response.start", "status": 503, "headers": []})
        if not self._ended:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def http_app(
    server: RushesServer,
    host: str,
    bodies: BodyBounds | None = None,
    *,
    idle_seconds: float = SESSION_IDLE_SECONDS,
    hooks: HookDoor | None = None,
) -> Doorkeeper:
    """Streamable HTTP at `/mcp`, and hooks beside it. A session that asked nothing for `idle_seconds` ends."""
    security, bounds = loopback_security(host), bodies or BodyBounds()
    app = server.streamable_http_app(
        transport_security=BEHIND_THE_DOOR,
        host=host,
        max_request_body_size=bounds.bytes_max,
        session_idle_timeout=idle_seconds,
        max_sessions=SESSIONS_MAX,
    )
    return Doorkeeper(app, security, bounds, hooks)


def sse_app(
    server: RushesServer, host: str, bodies: BodyBounds | None = None, *, hooks: HookDoor | None = None
) -> Doorkeeper:
    """The deprecated SSE transport at `/sse`."""
    security, bounds = loopback_security(host), bodies or BodyBounds()
    app = server.sse_app(transport_security=BEHIND_THE_DOOR, host=host, max_request_body_size=bounds.bytes_max)
    return Doorkeeper(app, security, bounds, hooks)


def hooks_app(hooks: HookDoor) -> Doorkeeper:
    """Hooks alone, on whatever address: their tokens let them in, and nothing else is here."""
    return Doorkeeper(hooks, BEHIND_THE_DOOR, hooks.bounds, hooks)


class _Uvicorn(uvicorn.Server):
    """uvicorn would catch signals and raise them again at the end, which kills the process before the service ends."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()


async def serve_app(
    app: Doorkeeper, listener: socket.socket, path: str, task_status: "TaskStatus[str]" = anyio.TASK_STATUS_IGNORED
) -> None:
    """Run the app until the caller cancels; then what is open has `GRACE_SECONDS` to end."""
    address: tuple[str, int] = listener.getsockname()[:2]
    url = f"http://{_in_url(address[0])}:{address[1]}{path}"

    def announce() -> None:
        print(f"rushes is listening on {url}", file=sys.stderr, flush=True)  # noqa: T201  for people and scripts
        task_status.started(url)

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        # Nobody here asks who a proxy says that it stands for.
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        http=PunctualProtocol,
        ws="none",
    )
    server = _Uvicorn(config, announce)
    finished = anyio.Event()
    async with anyio.create_task_group() as serving:
        serving.start_soon(_end_when_cancelled, server, app, finished)
        with anyio.CancelScope(shield=True):
            await server.serve(sockets=[listener])
        finished.set()
        serving.cancel_scope.cancel()


async def _end_when_cancelled(server: uvicorn.Server, app: Doorkeeper, finished: anyio.Event) -> None:
    try:
        await finished.wait()
    finally:
        server.should_exit = True
        with anyio.move_on_after(GRACE_SECONDS, shield=True):
            await finished.wait()
        app.end_streams()
        for connection in cast("set[object]", server.server_state.connections):
            if isinstance(connection, PunctualProtocol):
                connection.look_again()


def bound(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        ConfigurationError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol by name, as asyncio knows its connections for TCP by that, and else leaves Nagle's algorithm on:
    # the body of an answer would wait for the acknowledgement of its head, which many clients hold back for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host.strip("[]"), port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"cannot listen on {host} port {port}: {error.strerror or error}",
            hint="Choose another with --port; 0 takes a free one.",
        ) from error
    listener.setblocking(False)
    return listener
