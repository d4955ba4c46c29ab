"""The service before its engine is open: who calls waits for it, so that a host hears of the tools at once."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import anyio
from pydantic import JsonValue

from ..domain.errors import RushesError
from ..domain.record import TaskRecord, TaskState
from ..domain.request import Kind
from ..tasks.service import Answer, ModelOffer, Preview, Seen, Service, TaskPage, Wish

logger = logging.getLogger(__name__)

OPEN_AFTER_SECONDS = 2.0
"""Unfinished tasks are picked up by then, whether or not a host has asked for anything."""

TRY_AGAIN_AFTER_SECONDS = 30.0
"""After a failed attempt to open, where no call comes sooner."""

OpenService = Callable[[], AbstractAsyncContextManager[Service]]


@dataclass
class _Attempt:
    """One try to open. A call that comes during it shares its outcome; one that comes later may start the next."""

    wanted: anyio.Event = field(default_factory=anyio.Event)
    ended: anyio.Event = field(default_factory=anyio.Event)
    service: Service | None = None
    problem: RushesError | None = None


@asynccontextmanager
async def deferred(open_service: OpenService, *, within_seconds: float = OPEN_AFTER_SECONDS) -> AsyncGenerator[Service]:
    """A service that is opened by its first call, or a moment later by itself, and closed at the end of the block.

    Where opening fails, the calls that wait for it raise its error, and later ones try again.

    Args:
        open_service: Opens the real one; may raise any `RushesError`.
        within_seconds: When it is opened if nobody calls.
    """
    service = DeferredService()
    closing = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(service.keep_open, open_service, closing, within_seconds)
        yield service
        closing.set()
        if not service.is_open:
            group.cancel_scope.cancel()


class DeferredService:
    """Implements `Service`; made by `deferred`."""

    def __init__(self) -> None:
        self._attempt = _Attempt()

    @property
    def is_open(self) -> bool:
        """Whether calls go straight to the real service."""
        return self._attempt.service is not None

    async def keep_open(self, open_service: OpenService, closing: anyio.Event, within_seconds: float) -> None:
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
                logger.error("cannot open problem=%s", error.message)
                ended, self._attempt = self._attempt, _Attempt()
                ended.problem = error
                ended.ended.set()
            within_seconds = TRY_AGAIN_AFTER_SECONDS

    async def _opened(self) -> Service:
        attempt = self._attempt
        attempt.wanted.set()
        await attempt.ended.wait()
        if attempt.service is None:
            raise attempt.problem or RushesError("rushes is stopping")
        return attempt.service

    async def generate(self, wish: Wish, *, answer_within_seconds: float = 20.0) -> Answer:
        """See `Service.generate`."""
        return await (await self._opened()).generate(wish, answer_within_seconds=answer_within_seconds)

    async def preview(self, wish: Wish) -> Preview:
        """See `Service.preview`."""
        return await (await self._opened()).preview(wish)

    async def get(self, task_id: str, *, owner: str = "local") -> TaskRecord:
        """See `Service.get`."""
        return await (await self._opened()).get(task_id, owner=owner)

    async def answer(self, task_id: str, *, owner: str = "local") -> JsonValue:
        """See `Service.answer`."""
        return await (await self._opened()).answer(task_id, owner=owner)

    async def wait(
        self,
        task_id: str,
        *,
        seconds: float,
        owner: str = "local",
        report: Callable[[TaskRecord], Awaitable[None]] | None = None,
    ) -> TaskRecord:
        """See `Service.wait`."""
        return await (await self._opened()).wait(task_id, seconds=seconds, owner=owner, report=report)

    async def list_tasks(
        self,
        *,
        owner: str = "local",
        state: TaskState | None = None,
        kind: Kind | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> TaskPage:
        """See `Service.list_tasks`."""
        service = await self._opened()
        return await service.list_tasks(owner=owner, state=state, kind=kind, limit=limit, cursor=cursor)

    async def cancel(self, task_id: str, *, owner: str = "local", abandon: bool = False) -> TaskRecord:
        """See `Service.cancel`."""
        return await (await self._opened()).cancel(task_id, owner=owner, abandon=abandon)

    async def attach(self, task_id: str, job_id: str, *, owner: str = "local") -> TaskRecord:
        """See `Service.attach`."""
        return await (await self._opened()).attach(task_id, job_id, owner=owner)

    async def take_up(self, task_id: str, *, owner: str = "local") -> TaskRecord:
        """See `Service.take_up`."""
        return await (await self._opened()).take_up(task_id, owner=owner)

    async def models(
        self, *, kind: Kind | None = None, provider: str | None = None, query: str | None = None
    ) -> Sequence[ModelOffer]:
        """See `Service.models`."""
        return await (await self._opened()).models(kind=kind, provider=provider, query=query)

    async def look(self, task_id: str, index: int, *, owner: str = "local", at_seconds: float | None = None) -> Seen:
        """See `Service.look`."""
        return await (await self._opened()).look(task_id, index, owner=owner, at_seconds=at_seconds)

    async def content(self, task_id: str, index: int, *, owner: str = "local", bytes_max: int) -> bytes:
        """See `Service.content`."""
        return await (await self._opened()).content(task_id, index, owner=owner, bytes_max=bytes_max)

    def poll_interval_seconds(self, record: TaskRecord) -> float | None:
        """See `Service.poll_interval_seconds`. A record can only have come from an open service."""
        service = self._attempt.service
        return None if service is None else service.poll_interval_seconds(record)
