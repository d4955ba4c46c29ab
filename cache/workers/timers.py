"""One scheduler for all tasks of a process: a heap of due times and bounded concurrency, no coroutine a task."""

import heapq
import itertools
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from .slots import Lane, Slots

logger = logging.getLogger(__name__)

Step = Callable[[str], Awaitable[float | None]]
"""Does what is due for a task; answers with the seconds until its next step, or `None` where nothing is left."""

RETRY_AFTER_FAULT_SECONDS = 30.0
"""No task is lost to a fault in its step; and one that fails each time does not fill the log."""


class RunningClock(Protocol):
    """What is needed of the clock: time that only goes on, and a wait by it."""

    def elapsed(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class Scheduler:
    """Calls `step(task_id)` when it is due, never twice at once for one task, at most `at_once` in all.

    With `slots` and `lane_of`, which says for what a task's next step takes a slot, those bound it instead: what waits
    for a slot of one lane keeps no other from its own.
    """

    def __init__(
        self,
        step: Step,
        clock: RunningClock,
        *,
        at_once: int = 32,
        slots: Slots | None = None,
        lane_of: Callable[[str], Lane] = lambda _: Lane(),
    ) -> None:
        self._step = step
        self._clock = clock
        self._slots = slots or Slots({Lane().kind: at_once})
        self._lane_of = lane_of
        self._heap: list[tuple[float, int, str]] = []
        self._waiting: defaultdict[Lane, deque[tuple[float, str]]] = defaultdict(deque)
        """Due, and without a slot. They stay in `_due`."""
        self._due: dict[str, float] = {}
        self._running: set[str] = set()
        self._again: dict[str, float] = {}
        """When a step is to follow the one that runs."""
        self._ticket = itertools.count()
        self._nap = anyio.CancelScope()

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._due or task_id in self._running

    def schedule(self, task_id: str, after_seconds: float = 0.0) -> None:
        """Make a task's next step due; an earlier time than the one planned wins, a later one is ignored."""
        due = self._clock.elapsed() + max(0.0, after_seconds)
        if task_id in self._running:
            # That step may have read the record before this call's reason was written, so one more follows it.
            self._again[task_id] = min(due, self._again.get(task_id, due))
            return
        if self._due.get(task_id, float("inf")) > due:
            self._due[task_id] = due
            heapq.heappush(self._heap, (due, next(self._ticket), task_id))
            self._nap.cancel()

    def due_in(self, task_id: str) -> float | None:
        """Seconds until the next step of a task that has one planned."""
        due = self._due.get(task_id)
        return None if due is None else due - self._clock.elapsed()

    async def run(self) -> None:
        """Work until cancelled."""
        async with anyio.create_task_group() as steps:
            while True:
                task_id, lane = await self._next()
                self._running.add(task_id)
                self._start(steps, task_id, lane)

    def _start(self, steps: TaskGroup, task_id: str, lane: Lane) -> None:
        steps.start_soon(self._run_step, task_id, lane, name=f"step {task_id}")

    async def _next(self) -> tuple[str, Lane]:
        """The next task that is due and has a slot; the slot is taken."""
        while True:
            # Made before the heap is read: what is planned from here on ends the nap, begun or not.
            self._nap = anyio.CancelScope()
            if (found := self._next_waiting() or self._next_due()) is not None:
                return found
            with self._nap:
                await self._until(self._heap[0][0] if self._heap else None)

    def _next_waiting(self) -> tuple[str, Lane] | None:
        for lane, waiting in list(self._waiting.items()):
            while waiting and self._due.get(waiting[0][1]) != waiting[0][0]:
                waiting.popleft()
            if not waiting:
                del self._waiting[lane]
            elif self._slots.take(lane):
                _, task_id = waiting.popleft()
                del self._due[task_id]
                return task_id, lane
        return None

    def _next_due(self) -> tuple[str, Lane] | None:
        while self._heap:
            due, _, task_id = self._heap[0]
            # Entries with another time are old ones: taking them out of the heap when plans change would cost more.
            if self._due.get(task_id) == due:
                if due > self._clock.elapsed():
                    return None
                lane = self._lane_of(task_id)
                if self._slots.take(lane):
                    heapq.heappop(self._heap)
                    del self._due[task_id]
                    return task_id, lane
                self._waiting[lane].append((due, task_id))
            heapq.heappop(self._heap)
        return None

    async def _until(self, due: float | None) -> None:
        if due is None:
            await anyio.sleep_forever()
        else:
            await self._clock.sleep(max(0.0, due - self._clock.elapsed()))

    async def _run_step(self, task_id: str, lane: Lane) -> None:
        after_seconds: float | None = RETRY_AFTER_FAULT_SECONDS
        try:
            after_seconds = await self._step(task_id)
        except Exception:
            logger.exception("step failed", extra={"task_id": task_id})
        finally:
            # Before it is scheduled again below, which counts as a wish of others for as long as it is running.
            self._running.discard(task_id)
            self._slots.give_back(lane)
            # Whoever waits for a slot is not woken by time.
            if self._waiting:
                self._nap.cancel()
        now = self._clock.elapsed()
        again = self._again.pop(task_id, None)
        # Where nothing is left, a wish for later has nothing to wait for either.
        if again is not None and (after_seconds is not None or again <= now):
            self.schedule(task_id, again - now)
        if after_seconds is not None:
            self.schedule(task_id, after_seconds)


def queue_in_memory(
    step: Step,
    clock: RunningClock,
    *,
    at_once: Mapping[str, int],
    shares: Collection[str],
    lane_of: Callable[[str], tuple[str, str]],
) -> Scheduler:
    """The queue of one process, with `at_once` slots for each kind of lane, and a part of them for each of `shares`.

    `lane_of` says for which kind and for whose share a task's next step takes a slot.
    """
    return Scheduler(step, clock, slots=Slots(at_once, shares), lane_of=lambda task_id: Lane(*lane_of(task_id)))
