"""Hooks over HTTP: `POST /hooks/{provider}/{token}`, answered at once.

Everything that is no hook of a task is refused in the same words, so that nobody learns which part was wrong. Nothing
but ASGI itself stands between the server and the desk: a gateway that has hundreds of jobs end at once is answered too.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from starlette.types import Receive, Scope, Send

from ...domain.errors import StoreError
from ...domain.hooks import HookRequest
from ...providers.hook_addresses import HOOKS_PATH
from ...tasks.hook_desk import HookDesk
from ..transports.bodies import BodyBounds, BodyRefused, ClientGone

logger = logging.getLogger(__name__)

HOOK_BYTES_MAX = 1024**2


def _hook_bounds() -> BodyBounds:
    return BodyBounds(seconds=10.0, bytes_max=HOOK_BYTES_MAX, bytes_together_max=32 * HOOK_BYTES_MAX)


@dataclass(frozen=True)
class _Answer:
    """What is left of a refused body is not read, so then the connection cannot carry another request."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    async def send(self, send: Send) -> None:
        """As the whole response."""
        body = self.text.encode()
        named = {"content-length": str(len(body)), "content-type": "text/plain; charset=utf-8", **self.headers}
        headers = [(name.encode(), value.encode()) for name, value in named.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


TAKEN = _Answer(200, "ok")
REFUSED = _Answer(404, "Not found", {"connection": "close"})
NOT_NOW = _Answer(503, "Not now", {"connection": "close", "retry-after": "5"})


@dataclass
class HookDoor:
    """ASGI application of one desk. What stands before `/hooks` in `public_url` is a proxy's to take away, or not."""

    desk: HookDesk
    bounds: BodyBounds = field(default_factory=_hook_bounds)
    public_url: str = ""

    def __post_init__(self) -> None:
        self._prefix = unquote(urlsplit(self.public_url).path).rstrip("/")

    def is_meant(self, scope: Scope) -> bool:
        """Whether a request goes to the place of hooks."""
        return self._path(scope).startswith(f"{HOOKS_PATH}/")

    def _path(self, scope: Scope) -> str:
        path: str = scope["path"]
        return path.removeprefix(self._prefix) if path.startswith(f"{self._prefix}{HOOKS_PATH}/") else path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except ClientGone:
            return
        except BodyRefused as refused:
            answer = NOT_NOW if refused.status == 503 else REFUSED
        except StoreError as error:
            logger.warning("hook not taken in", extra={"problem": error.message})
            answer = NOT_NOW
        await answer.send(send)

    async def _answer(self, scope: Scope, receive: Receive) -> _Answer:
        parts = self._path(scope).split("/")
        if scope["method"] != "POST" or len(parts) != 4 or not self.is_meant(scope):
            return REFUSED
        provider, token = parts[2:]
        if (proof := self.desk.proof(provider, token)) is not None:
            return _Answer(200, proof)
        expected = await self.desk.find(provider, token)
        # Nobody's body is read whose token is not known.
        if expected is None:
            return REFUSED
        async with self.bounds.whole(scope, receive) as whole:
            message = await whole()
            taken = await self.desk.receive(expected, HookRequest(_headers(scope), message["body"]))
        return TAKEN if taken else REFUSED


def _headers(scope: Scope) -> dict[str, str]:
    """By their names, which ASGI gives in lower case. Of one that comes twice the last counts."""
    fields: list[tuple[bytes, bytes]] = scope["headers"]
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in fields}
