"""Takeover: a process goes on with unfinished tasks that no living process works on."""

import logging
import random
from collections.abc import Awaitable, Callable, Container, Sequence
from datetime import timedelta
from functools import partial

from ...domain.errors import StoreDamaged, StoreTooNew
from ...domain.record import TaskRecord
from .. import life
from ..intake.routing import Configured
from ..journal import TaskJournal
from ..ports import Clock, Lease, WorkQueue

logger = logging.getLogger(__name__)

ORPHANED_TOLD_AFTER = timedelta(minutes=1)
"""The process that has the key may only be starting anew."""


class Takeover:
    """Finds tasks that nobody works on, and makes their next step due here.

    `submitting` holds the ids of the submissions that are under way in this process, or being journaled.
    """

    def __init__(
        self,
        journal: TaskJournal,
        lease: Lease,
        configured: Sequence[Configured],
        clock: Clock,
        *,
        queue: WorkQueue,
        submitting: Container[str],
    ) -> None:
        self._journal = journal
        self._lease = lease
        self._usable = {c.provider.name for c in configured if c.problem is None}
        self._clock = clock
        self._queue = queue
        self._submitting = submitting

    async def run(self, every_seconds: float) -> None:
        """Look for tasks to go on with, every so often, until cancelled."""
        while True:
            await self._clock.sleep(every_seconds * random.uniform(0.75, 1.25))  # noqa: S311 - spreads load
            try:
                await self.take_over()
            except Exception:
                logger.exception("takeover failed; it is tried again")

    async def take_over(self) -> list[TaskRecord]:
        """Go on with what this process has left lying, and adopt what dead processes left; the records of the
        submissions among them that were in flight.

        Raises:
            StoreError: the store cannot be used.
        """
        in_flight: list[TaskRecord] = []
        mine = self._journal.worker
        workers = set(await self._journal.open_workers())
        if mine in workers:
            async for task_id in self._journal.open_ids(mine):
                if not self._in_hand(task_id):
                    await self._look_after(task_id, self._pick_up)
        others = {worker for worker in workers - {mine} if worker is not None}
        dead = await self._lease.dead(others) if others else set[str]()
        for worker in [*({None} & workers), *sorted(dead)]:
            suspects = set[str]() if worker is None else await self._lease.died_in(worker)
            async for task_id in self._journal.open_ids(worker):
                adopt = partial(self._adopt_or_tell, died_in_step=task_id in suspects)
                adopted = await self._look_after(task_id, adopt)
                if adopted is not None and adopted.phase == "submitting":
                    in_flight.append(adopted)
        return in_flight

    async def _look_after(
        self, task_id: str, work: Callable[[TaskRecord], Awaitable[TaskRecord | None]]
    ) -> TaskRecord | None:
        """Do it unless the task was set aside; one record's fault must not keep the others from being looked after."""
        try:
            record = await self._journal.read(task_id)
            if record is not None and record.open and record.set_aside_at is None:
                return await work(record)
        except (StoreDamaged, StoreTooNew) as error:
            logger.warning("task left out", extra={"task_id": task_id, "problem": error.message})
        except Exception:
            logger.exception("task not taken over", extra={"task_id": task_id})
        return None

    def _in_hand(self, task_id: str) -> bool:
        """Whether this process works on it, and has its next step planned."""
        return task_id in self._submitting or task_id in self._queue

    async def _pick_up(self, record: TaskRecord) -> None:
        """A task of this process that no step is planned for, because a fault came in between."""
        if record.worker == self._journal.worker and not self._in_hand(record.task_id):
            self._queue.schedule(record.task_id)

    async def _adopt_or_tell(self, record: TaskRecord, *, died_in_step: bool) -> TaskRecord | None:
        """Leave a task whose provider has no key here to a process that has it; past its deadline anybody ends it."""
        now = self._clock.now()
        if record.provider in self._usable or now >= record.deadline_at:
            return await self._adopt(record, died_in_step=died_in_step)
        if now - record.updated_at > ORPHANED_TOLD_AFTER:
            text = (
                f"No running rushes looks after this task: {record.provider} is not set up in those that run. "
                "It goes on when one with its key is started."
            )
            await self._journal.change(record.task_id, lambda r: life.with_warnings(r, [text], now), as_worker=False)
        return None

    async def _adopt(self, record: TaskRecord, *, died_in_step: bool) -> TaskRecord | None:
        def take(current: TaskRecord) -> TaskRecord:
            # Several processes see the same death. The first one's name is here for all others, who leave it then.
            if current.worker != record.worker:
                return current
            now = self._clock.now()
            adopted = life.adopted(current, self._journal.worker, now)
            return life.died_in_step(adopted, now) if died_in_step else adopted

        mine = await self._journal.change(record.task_id, take, as_worker=False)
        if mine is None or mine.worker != self._journal.worker:
            return None
        if mine.set_aside_at is not None:
            logger.error("task set aside, as processes died of it", extra={"task_id": mine.task_id})
            return None
        self._queue.schedule(mine.task_id)
        return mine
