"""The one step: what moves a task on, from the journal to its kept output. A queue only says when."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, assert_never

from ...domain.errors import GatewayUnavailable, RequestRefused, StoreError
from ...domain.record import TaskRecord
from ...providers.provider import Provider
from .. import life
from ..intake.routing import Candidate
from ..journal import TaskJournal
from ..limits import Limits
from ..ports import Clock, Lane, Lease, MakesQueue, WorkQueue
from ..steady import SteadyTime
from .await_inputs import InputWait
from .callbacks import Callbacks
from .hold import Holding
from .keep import Keeper, keep_pause_seconds
from .learning import Learning
from .look import Looker
from .rates import Rates
from .resume import Resumer
from .retry_after import RetryAfter
from .search import Searcher
from .shield import uninterrupted
from .submissions import Submissions
from .submit import Submitter

logger = logging.getLogger(__name__)

REFRESH_AFTER_ATTEMPTS = 1

FREE_PAUSE_SECONDS = 0.05
"""Before the first look at a job of this machine: looks at it cost nobody anything."""

UNKNOWN_LANE = Lane("look")
"""For a task of which this process knows no more than its id."""
SUSPECTS = Lane("suspect")
"""One at a time: if a process dies under a step of one of them once more, it was that one."""

SUBMISSIONS_AT_ONCE = 10_000
"""A caller waits for each, and gateways' own bounds hold (`providers/client/http.py`): none waits for a slot here."""


class Moved(NamedTuple):
    """What a step came to."""

    record: TaskRecord | None
    """`None`: another worker has the task."""
    due: float | None
    """Seconds until the next step; `None` where nothing is left for this worker."""


GONE = Moved(None, None)


