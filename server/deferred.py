"""The service before its engine is open: who calls waits for it, so that a host hears of the tools at once."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import anyio

from ..domain.errors import RushesError
from ..tasks.service import Service
from ..tools import OpenService

logger = logging.getLogger(__name__)

OPEN_AFTER_SECONDS = 2.0
"""Unfinished tasks are picked up by then, whether or not a host has asked for anything."""

TRY_AGAIN_AFTER_SECONDS = 30.0
"""After a failed attempt to open, where no call comes sooner."""

_Opening = Callable[[], AbstractAsyncContextManager[Service]]


@dataclass
class _Attempt:
    """One try to open. A call that comes during it shares its outcome; one that comes later may start the next."""

    wanted: anyio.Event = field(default_factory=anyio.Event)
    ended: anyio.Event = field(default_factory=anyio.Event)
    service: Service | None = None
    problem: RushesError | None = None


@asynccontextmanager
async def deferred(
    open_service: _Opening, *, within_seconds: float = OPEN_AFTER_SECONDS
) -> AsyncGenerator[OpenService]:
    """A service that is opened by its first call, or a moment later by itself, and closed at the end of the block.

    Where opening fails, the calls that wait for it raise its error, and later ones try again.

    Args:
        open_service: Opens the real one; may raise any `RushesError`.
        within_seconds: When it is opened if nobody calls.
    """
    waiting = _Deferred()
    closing = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(waiting.keep_open, open_service, closing, within_seconds)
        yield waiting.opened
        closing.set()
        if not waiting.is_open:
            group.cancel_scope.cancel()


class _Deferred:
    """Opens the service when it is wanted."""

    def __init__(self) -> None:
        self._attempt = _Attempt()

    @property
    def is_open(self) -> bool:
        """Whether calls go straight to the real service."""
        return self._attempt.service is not None

    async def keep_open(self, open_service: _Opening, closing: anyio.Event, within_seconds: float) -> None:
        """Open the real service when it is wanted or time is up, and keep it until `closing`."""
        while not closing.is_set():
            with anyio.move_on_after(within_seconds):
                await self._attempt.wanted.wait()
            try:
                async with open_service() as service:
                    self._attempt.service = service
                    self._attempt.ended.set()
                    await closing.wait()
            except RushesError as error:
                logger.error("cannot open", extra={"problem": error.message})
                ended, self._attempt = self._attempt, _Attempt()
                ended.problem = error
                ended.ended.set()
            within_seconds = TRY_AGAIN_AFTER_SECONDS

    async def opened(self) -> Service:
        """The service, once it is open.

        Raises:
            RushesError: it cannot be opened.
        """
        attempt = self._attempt
        attempt.wanted.set()
        await attempt.ended.wait()
        if attempt.service is None:
            raise attempt.problem or RushesError("rushes is stopping")
        return attempt.service
