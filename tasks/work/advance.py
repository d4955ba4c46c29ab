"""The steps of a task after its submission: a look at the gateway, a download, a search for a lost job."""

import logging
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import assert_never

import anyio

from ...domain.errors import (
    FailureError,
    FailureReason,
    GatewayUnavailable,
    JobTaken,
    OutputRejected,
    RushesError,
    StoreError,
)
from ...domain.job import Job, Observation, PossibleJob
from ...domain.record import TaskRecord
from ...providers.provider import Provider
from .. import life
from ..journal import TaskJournal
from ..limits import Limits
from ..ports import Clock, Lane, Lease, MakesQueue, WorkQueue
from ..steady import SteadyTime
from .cadence import NORMAL, UNWATCHED, WAITED_FOR, Look, pause_seconds
from .hold import Holding
from .keep import Keeper, keep_pause_seconds
from .learning import Learning
from .rates import Rates
from .submit import replanned

logger = logging.getLogger(__name__)

KEEP_RETRY_PAUSE_SECONDS = 1.0
"""A disk or store that was busy; the gateway gives the same answer again."""

REJECTED_PAUSE_SECONDS = 60.0
"""What was refused for what it is will hardly be another thing at the next look."""

REFRESH_AFTER_ATTEMPTS = 1

RIVAL_PAUSE_SECONDS = 1.0
"""An equal submission that is under way ends in seconds, and its job in the list must not be taken for this one's."""
NO_LIST: frozenset[FailureReason] = frozenset({"not_found", "unsupported"})
"""What a gateway says that has no list of jobs: it shows the job as little as an empty list."""


UNKNOWN_LANE = Lane("look")
"""For a task of which this process knows no more than its id."""
SUSPECTS = Lane("suspect")
"""One at a time: if a process dies under a step of one of them once more, it was that one."""


