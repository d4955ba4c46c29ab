"""Submission: journal before money, one POST, and a truthful account of its answer."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from types import MappingProxyType

import anyio

from ...domain.errors import (
    FailureError,
    OutputError,
    OutputRejected,
    OverBudget,
    RequestRefused,
    RushesError,
    StoreError,
    SubmissionLost,
    SubmissionRefused,
)
from ...domain.failure import Failure, failure, failure_of
from ...domain.job import Job, Plan, Submission
from ...domain.money import Bound
from ...domain.record import KeptMedia, TaskRecord
from ...providers.provider import Provider
from .. import life
from ..intake.candidates import planned
from ..intake.routing import CURED_ELSEWHERE, Candidate
from ..journal import TaskJournal
from ..money.treasury import Treasury
from ..ports import Clock
from .callbacks import Callbacks
from .hold import Holding
from .keep import Keeper
from .rates import Rates
from .receipt_book import ReceiptBook
from .rescue import Rescuer
from .retry_after import RetryAfter
from .shield import uninterrupted

logger = logging.getLogger(__name__)

RATE_USED_UP = "as many requests as it takes in a minute are under way"

NO_IDS: Mapping[str, str] = MappingProxyType({})
WRITE_ATTEMPTS = 5
"""For media of an answer, which wait in memory; beyond it the task says that they could not be written."""

WRITE_PAUSE_SECONDS = 1.0
WRITE_PAUSE_LONGEST_SECONDS = 15.0
"""For the record, which is small and tried for ever."""


class Submitter:
    """Sends a journaled task's one POST, and goes to the next candidate after a definite refusal it could cure."""

    def __init__(
        self,
        journal: TaskJournal,
        keeper: Keeper,
        book: ReceiptBook,
        holding: Holding,
        rates: Rates,
        clock: Clock,
        rescuer: Rescuer,
        callbacks: Callbacks,
        money: Treasury,
        retry_after: RetryAfter,
    ) -> None:
        self._journal = journal
        self._rescuer = rescuer
        self._callbacks = callbacks
        self._money = money
        self._retry_after = retry_after
        self._keeper = keeper
        self._book = book
        self._holding = holding
        self._rates = rates
        self._clock = clock

    async def submit(self, record: TaskRecord, candidates: Sequence[Candidate]) -> TaskRecord | None:
        """Submit a record in phase `submitting`, or `held` and due now; the record after it.

        `None`: another worker took the task over.
        """
        current: TaskRecord | None = record
        if record.phase == "held":
            try:
                candidates = [await self._money.requoted(candidates[0], record), *candidates[1:]]
                current = await self._released(record, candidates[0])
            except RequestRefused as too_dear:
                return await self._holding.give_up(record, too_dear)
        refusals: list[tuple[Candidate, SubmissionRefused]] = []
        left = list(candidates)
        while left:
            candidate = left.pop(0)
            if current is None or current.phase != "submitting" or current.final:
                return await self._withdrawn(current)
            if not candidate.provider.traits.free:
                await self._book.make_ready()
            # Nothing is waited for between this and the POST: it is counted as sent now.
            wait = self._rates.submit_in(candidate.plan.provider, current.task_id)
            if wait > 0:
                return await self._held_for_rate(current, [candidate, *left], wait)
            refusal = await self._send(current, candidate)
            if not isinstance(refusal, SubmissionRefused):
                return refusal
            refusals.append((candidate, refusal))
            if not left or refusal.reason not in CURED_ELSEWHERE:
                return await self._held_or_refused(current, refusals)
            logger.info(
                "refused, next provider", extra={"task_id": current.task_id, "provider": candidate.provider.name}
            )
            current, left = await self._reroute(current, failure_of(refusal), candidate, left)
        return current

    async def _released(self, record: TaskRecord, candidate: Candidate) -> TaskRecord | None:
        """Journal that a held request is about to be sent. Until then any process may take it over and send it.

        `None` where this call did not do so: whoever did sends it, and nobody else.

        Raises:
            RequestRefused: its budget does not leave so much.
        """
        now = self._clock.now()
        deadline_at = now + timedelta(seconds=candidate.deadline_seconds)
        ours = False

        def release(current: TaskRecord) -> TaskRecord:
            nonlocal ours
            sending = life.released(current, candidate.plan, deadline_at, now, quote=quote)
            ours = sending is not current
            return sending

        quote = candidate.quote
        within = self._money.bounds(record.owner, quote, record.created_at)
        try:
            after = await self._journal.change(record.task_id, release, durable=True, within=within)
        except OverBudget as over:
            raise self._money.refusal(over, candidate) from over
        self._holding.forget(record.task_id)
        return after if ours else None

    async def _held_for_rate(
        self, record: TaskRecord, candidates: Sequence[Candidate], seconds: float
    ) -> TaskRecord | None:
        """The gateway would refuse it, for its rate is used up: it waits in the journal as if it had been."""
        self._holding.remember(record.task_id, candidates)
        now = self._clock.now()
        until = now + timedelta(seconds=seconds)
        return await self._noted(record, lambda r: life.held(r, RATE_USED_UP, until, now, asked=False))

    async def _held_or_refused(
        self, record: TaskRecord, refusals: Sequence[tuple[Candidate, SubmissionRefused]]
    ) -> TaskRecord | None:
        """No gateway that was asked took it. Where one named a time and no other is left, the request waits for it."""
        last, refusal = refusals[-1]
        wait = self._holding.wait_for(record, refusals) if refusal.reason in CURED_ELSEWHERE else None
        if wait is None:
            why = self._holding.refusal(record, refusal)
            return await self._noted(
                record, lambda r: life.with_ids(life.refused(r, why, self._clock.now()), refusal.ids)
            )
        self._holding.remember(record.task_id, (wait.candidate,))
        now = self._clock.now()
        deadline_at = now + timedelta(seconds=wait.candidate.deadline_seconds)

        def hold(current: TaskRecord) -> TaskRecord:
            if wait.candidate is not last:
                there, why = wait.candidate, failure_of(refusal)
                current = life.rerouted(
                    current, why, there.plan, deadline_at, now, quote=there.quote, refused_plan=last.plan
                )
            return life.held(current, wait.why, now + timedelta(seconds=wait.seconds), now, asked=True)

        if wait.candidate is last:
            return await self._noted(record, hold)
        return await self._within_budget(record, wait.candidate, hold)

    async def _withdrawn(self, record: TaskRecord | None) -> TaskRecord | None:
        """Cancelled before anything was sent."""
        if record is None or record.phase != "submitting":
            return record
        return await self._noted(record, lambda r: life.withdrawn(r, self._clock.now()))

    async def _reroute(
        self, record: TaskRecord, why: Failure, refused: Candidate, following: Sequence[Candidate]
    ) -> tuple[TaskRecord | None, list[Candidate]]:
        """The record at the first of these that a budget leaves enough for, and to whom it goes from there; nobody
        where it leaves enough for none, which ends it."""
        now, over_budget = self._clock.now(), why
        for number, candidate in enumerate(following):
            there = partial(life.rerouted, why=why, plan=candidate.plan, now=now, quote=candidate.quote)
            deadline_at = now + timedelta(seconds=candidate.deadline_seconds)
            reroute = partial(there, deadline_at=deadline_at, refused_plan=refused.plan)
            within = self._money.bounds(record.owner, candidate.quote, record.created_at)
            try:
                return await self._noted(record, reroute, within=within), list(following[number:])
            except OverBudget as over:
                over_budget = failure_of(self._money.refusal(over, candidate))
        return await self._noted(record, lambda r: life.refused(r, over_budget, self._clock.now())), []

    async def _within_budget(
        self, record: TaskRecord, candidate: Candidate, transition: life.Transition
    ) -> TaskRecord | None:
        """Note what goes on with this candidate, which may cost more; a budget that does not leave so much ends it."""
        within = self._money.bounds(record.owner, candidate.quote, record.created_at)
        try:
            return await self._noted(record, transition, within=within)
        except OverBudget as over:
            why = failure_of(self._money.refusal(over, candidate))
            return await self._noted(record, lambda r: life.refused(r, why, self._clock.now()))

    async def _send(self, record: TaskRecord, candidate: Candidate) -> TaskRecord | SubmissionRefused | None:
        """The POST. A definite refusal is returned; everything else is on the record already."""
        try:
            submission = await self._answer_to(record, candidate)
        except SubmissionRefused as refusal:
            return refusal
        except SubmissionLost as loss:
            return await self._lost(record, candidate.provider, failure_of(loss), loss.ids)
        except OutputRejected as error:
            return await self._lost(record, candidate.provider, life.answer_is_no_medium(record, error))
        except (StoreError, OutputError) as error:
            return await self._undelivered(record, None, error)
        except anyio.get_cancelled_exc_class():
            # The process ends, and the request may be out. What costs nothing is sent again by the next one.
            if candidate.provider.traits.repeatable:
                raise
            await self._lost(record, candidate.provider, life.answer_unknown(record))
            raise
        except Exception as fault:
            logger.exception("submission fault", extra={"task_id": record.task_id, "provider": candidate.provider.name})
            return await self._lost(record, candidate.provider, _faulty(fault))
        if not candidate.provider.traits.free and not _holds_media(submission):
            # Before the record: where the store fails now, nothing else knows of a job that is paid.
            await self._book.keep(record, submission.job)
        return await self._accepted(record, candidate.provider, submission)

    async def _answer_to(self, record: TaskRecord, candidate: Candidate) -> Submission:
        """The gateway's answer; long media in it are written as they come, and stay there whatever happens then."""
        provider, plan = candidate.provider, await self._callbacks.asking(record, candidate.plan)
        if plan.asynchronous or not provider.traits.streams:
            return await provider.submit(plan)
        if record.hold is not None:
            # It was proven when the call came, and that is a while ago.
            await self._keeper.prove_room()
        parts = self._keeper.answer_parts(record)
        refused = False
        try:
            return await provider.submit(plan, sink=parts)
        except SubmissionRefused:
            refused = True
            raise
        finally:
            await parts.close(discard=refused)

    async def _undelivered(
        self, record: TaskRecord, submission: Submission | None, error: RushesError
    ) -> TaskRecord | None:
        """The gateway answered with media that cannot be written."""
        logger.error("answer not kept", extra={"task_id": record.task_id, "problem": error.message})
        found = await uninterrupted(lambda: self._rescuer.rescue(record))

        def apply(current: TaskRecord) -> TaskRecord:
            now = self._clock.now()
            return life.answer_not_kept(life.rescued(current, found, now), submission, error, now)

        after = await self._noted(record, apply)
        await uninterrupted(lambda: self._rescuer.write_sidecars(after, found))
        return after

    async def _lost(
        self, record: TaskRecord, provider: Provider, why: Failure, ids: Mapping[str, str] = NO_IDS
    ) -> TaskRecord | None:
        logger.warning("answer lost", extra={"task_id": record.task_id, "provider": provider.name})
        reconcilable = provider.traits.finds_jobs
        found = await uninterrupted(lambda: self._rescuer.rescue(record))

        def apply(current: TaskRecord) -> TaskRecord:
            now = self._clock.now()
            after = life.lost(life.rescued(current, found, now), why, now, reconcilable=reconcilable)
            return life.with_ids(after, ids)

        after = await self._noted(record, apply)
        await uninterrupted(lambda: self._rescuer.write_sidecars(after, found))
        return after

    async def _accepted(self, record: TaskRecord, provider: Provider, answer: Submission) -> TaskRecord | None:
        submission = answer.model_copy(update={"observation": life.bounded(answer.observation)})
        kept = life.NOTHING_KEPT
        if _holds_media(submission):
            try:
                kept = await self._keep_with_patience(record, submission)
            except OutputRejected as error:
                return await self._lost(record, provider, life.answer_is_no_medium(record, error))
            except RushesError as error:
                return await self._undelivered(record, submission, error)
        logger.info(
            "answered", extra={"task_id": record.task_id, "provider": record.provider, "job": submission.job.job_id}
        )
        self._retry_after.note(record.task_id, submission.observation.poll_after_seconds)
        told = submission.observation.answer
        after = await self._noted(
            record, lambda r: life.accepted(r, submission, self._clock.now(), kept), answer=told, job=submission.job
        )
        return after if after is not None else await self._accepted_late(record, submission, kept)

    async def _accepted_late(self, record: TaskRecord, submission: Submission, kept: life.Kept) -> TaskRecord | None:
        """Another process took this one for dead and the task over, or the store lost the record to damage."""
        logger.warning("answered after a takeover", extra={"task_id": record.task_id, "job": submission.job.job_id})
        known = await self._noted(
            record, lambda r: life.accepted_late(r, submission, self._clock.now(), kept), as_worker=False
        )
        if known is not None:
            return None
        return await self._journal.put_back(life.accepted(record, submission, self._clock.now(), kept))

    async def _keep_with_patience(self, record: TaskRecord, submission: Submission) -> life.Kept:
        """Bytes in an answer exist nowhere else, so a full disk or a busy folder is tried again for a while."""
        kept: dict[int, KeptMedia] = {}
        for _ in range(WRITE_ATTEMPTS - 1):
            try:
                return await uninterrupted(lambda: self._keep(record, submission, kept))
            except RushesError as error:
                logger.warning("output not written yet", extra={"task_id": record.task_id, "problem": error.message})
                await self._clock.sleep(WRITE_PAUSE_SECONDS)
        return await uninterrupted(lambda: self._keep(record, submission, kept))

    async def _keep(self, record: TaskRecord, submission: Submission, kept: dict[int, KeptMedia]) -> life.Kept:
        """Files, then sidecars: a process that dies before the record leaves enough on disk for the next one."""
        await self._keeper.keep_answered(record, submission.observation, kept)
        await self._keeper.write_sidecars(
            life.accepted(record, submission, self._clock.now(), kept), submission.observation.answer
        )
        return kept

    async def _noted(
        self,
        record: TaskRecord,
        transition: life.Transition,
        *,
        as_worker: bool = True,
        answer: str | None = None,
        job: Job | None = None,
        within: Sequence[Bound] = (),
    ) -> TaskRecord | None:
        """Write what the gateway answered. It exists nowhere else, so a store that cannot be written is tried again
        until it can be, and neither a cancelled call nor the end of the process interrupts an attempt."""
        pause = WRITE_PAUSE_SECONDS
        while True:
            try:
                return await uninterrupted(
                    lambda: self._journal.change(
                        record.task_id, transition, as_worker=as_worker, durable=True, answer=answer, within=within
                    )
                )
            except StoreError as error:
                logger.error(
                    "answer not recorded yet",
                    extra={
                        "task_id": record.task_id,
                        "provider": record.provider,
                        "job": job.job_id if job is not None else None,
                        "problem": error.message,
                    },
                )
            await self._clock.sleep(pause)
            pause = min(2 * pause, WRITE_PAUSE_LONGEST_SECONDS)


def _holds_media(submission: Submission) -> bool:
    return any(output.delivered for output in submission.observation.outputs)


def _faulty(fault: Exception) -> Failure:
    if isinstance(fault, FailureError):
        return failure("outcome_unknown", fault.message, charged="unknown", provider_code=fault.provider_code)
    return failure("outcome_unknown", "A fault in rushes hid the gateway's answer; see the log.", charged="unknown")


def replanned(record: TaskRecord, provider: Provider) -> Plan:
    """The plan of a record's submission, made again to search the gateway's list for it.

    Media that were given as bytes are no longer at hand, so they are missing from its body.
    """
    listed = next((row for row in provider.models() if row.id == record.model), None)
    facts = listed or provider.unlisted_model(record.model, record.kind)
    plan = Plan(
        provider=record.provider, model=record.model, path=record.plan_path, body={}, details=record.plan_details
    )
    if facts is None:
        return plan
    try:
        return planned(provider, record.request, facts)
    except FailureError:
        return plan