class Advancer:
    """Does what is due for a task, whatever its phase.

    Before its job a task is `submitting` or `held`: `_submit` sends what this process has made ready by `begin`, and
    resumes what it finds in flight. A phase that stands before these turns the record into `submitting` in the journal,
    then calls `begin`, and is due at once.
    """

    def __init__(
        self,
        journal: TaskJournal,
        providers: Mapping[str, Provider],
        clock: Clock,
        *,
        submissions: Submissions,
        submitter: Submitter,
        resumer: Resumer,
        holding: Holding,
        looker: Looker,
        searcher: Searcher,
        keeper: Keeper,
        input_wait: InputWait,
        cancel_accepted: Callable[[TaskRecord], Awaitable[TaskRecord]],
        rates: Rates,
        learning: Learning,
        callbacks: Callbacks,
        retry_after: RetryAfter,
        lease: Lease,
        steady: SteadyTime,
    ) -> None:
        self._journal = journal
        self._providers = providers
        self._clock = clock
        self._submissions = submissions
        self._submitter = submitter
        self._resumer = resumer
        self._holding = holding
        self._looker = looker
        self._searcher = searcher
        self._keeper = keeper
        self._input_wait = input_wait
        self._cancel_accepted = cancel_accepted
        self._rates = rates
        self._learning = learning
        self._callbacks = callbacks
        self._retry_after = retry_after
        self._lease = lease
        self._steady = steady
        self._lanes: dict[str, Lane] = {}

    # when, and in which lane

    def begin(self, record: TaskRecord, candidates: Sequence[Candidate]) -> None:
        """This process has just journaled the record as `submitting`: its next step, due now, is the POST."""
        self._submissions.ready(record, candidates)
        self._lanes[record.task_id] = self._lane_for(record)
        # Its ends were named just now; they count from here on by the time that passes.
        self._steady.meet_again(record.task_id)

    async def step(self, task_id: str) -> float | None:
        """Advance the task if it is this worker's; seconds until its next step, or `None` where there is none here."""
        record = self._submissions.journaled(task_id) or await self._journal.read_mine(task_id)
        if record is None or record.set_aside_at is not None:
            await self._callbacks.pass_on(task_id)
            self._forget(task_id)
            return None
        if (lane := self._lane_for(record)) != self.lane(task_id):
            # The slot that it has is not its own; it comes again for one that is.
            self._lanes[task_id] = lane
            return 0.0
        after, due = await self.advance(record)
        if after is None or not after.open:
            self._forget(task_id)
            self._rates.forget(record.provider, task_id)
        else:
            self._callbacks.stands(after)
        return due

    def lane(self, task_id: str) -> Lane:
        """For what the task's next step takes a slot, as far as this process knows."""
        return self._lanes.get(task_id, UNKNOWN_LANE)

    def _lane_for(self, record: TaskRecord) -> Lane:
        """Submissions and downloads have slots of their own, and each provider a share: what hangs keeps no other
        waiting."""
        if record.phase == "done":
            return self.lane(record.task_id)
        share = record.provider if record.provider in self._providers else UNKNOWN_LANE.share
        if record.phase in ("submitting", "held"):
            return Lane("submission", share)
        if record.deaths_in_step:
            return SUSPECTS
        return Lane("download" if record.phase == "keeping" else "look", share)

    def _forget(self, task_id: str) -> None:
        self._lanes.pop(task_id, None)
        self._callbacks.forget(task_id)
        self._retry_after.forget(task_id)
        self._holding.forget(task_id)
        self._input_wait.forget(task_id)
        self._learning.forget(task_id)
        self._steady.forget(task_id)

    # what is due

    async def advance(self, record: TaskRecord) -> Moved:
        """Do what is due in the record's phase; the record after it, and when to come again."""
        match record.phase:
            case "waiting":
                return await self._await_inputs(record)
            case "submitting" | "held":
                return await self._submit(record)
            case "polling" | "watching" | "reconciling" | "keeping":
                return await self._work_on(record)
            case "done":
                await self._done(record)
                return Moved(record, None)
            case _:
                assert_never(record.phase)

    async def _await_inputs(self, record: TaskRecord) -> Moved:
        """Have it sent once what it is made from is there; end it where that never comes."""
        task_id = record.task_id
        try:
            completed = await self._input_wait.completed(record)
            if completed is None:
                return Moved(record, self._input_wait.pause_seconds(record))
            # Before it is journaled as under way: what is found so and is not here was begun by nobody.
            self._submissions.expect(task_id)
            sending: TaskRecord | None = None
            try:
                sending = await uninterrupted(lambda: self._input_wait.release(record, completed))
            finally:
                if sending is None:
                    self._submissions.ended(task_id)
        except RequestRefused as refusal:
            return _at_once(await self._input_wait.give_up(record, refusal))
        if sending is None:
            return Moved(record, self._input_wait.pause_seconds(record))
        self.begin(sending, completed.candidates)
        return Moved(sending, 0.0)

    async def _submit(self, record: TaskRecord) -> Moved:
        """The one POST, if it is this process's to send; else what became of it."""
        task_id = record.task_id
        if record.phase == "held" and (left := self._holding.left_seconds(record)) > 0:
            return Moved(record, left)
        try:
            if record.phase == "held":
                return await self._send_held(record)
            if task_id not in self._submissions:
                free = self._resumer.free_candidates(record)
                return await self._send(record, free) if free else _at_once(await self._resumer.resume(record))
            candidates = self._submissions.candidates(task_id)
            # Without: whoever is journaling it at this moment makes it due.
            return await self._send(record, candidates) if candidates else Moved(record, None)
        except Exception:
            # One submission's fault must not end the others. `Takeover` makes it due again, and then it is resumed.
            logger.exception("submission fault", extra={"task_id": task_id})
            return Moved(record, None)

    async def _send_held(self, record: TaskRecord) -> Moved:
        try:
            candidates = await self._holding.candidates(record)
        except RequestRefused as refusal:
            return _at_once(await self._holding.give_up(record, refusal))
        return await self._send(record, candidates)

    async def resume(self, record: TaskRecord) -> None:
        """Find out what became of a submission found in flight, before any step is made; what fails is due again."""
        try:
            if not self._resumer.free_candidates(record):
                await self._resumer.resume(record)
        except Exception:
            logger.exception("submission not resumed yet", extra={"task_id": record.task_id})

    async def _send(self, record: TaskRecord, candidates: Sequence[Candidate]) -> Moved:
        task_id = record.task_id
        after: TaskRecord | None = None
        self.begin(record, candidates)
        try:
            with self._submissions.sending(task_id):
                after = await self._submitter.submit(record, candidates)
            if after is not None and after.cancel_requested_at is not None:
                after = await self._cancel_accepted(after)
            if after is None or not after.open:
                return Moved(after, None)
            await self._learning.meet(after)
            return Moved(after, self._first_pause(after))
        finally:
            self._submissions.ended(task_id)

    def _first_pause(self, record: TaskRecord) -> float:
        if record.phase == "held":
            return self._holding.left_seconds(record)
        if record.phase != "polling" or self._callbacks.was_heard(record.task_id):
            return 0.0
        free = self._providers[record.provider].traits.free
        return FREE_PAUSE_SECONDS if free else self._looker.pause_seconds(record)

    async def _work_on(self, record: TaskRecord) -> Moved:
        """A step after the submission. It is marked while it lasts, for the case that the process dies of it."""
        await self._learning.meet(record)
        await self._callbacks.meet(record)
        self._lease.step_begun(record.task_id)
        try:
            return await self._marked(record)
        finally:
            self._lease.step_ended(record.task_id)

    async def _marked(self, record: TaskRecord) -> Moved:
        task_id = record.task_id
        provider = self._providers.get(record.provider)
        if record.phase != "keeping" and (wait := self._rates.look_in(record.provider, task_id)) > 0:
            return Moved(record, wait)
        try:
            after = await self._due(record, provider)
        except StoreError:
            raise
        except Exception:
            logger.exception("step failed", extra={"task_id": task_id, "provider": record.provider})
            fault = GatewayUnavailable("internal", "a fault in rushes hid what the gateway says; see its log")
            after = await self._looker.failed(record, fault)
        if after is None:
            return GONE
        # Of the record that the look gave: the stored one does not name the next look where this one changed nothing.
        due = self._next(after)
        if not after.deaths_in_step:
            return Moved(after, due)
        cleared = await self._journal.change(task_id, life.survived)
        return GONE if cleared is None else Moved(cleared, due)

    async def _due(self, record: TaskRecord, provider: Provider | None) -> TaskRecord | None:
        if provider is None:
            return await self._without_provider(record)
        if record.phase == "keeping":
            return await self._keep(record, provider)
        if record.phase == "reconciling":
            return await self._searcher.search(record, provider)
        return await self._looker.look(record, provider)

    async def _without_provider(self, record: TaskRecord) -> TaskRecord | None:
        if record.phase == "keeping":
            return await self._keeper.nothing_to_keep_from(record)
        missing = GatewayUnavailable("unauthorized", f"no provider of the name {record.provider} is configured")
        return await self._looker.failed(record, missing)

    def _next(self, record: TaskRecord) -> float | None:
        """When the next step is due."""
        if record.phase in ("done", "waiting", "submitting", "held"):
            return None
        if record.phase == "keeping":
            return keep_pause_seconds(record, self._clock.now())
        if record.next_poll_at is None:
            return self._looker.pause_seconds(record)
        return max(0.0, (record.next_poll_at - self._clock.now()).total_seconds())

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

    async def _done(self, record: TaskRecord) -> None:
        """A free job that another process cancelled is ended where it runs."""
        provider = self._providers.get(record.provider)
        if record.state == "cancelled" and record.job is not None and provider is not None and provider.traits.free:
            await provider.cancel(record.job)


def _at_once(record: TaskRecord | None) -> Moved:
    return Moved(record, 0.0 if record is not None and record.open else None)


def queue_of(advancer: Advancer, make: MakesQueue, clock: Clock, limits: Limits, providers: Iterable[str]) -> WorkQueue:
    """The queue of these steps. Each provider is sure of a part of the slots, and so are tasks yet without one."""
    at_once = {
        "submission": SUBMISSIONS_AT_ONCE,
        "look": limits.tasks_polled_at_once,
        "download": limits.downloads_at_once,
        "suspect": 1,
    }
    return make(advancer.step, clock, at_once=at_once, shares=[*providers, UNKNOWN_LANE.share], lane_of=advancer.lane)
