"""Hooks over HTTP: `POST /hooks/{provider}/{token}`, answered at once.

Everything that is no hook of a task is refused in the same words, so that nobody learns which part was wrong.
"""

import logging
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
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


def is_for_hooks(scope: Scope) -> bool:
    """Whether a request goes to the place of hooks."""
    path: str = scope["path"]
    return path.startswith(f"{HOOKS_PATH}/")


@dataclass
class HookDoor:
    """ASGI application of one desk."""

    desk: HookDesk
    bounds: BodyBounds = field(default_factory=_hook_bounds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(Request(scope), receive)
        except ClientGone:
            return
        except BodyRefused as refused:
            answer = _not_now() if refused.status == 503 else _refused()
        except StoreError as error:
            logger.warning("hook not taken in", extra={"problem": error.message})
            answer = _not_now()
        await answer(scope, receive, send)

    async def _answer(self, request: Request, receive: Receive) -> Response:
        parts: list[str] = request.scope["path"].split("/")
        if request.method != "POST" or len(parts) != 4 or not is_for_hooks(request.scope):
            return _refused()
        provider, token = parts[2:]
        if (proof := self.desk.proof(provider, token)) is not None:
            return PlainTextResponse(proof)
        expected = await self.desk.find(provider, token)
        # Nobody's body is read whose token is not known.
        if expected is None or not _fits(request.headers.get("content-length")):
            return _refused()
        async with self.bounds.whole(receive) as whole:
            message = await whole()
            taken = await self.desk.receive(expected, HookRequest(dict(request.headers), message["body"]))
        return PlainTextResponse("ok") if taken else _refused()


def _fits(length: str | None) -> bool:
    return length is None or (length.isascii() and length.isdecimal() and int(length) <= HOOK_BYTES_MAX)


def _refused() -> Response:
    # What is left of a body is not read, so the connection cannot carry another request.
    return PlainTextResponse("Not found", 404, {"connection": "close"})


def _not_now() -> Response:
    return PlainTextResponse("Not now", 503, {"connection": "close", "retry-after": "5"})
