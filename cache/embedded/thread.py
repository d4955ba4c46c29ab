"""A store thread: one dedicated thread that owns one database connection and does the calls that queue up before it."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar, cast

import anyio
import anyio.to_thread
from anyio.lowlevel import EventLoopToken, current_token

from ...domain.errors import StoreError

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

COMPANY_SECONDS = 0.005
"""So long a thread waits for company where the last batch was of several: those come again soon, one by one, and each
batch costs a sync."""


class QueuedCall(Generic[R]):
    """One piece of work for the thread, and what came of it."""

    def __init__(
        self,
        work: Callable[[R], object],
        *,
        durable: bool = False,
        reading: bool = False,
        one_statement: bool = False,
    ) -> None:
        self.work = work
        self.durable = durable
        self.reading = reading
        self.one_statement = one_statement
        self.done = anyio.Event()
        self.result: object = None
        self.error: Exception | None = None

    def fail(self, error: Exception) -> None:
        self.result, self.error = None, error

    def succeed(self, result: object) -> None:
        self.result, self.error = result, None


class Session(Protocol[R]):
    """What a store thread works with. All its methods are called on that thread."""

    def execute(self, calls: Sequence[QueuedCall[R]]) -> None:
        """Do the calls; each ends with `succeed` or `fail`, and nothing is raised."""
        ...

    def close(self) -> None: ...


class StoreThread(Generic[R]):
    """Runs calls one batch after the other. A call that was given is done, also if its caller stops waiting."""

    def __init__(self, name: str, open_session: Callable[[], Session[R]], *, batch_max: int) -> None:
        self._open_session = open_session
        self._batch_max = batch_max
        self._queue: queue.SimpleQueue[QueuedCall[R] | None] = queue.SimpleQueue()
        # A daemon: an event loop that dies without closing the store must not keep the process alive.
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)
        self._token: EventLoopToken | None = None
        self._opening: QueuedCall[R] | None = None
        self._closed = False
        self._in_company = False
        """Whether the last batch was of several calls."""

    async def start(self) -> None:
        """Start the thread and open its session; raises what opening raises."""
        self._token = current_token()
        opening = self._opening = QueuedCall[R](lambda _: None)
        self._thread.start()
        # Not cancellable: a thread that is still opening could not be closed in order.
        with anyio.CancelScope(shield=True):
            await opening.done.wait()
        if opening.error is not None:
            raise opening.error

    async def run(
        self,
        work: Callable[[R], T],
        *,
        durable: bool = False,
        reading: bool = False,
        one_statement: bool = False,
    ) -> T:
        """Do `work` on the thread and return its result or raise its error."""
        if self._closed:
            raise StoreError("The task store is closed.")
        call = QueuedCall[R](work, durable=durable, reading=reading, one_statement=one_statement)
        # From here on it is done whatever becomes of the caller: a write must not depend on who still waits for it.
        self._queue.put(call)
        await call.done.wait()
        if call.error is not None:
            raise call.error
        return cast("T", call.result)

    async def aclose(self) -> None:
        """Do what was already given, then end the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._thread.join)

    def _main(self) -> None:
        opening = cast("QueuedCall[R]", self._opening)
        try:
            session = self._open_session()
        except Exception as error:  # noqa: BLE001 - the boundary of the thread: `start` raises it
            opening.fail(error)
            self._deliver([opening])
            return
        self._deliver([opening])
        try:
            more = True
            while more:
                calls, more = self._take()
                if calls:
                    _execute(session, calls)
                    self._deliver(calls)
        finally:
            session.close()

    def _take(self) -> tuple[list[QueuedCall[R]], bool]:
        """The next calls, at least one; and whether there may be more."""
        calls: list[QueuedCall[R]] = []
        item = self._queue.get()
        if self._in_company:
            time.sleep(COMPANY_SECONDS)
        while item is not None:
            calls.append(item)
            # As many as are there already: a batch grows by itself while the disk is slow.
            if len(calls) == self._batch_max or self._queue.empty():
                self._in_company = len(calls) > 1
                return calls, True
            item = self._queue.get()
        return calls, False

    def _deliver(self, calls: Sequence[QueuedCall[R]]) -> None:
        # An event loop that was closed before the store has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            _soon(cast("EventLoopToken", self._token), lambda: _wake(calls))


def _execute(session: Session[R], calls: Sequence[QueuedCall[R]]) -> None:
    try:
        session.execute(calls)
    except Exception as error:
        logger.exception("the task store met an error that it does not know")
        for call in calls:
            call.fail(error)


class _Loop(Protocol):
    """An event loop as anyio's token holds it: asyncio's, or trio's token of one."""

    call_soon_threadsafe: Callable[[Callable[[], None]], object]
    run_sync_soon: Callable[[Callable[[], None]], object]


def _soon(token: EventLoopToken, work: Callable[[], None]) -> None:
    """Have the event loop do this, and go on at once: `anyio.from_thread` would wait until the loop has come to it, in
    which time this thread could have written the next batch."""
    loop = cast("_Loop", token.native_token)
    run = loop.call_soon_threadsafe if hasattr(loop, "call_soon_threadsafe") else loop.run_sync_soon
    run(work)


def _wake(calls: Sequence[QueuedCall[R]]) -> None:
    for call in calls:
        call.done.set()
