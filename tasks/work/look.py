"""A look at a job: one GET, one pure decision on what it says, and the pause until the next."""

import logging
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from ...domain.errors import FailureError, GatewayUnavailable, OutputRejected, RushesError, StoreError
from ...domain.job import Observation
from ...domain.record import TaskRecord
from ...providers.provider import Provider
from .. import life
from ..journal import TaskJournal
from ..ports import Clock
from ..steady import SteadyTime
from .cadence import NORMAL, UNWATCHED, WAITED_FOR, Outlook, pause_seconds
from .callbacks import Callbacks
from .keep import Keeper
from .learning import Learning
from .retry_after import RetryAfter

logger = logging.getLogger(__name__)

KEEP_RETRY_PAUSE_SECONDS = 1.0
"""A disk or store that was busy; the gateway gives the same answer again."""

REJECTED_PAUSE_SECONDS = 60.0
"""What was refused for what it is will hardly be another thing at the next look."""


class Looker:
    """Looks at jobs. `waited_for` says whether somebody waits for a task right now."""

    def __init__(
        self,
        journal: TaskJournal,
        keeper: Keeper,
        clock: Clock,
        *,
        waited_for: Callable[[str], bool],
        learning: Learning,
        steady: SteadyTime,
        callbacks: Callbacks,
        retry_after: RetryAfter,
        jitter: Callable[[], float] = lambda: random.uniform(-1, 1),  # noqa: S311 - spreads requests, no secret
    ) -> None:
        self._journal = journal
        self._keeper = keeper
        self._clock = clock
        self._waited_for = waited_for
        self._learning = learning
        self._steady = steady
        self._callbacks = callbacks
        self._retry_after = retry_after
        self._jitter = jitter

    def pause_seconds(self, record: TaskRecord) -> float:
        """The pause before the next look at a job, by the cadence rule and what the gateway said last."""
        price = UNWATCHED if record.final else WAITED_FOR if self._waited_for(record.task_id) else NORMAL
        elapsed = max(0.0, (self._steady.now(record.task_id) - self._learning.began(record)).total_seconds())
        self._learning.runs(record, elapsed)
        look = Outlook(
            elapsed=elapsed,
            expectation=self._learning.expectation(record),
            price=price,
            errors=record.poll_errors,
            retry_after=self._retry_after.left(record.task_id),
        )
        usual = pause_seconds(look, self._jitter())
        return self._callbacks.pause_seconds(record, usual, look.elapsed, look.expectation.median)

    async def look(self, record: TaskRecord, provider: Provider) -> TaskRecord | None:
        if record.job is None:
            return None
        if not provider.traits.streams:
            return await self._looked(record, provider.poll(record.job))
        parts = self._keeper.answer_parts(record)
        try:
            return await self._looked(record, provider.poll(record.job, sink=parts))
        finally:
            # What could not be kept comes again with the next look.
            await parts.close(discard=True)

    async def _looked(self, record: TaskRecord, look: Awaitable[Observation]) -> TaskRecord | None:
        try:
            seen = life.bounded(await look)
        except GatewayUnavailable as error:
            return await self.failed(record, error)
        except (StoreError, OutputRejected) as error:
            logger.warning("answer not written", extra={"task_id": record.task_id, "problem": error.message})
            passing = isinstance(error, StoreError)
            return await self.again_in(record, KEEP_RETRY_PAUSE_SECONDS if passing else REJECTED_PAUSE_SECONDS)
        kept = life.NOTHING_KEPT
        if any(output.delivered for output in seen.outputs):
            try:
                kept = await self._keeper.keep_answered(record, seen, {})
                # Before the record: where there is a finished record, there is a sidecar to restore it from.
                await self._keeper.write_sidecars(life.observed(record, seen, self._clock.now(), kept), seen.answer)
            except RushesError as error:
                logger.warning("output not written", extra={"task_id": record.task_id, "problem": error.message})
                return await self.again_in(record, KEEP_RETRY_PAUSE_SECONDS)
        return await self._seen(record, seen, kept)

    async def _seen(self, record: TaskRecord, seen: Observation, kept: life.Kept) -> TaskRecord | None:
        self._retry_after.note(record.task_id, seen.poll_after_seconds)

        def apply(current: TaskRecord) -> TaskRecord:
            now = self._clock.now()
            after = self._timed_out(life.observed(current, seen, now, kept), now)
            pause = self.pause_seconds(after)
            return life.poll_due(after, now + timedelta(seconds=pause), now)

        unchanged = apply(record)
        if not self._waited_for(record.task_id) and not _worth_a_write(record, unchanged):
            return unchanged
        after = await self._journal.change(record.task_id, apply, answer=seen.answer)
        if after is not None and after.final and not record.final:
            await self._learning.ended(after, seen_at_once=self._callbacks.was_heard(after.task_id))
            await self._callbacks.ended(after)
        return after

    async def failed(self, record: TaskRecord, error: FailureError) -> TaskRecord | None:
        logger.info(
            "look failed", extra={"task_id": record.task_id, "provider": record.provider, "problem": error.message}
        )
        self._retry_after.note(record.task_id, error.retry_after_seconds)

        def apply(current: TaskRecord) -> TaskRecord:
            now = self._clock.now()
            after = self._timed_out(life.poll_failed(current, error, now), now)
            pause = self.pause_seconds(after)
            return life.poll_due(after, now + timedelta(seconds=pause), now)

        return await self._journal.change(record.task_id, apply)

    def _timed_out(self, record: TaskRecord, now: datetime) -> TaskRecord:
        return life.timed_out(record, now, by=self._steady.now(record.task_id))

    async def again_in(self, record: TaskRecord, seconds: float) -> TaskRecord | None:
        now = self._clock.now()
        due = now + timedelta(seconds=seconds)
        return await self._journal.change(record.task_id, lambda r: life.poll_due(self._timed_out(r, now), due, now))


_COUNTED_ONLY = frozenset({"polls", "updated_at", "next_poll_at"})
_TOLD = tuple(name for name in TaskRecord.model_fields if name not in _COUNTED_ONLY)


def _worth_a_write(before: TaskRecord, after: TaskRecord) -> bool:
    """Whether a look changed anything but the number and time of looks. The first one always counts."""
    return before.polls == 0 or any(getattr(before, name) != getattr(after, name) for name in _TOLD)
