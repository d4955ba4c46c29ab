"""The search for a submission whose answer was lost, in the gateway's list of jobs."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import anyio

from ...domain.errors import FailureReason, GatewayUnavailable, JobTaken
from ...domain.job import Job, Plan, PossibleJob
from ...domain.record import TaskRecord
from ...providers.provider import Provider
from .. import life
from ..journal import TaskJournal
from ..ports import Clock
from ..steady import SteadyTime
from .look import Looker
from .rivals import Rivals
from .submit import replanned

RIVAL_PAUSE_SECONDS = 1.0
"""An equal submission that is under way ends in seconds, and its job in the list must not be taken for this one's."""
ASLEEP_MIN = timedelta(seconds=2)
"""Less than this between the two clocks is no sleep that matters: lists are searched from some seconds earlier on."""
NO_LIST: frozenset[FailureReason] = frozenset({"not_found", "unsupported"})
"""What a gateway says that has no list of jobs: it shows the job as little as an empty list."""


class Searcher:
    """Searches for lost jobs. `cancel_accepted` cancels a job that was found only now."""

    def __init__(
        self,
        journal: TaskJournal,
        rivals: Rivals,
        clock: Clock,
        looker: Looker,
        steady: SteadyTime,
        *,
        cancel_accepted: Callable[[TaskRecord], Awaitable[TaskRecord]],
    ) -> None:
        self._journal = journal
        self._rivals = rivals
        self._clock = clock
        self._looker = looker
        self._steady = steady
        self._cancel_accepted = cancel_accepted
        self._searching: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    async def search(self, record: TaskRecord, provider: Provider) -> TaskRecord | None:
        """Search the gateway's list. One search at a time, and none while an equal submission is under way."""
        async with self._searching[record.provider]:
            due = self._clock.now() + timedelta(seconds=self._looker.pause_seconds(record))
            known, rivals = await self._rivals.jobs_and_rivals(record)
            if rivals:
                return await self._looker.again_in(record, RIVAL_PAUSE_SECONDS)
            try:
                job = await self._listed_job(record, provider, known)
            except GatewayUnavailable as error:
                if error.reason not in NO_LIST:
                    return await self._looker.failed(record, error)
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
                return await self._looker.again_in(record, RIVAL_PAUSE_SECONDS)
            if after is not None and await self._rivals.claimed_elsewhere(after):
                return await self._journal.change(
                    record.task_id, lambda r: life.given_back(r, self._clock.now(), next_look_at=due)
                )
        if after is not None and after.cancel_requested_at is not None:
            return await self._cancel_accepted(after)
        return after

    def _ages(self, record: TaskRecord) -> Sequence[timedelta]:
        """How long ago the submission was: by the time that has passed here since, and where it says much longer, by
        the clock. The clock may have been set since; but while a machine slept no time has passed here."""
        submitted = record.submitted_at or record.created_at
        # Negative only where the clock was put back before this process met the task: it is searched for as long then.
        passed = abs(self._steady.now(record.task_id) - submitted)
        told = self._clock.now() - submitted
        return [passed, told] if told > passed + ASLEEP_MIN else [passed]

    async def _listed_job(self, record: TaskRecord, provider: Provider, known: set[str]) -> Job | None:
        """The job in the gateway's list that is this record's, and no other task's however old that is."""
        plan = replanned(record, provider)
        for age in self._ages(record):
            job = await self._listed_since(record, provider, plan, age, known)
            if job is not None:
                return job
        return None

    async def _listed_since(
        self, record: TaskRecord, provider: Provider, plan: Plan, age: timedelta, known: set[str]
    ) -> Job | None:
        while True:
            job = await provider.find_job(plan, age, known=known)
            if job is None:
                return None
            holder = await self._journal.holder_of(record.provider, job.job_id)
            if holder in (None, record.task_id):
                break
            known = {*known, job.job_id}
        if not isinstance(job, PossibleJob):
            return job
        # The list does not show enough to tell it from what other lost or unanswered submissions became.
        return None if await self._rivals.others_without_job(record) else job.itself