class Steps:
    """Does what is due for one task.

    `waited_for` says whether somebody waits for it right now; `cancel_accepted` cancels a job that was found only now.
    """

    def __init__(
        self,
        journal: TaskJournal,
        keeper: Keeper,
        providers: Mapping[str, Provider],
        clock: Clock,
        *,
        waited_for: Callable[[str], bool],
        cancel_accepted: Callable[[TaskRecord], Awaitable[TaskRecord]],
        holding: Holding,
        rates: Rates,
        learning: Learning,
        lease: Lease,
        jitter: Callable[[], float] = lambda: random.uniform(-1, 1),  # noqa: S311 - spreads requests, no secret
    ) -> None:
        self._journal = journal
        self._keeper = keeper
        self._providers = providers
        self._clock = clock
        self._waited_for = waited_for
        self._cancel_accepted = cancel_accepted
        self._holding = holding
        self._rates = rates
        self._learning = learning
        self._lease = lease
        self._lanes: dict[str, Lane] = {}
        self._steady = SteadyTime(clock)
        self._searching: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)
        self._jitter = jitter

    async def step(self, task_id: str) -> float | None:
        """Do what is due; seconds until the next step, or `None` where nothing is left for this worker."""
        record = await self._journal.read_mine(task_id)
        if record is None or record.set_aside_at is not None:
            self._forget(task_id)
            return None
        if record.phase == "submitting":
            return None
        if (lane := self._lane_for(record)) != self.lane(task_id):
            # The slot that it has is not its own; it comes again for one that is.
            self._lanes[task_id] = lane
            return 0.0
        await self._learning.meet(record)
        self._lease.step_begun(task_id)
        try:
            return await self._step(record)
        finally:
            self._lease.step_ended(task_id)

    def lane(self, task_id: str) -> Lane:
        """For what the task's next step takes a slot, as far as this process knows."""
        return self._lanes.get(task_id, UNKNOWN_LANE)

    def _lane_for(self, record: TaskRecord) -> Lane:
        """Downloads have slots of their own, and each provider a share: what hangs keeps no other waiting."""
        if record.phase == "done":
            return self.lane(record.task_id)
        if record.deaths_in_step:
            return SUSPECTS
        share = record.provider if record.provider in self._providers else UNKNOWN_LANE.share
        return Lane("download" if record.phase == "keeping" else "look", share)

    async def _step(self, record: TaskRecord) -> float | None:
        task_id = record.task_id
        if record.phase == "held":
            held = await self._holding.send_if_due(record)
            return None if held is None or not held.open else self._holding.left_seconds(held)
        provider = self._providers.get(record.provider)
        if record.phase == "done":
            self._forget(task_id)
            self._rates.forget(record.provider, task_id)
            await self._end_free_job(record, provider)
            return None
        if record.phase != "keeping" and (wait := self._rates.look_in(record.provider, task_id)) > 0:
            return wait
        try:
            after = await self._due(record, provider)
        except StoreError:
            raise
        except Exception:
            logger.exception("step failed", extra={"task_id": task_id, "provider": record.provider})
            fault = GatewayUnavailable("internal", "a fault in rushes hid what the gateway says; see its log")
            after = await self._look_failed(record, fault)
        if after is not None and after.deaths_in_step:
            after = await self._journal.change(task_id, life.survived)
        return None if after is None else await self._next(after)

    def meet(self, task_id: str) -> None:
        """Count a task's deadlines from now on by the time that passes here."""
        self._steady.now(task_id)

    def _forget(self, task_id: str) -> None:
        self._lanes.pop(task_id, None)
        self._holding.forget(task_id)
        self._steady.forget(task_id)

    async def _due(self, record: TaskRecord, provider: Provider | None) -> TaskRecord | None:
        if provider is None:
            return await self._without_provider(record)
        match record.phase:
            case "polling" | "watching":
                return await self._poll(record, provider)
            case "reconciling":
                return await self._reconcile(record, provider)
            case "keeping":
                return await self._keep(record, provider)
            case "submitting" | "held" | "done":
                return record
            case _:
                assert_never(record.phase)

    async def _without_provider(self, record: TaskRecord) -> TaskRecord | None:
        if record.phase == "keeping":
            return await self._keeper.nothing_to_keep_from(record)
        missing = GatewayUnavailable("unauthorized", f"no provider of the name {record.provider} is configured")
        return await self._look_failed(record, missing)

    async def _next(self, record: TaskRecord) -> float | None:
        """When the next step is due."""
        if record.phase in ("done", "submitting", "held"):
            return None
        if record.phase == "keeping":
            return keep_pause_seconds(record, self._clock.now())
        if record.next_poll_at is None:
            return self.pause_seconds(record)
        return max(0.0, (record.next_poll_at - self._clock.now()).total_seconds())

    def pause_seconds(self, record: TaskRecord, wish: float | None = None) -> float:
        """The pause before the next look at a job, by the cadence rule."""
        price = UNWATCHED if record.final else WAITED_FOR if self._waited_for(record.task_id) else NORMAL
        elapsed = self._steady.now(record.task_id) - self._learning.began(record)
        look = Look(
            elapsed=max(0.0, elapsed.total_seconds()),
            expectation=self._learning.expectation(record),
            price=price,
            errors=record.poll_errors,
            wish=wish,
        )
        return pause_seconds(look, self._jitter())

    async def _poll(self, record: TaskRecord, provider: Provider) -> TaskRecord | None:
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
            return await self._look_failed(record, error)
        except (StoreError, OutputRejected) as error:
            logger.warning("answer not written", extra={"task_id": record.task_id, "problem": error.message})
            passing = isinstance(error, StoreError)
            return await self._again_in(record, KEEP_RETRY_PAUSE_SECONDS if passing else REJECTED_PAUSE_SECONDS)
        kept = life.NOTHING_KEPT
        if any(output.delivered for output in seen.outputs):
            try:
                kept = await self._keeper.keep_answered(record, seen, {})
                # Before the record: where there is a finished record, there is a sidecar to restore it from.
                await self._keeper.write_sidecars(life.observed(record, seen, self._clock.now(), kept), seen.answer)
            except RushesError as error:
                logger.warning("output not written", extra={"task_id": record.task_id, "problem": error.message})
                return await self._again_in(record, KEEP_RETRY_PAUSE_SECONDS)
        return await self._seen(record, seen, kept)

    async def _end_free_job(self, record: TaskRecord, provider: Provider | None) -> None:
        """A free job that another process cancelled is ended where it runs."""
        if record.state == "cancelled" and record.job is not None and provider is not None and provider.traits.free:
            await provider.cancel(record.job)

    async def _seen(self, record: TaskRecord, seen: Observation, kept: life.Kept) -> TaskRecord | None:
        def apply(current: TaskRecord) -> TaskRecord:
            now = self._clock.now()
            after = self._timed_out(life.observed(current, seen, now, kept), now)
            pause = self.pause_seconds(after, seen.poll_after_seconds)
            return life.poll_due(after, now + timedelta(seconds=pause), now)

        unchanged = apply(record)
        if not self._waited_for(record.task_id) and not _worth_a_write(record, unchanged):
            return unchanged
        after = await self._journal.change(record.task_id, apply, answer=seen.answer)
        if after is not None and after.final and not record.final:
            await self._learning.ended(after)
        return after

    async def _look_failed(self, record: TaskRecord, error: FailureError) -> TaskRecord | None:
        logger.info(
            "look failed", extra={"task_id": record.task_id, "provider": record.provider, "problem": error.message}
        )

        def apply(current: TaskRecord) -> TaskRecord:
            now = self._clock.now()
            after = self._timed_out(life.poll_failed(current, error, now), now)
            pause = self.pause_seconds(after, error.retry_after_seconds)
            return life.poll_due(after, now + timedelta(seconds=pause), now)

        return await self._journal.change(record.task_id, apply)

    def _timed_out(self, record: TaskRecord, now: datetime) -> TaskRecord:
        return life.timed_out(record, now, by=self._steady.now(record.task_id))

    async def _again_in(self, record: TaskRecord, seconds: float) -> TaskRecord | None:
        now = self._clock.now()
        due = now + timedelta(seconds=seconds)
        return await self._journal.change(record.task_id, lambda r: life.poll_due(self._timed_out(r, now), due, now))

    async def _reconcile(self, record: TaskRecord, provider: Provider) -> TaskRecord | None:
        """Search the gateway's list. One search at a time, and none while an equal submission is under way."""
        async with self._searching[record.provider]:
            due = self._clock.now() + timedelta(seconds=self.pause_seconds(record))
            known, rivals = await self._journal.jobs_and_rivals(record)
            if rivals:
                return await self._again_in(record, RIVAL_PAUSE_SECONDS)
            since = record.submitted_at or record.created_at
            try:
                job = await self._listed_job(record, provider, since, known)
            except GatewayUnavailable as error:
                if error.reason not in NO_LIST:
                    return await self._look_failed(record, error)
                job = None
            now = self._clock.now()
            if job is None:
                why = life.answer_lost(record)
                return await self._journal.change(
                    record.task_id,
                    lambda r: life.not_found(r, why, now, next_look_at=due, by=self._steady.now(r.task_id)),
                )
            try:
                after = await self._journal.change(
                    record.task_id, lambda r: life.found(r, job, now), durable=True, claims_job=True
                )
            except JobTaken:
                return await self._again_in(record, RIVAL_PAUSE_SECONDS)
            if after is not None and await self._journal.claimed_elsewhere(after):
                return await self._journal.change(
                    record.task_id, lambda r: life.given_back(r, self._clock.now(), next_look_at=due)
                )
        if after is not None and after.cancel_requested_at is not None:
            return await self._cancel_accepted(after)
        return after

    async def _listed_job(self, record: TaskRecord, provider: Provider, since: datetime, known: set[str]) -> Job | None:
        """The job in the gateway's list that is this record's, and no other task's however old that is."""
        plan = replanned(record, provider)
        while True:
            job = await provider.find_job(plan, since, known=known)
            if job is None:
                return None
            holder = await self._journal.holder_of(record.provider, job.job_id)
            if holder in (None, record.task_id):
                break
            known = {*known, job.job_id}
        if not isinstance(job, PossibleJob):
            return job
        # The list does not show enough to tell it from what other lost or unanswered submissions became.
        return None if await self._journal.others_without_job(record) else job.itself

    async def _keep(self, record: TaskRecord, provider: Provider) -> TaskRecord | None:
        refreshed = await self._with_fresh_urls(record, provider)
        return None if refreshed is None else await self._keeper.keep_next(refreshed, provider)

    async def _with_fresh_urls(self, record: TaskRecord, provider: Provider) -> TaskRecord | None:
        """After a failed attempt the job is looked at once more: some gateways sign their URLs anew at each look."""
        tried = any(o.pending and o.keeping.attempts >= REFRESH_AFTER_ATTEMPTS for o in record.outputs)
        if not tried or record.job is None:
            return record
        self._rates.note(record.provider)
        try:
            seen = life.bounded(await provider.poll(record.job))
        except GatewayUnavailable:
            return record
        return await self._journal.change(record.task_id, lambda r: life.refreshed(r, seen, self._clock.now()))


def queue_of(steps: Steps, make: MakesQueue, clock: Clock, limits: Limits, providers: Iterable[str]) -> WorkQueue:
    """The queue of these steps. Each provider is sure of a part of the slots, and so are tasks yet without one."""
    at_once = {"look": limits.tasks_polled_at_once, "download": limits.downloads_at_once, "suspect": 1}
    return make(steps.step, clock, at_once=at_once, shares=[*providers, UNKNOWN_LANE.share], lane_of=steps.lane)


_COUNTED_ONLY = frozenset({"polls", "updated_at", "next_poll_at"})
_TOLD = tuple(name for name in TaskRecord.model_fields if name not in _COUNTED_ONLY)


def _worth_a_write(before: TaskRecord, after: TaskRecord) -> bool:
    """Whether a look changed anything but the number and time of looks. The first one always counts."""
    return before.polls == 0 or any(getattr(before, name) != getattr(after, name) for name in _TOLD)
