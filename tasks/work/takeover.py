"""Takeover: a process goes on with unfinished tasks that no living process works on."""

import logging
import random
from collections.abc import Awaitable, Callable, Container, Sequence
from datetime import timedelta
from functools import partial

from ...domain.errors import RequestRefused, StoreDamaged, StoreTooNew
from ...domain.job import Observation, Submission
from ...domain.record import TaskRecord
from ...providers.provider import Provider
from .. import life
from ..intake.routing import Candidate, Configured, route
from ..journal import TaskJournal
from ..ports import Clock, Lease, MediaStore, WorkQueue
from .rebuild import restored
from .receipt_book import ReceiptBook
from .rescue import Rescuer

logger = logging.getLogger(__name__)

ORPHANED_TOLD_AFTER = timedelta(minutes=1)
"""The process that has the key may only be starting anew."""


class Takeover:
    """Finds tasks that nobody works on, and sees that somebody does.

    `submitting` holds the ids of the submissions under way in this process; `submit_again` begins one that is free.
    """

    def __init__(
        self,
        journal: TaskJournal,
        lease: Lease,
        media: MediaStore,
        book: ReceiptBook,
        configured: Sequence[Configured],
        clock: Clock,
        *,
        queue: WorkQueue,
        submitting: Container[str],
        submit_again: Callable[[TaskRecord, Sequence[Candidate]], None],
        rescuer: Rescuer,
    ) -> None:
        self._journal = journal
        self._lease = lease
        self._media = media
        self._book = book
        self._configured = configured
        self._providers = {c.provider.name: c.provider for c in configured}
        self._usable = {c.provider.name for c in configured if c.problem is None}
        self._clock = clock
        self._queue = queue
        self._submitting = submitting
        self._submit_again = submit_again
        self._rescuer = rescuer

    async def run(self, every_seconds: float) -> None:
        """Look for tasks to go on with, every so often, until cancelled."""
        while True:
            await self._clock.sleep(every_seconds * random.uniform(0.75, 1.25))  # noqa: S311 - spreads load
            try:
                await self.look()
            except Exception:
                logger.exception("takeover failed; it is tried again")

    async def look(self) -> None:
        """Go on with what this process has left lying, and adopt what dead processes left.

        Raises:
            StoreError: the store cannot be used.
        """
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
                await self._look_after(task_id, adopt)

    async def _look_after(self, task_id: str, work: Callable[[TaskRecord], Awaitable[None]]) -> None:
        """Do it unless the task was set aside; one record's fault must not keep the others from being looked after."""
        try:
            record = await self._journal.read(task_id)
            if record is not None and record.open and record.set_aside_at is None:
                await work(record)
        except (StoreDamaged, StoreTooNew) as error:
            logger.warning("task left out", extra={"task_id": task_id, "problem": error.message})
        except Exception:
            logger.exception("task not taken over", extra={"task_id": task_id})

    def _in_hand(self, task_id: str) -> bool:
        """Whether this process works on it, and has its next step planned."""
        return task_id in self._submitting or task_id in self._queue

    async def _pick_up(self, record: TaskRecord) -> None:
        """A task of this process that no step is planned for, because a fault came in between."""
        if record.worker != self._journal.worker or self._in_hand(record.task_id):
            return
        if record.phase != "submitting":
            self._queue.schedule(record.task_id)
        # Read again: the submission may have ended since the records were listed, and the old one looks like a loss.
        elif await self._journal.read(record.task_id) == record and record.task_id not in self._submitting:
            await self._resume_submission(record)

    async def _adopt_or_tell(self, record: TaskRecord, *, died_in_step: bool) -> None:
        """Leave a task whose provider has no key here to a process that has it; past its deadline anybody ends it."""
        now = self._clock.now()
        if record.provider in self._usable or now >= record.deadline_at:
            await self._adopt(record, died_in_step=died_in_step)
        elif now - record.updated_at > ORPHANED_TOLD_AFTER:
            text = (
                f"No running rushes looks after this task: {record.provider} is not set up in those that run. "
                "It goes on when one with its key is started."
            )
            await self._journal.change(record.task_id, lambda r: life.with_warnings(r, [text], now), as_worker=False)

    async def _adopt(self, record: TaskRecord, *, died_in_step: bool) -> None:
        def take(current: TaskRecord) -> TaskRecord:
            # Several processes see the same death. The first one's name is here for all others, who leave it then.
            if current.worker != record.worker:
                return current
            now = self._clock.now()
            adopted = life.adopted(current, self._journal.worker, now)
            return life.died_in_step(adopted, now) if died_in_step else adopted

        mine = await self._journal.change(record.task_id, take, as_worker=False)
        if mine is None or mine.worker != self._journal.worker:
            return
        if mine.set_aside_at is not None:
            logger.error("task set aside, as processes died of it", extra={"task_id": mine.task_id})
            return
        if mine.phase == "submitting":
            await self._resume_submission(mine)
        else:
            self._queue.schedule(mine.task_id)

    async def _resume_submission(self, record: TaskRecord) -> None:
        """A submission found in flight is never sent again, unless it costs nothing."""
        provider = self._providers.get(record.provider)
        if provider is not None and provider.traits.repeatable and not record.final:
            candidates = self._free_candidates(record, provider)
            if candidates:
                self._submit_again(record, candidates)
                return
        now = self._clock.now()
        answered = await restored(self._media, record)
        if answered is not None:
            await self._journal.change(record.task_id, lambda r: life.answered_on_disk(r, answered, now))
            return
        job = await self._book.job_of(record)
        if job is not None:
            accepted = Submission(job=job, observation=Observation(state="queued"))
            await self._journal.change(record.task_id, lambda r: life.accepted(r, accepted, now), durable=True)
            self._queue.schedule(record.task_id)
            return
        found = await self._rescuer.rescue(record)
        finds = provider is not None and provider.traits.finds_jobs
        why = life.answer_unknown(record)
        after = await self._journal.change(
            record.task_id,
            lambda r: life.lost(life.rescued(r, found, now), why, now, reconcilable=finds),
            durable=True,
        )
        await self._rescuer.write_sidecars(after, found)
        if after is not None and after.open:
            self._queue.schedule(record.task_id)

    def _free_candidates(self, record: TaskRecord, provider: Provider) -> Sequence[Candidate]:
        request = record.request.model_copy(update={"model": record.model})
        try:
            return route(request, self._configured, provider.name).candidates
        except RequestRefused as refusal:
            logger.warning(
                "free submission not repeated", extra={"task_id": record.task_id, "problem": refusal.message}
            )
            return ()
