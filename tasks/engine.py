"""The engine: the service's one implementation. It owns the scheduler, of which there is one a process."""

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal

import anyio
from pydantic import JsonValue

from ..domain.budget import Left
from ..domain.document import Selection
from ..domain.errors import OverBudget, StoreError, TaskNotFound
from ..domain.money import Balance
from ..domain.principal import Principal
from ..domain.record import Output, TaskRecord, TaskState
from ..domain.request import GenerationRequest, Kind
from .intake import offers
from .intake.dry_run import preview
from .intake.fitting import fitting
from .intake.intake import Intake, Prepared
from .journal import TaskJournal
from .limits import Limits
from .listing import id_at, index_words, page_of
from .money.ledger import lines_between
from .money.prices import Prices
from .money.spend import By, Spend
from .money.treasury import Treasury
from .parts import Parts
from .previews.glimpse import Grid
from .previews.previews import Previews, check_index
from .service import Answer, Fits, Labelled, Lineage, ModelOffer, Preview, Seen, TaskPage, Wish
from .work.cleaning import Cleaner
from .work.learning import Learning
from .work.receipt_book import ReceiptBook
from .work.shield import uninterrupted
from .work.wiring import wired

__all__ = ["Engine", "Limits", "Parts"]

logger = logging.getLogger(__name__)

WAITING_SECONDS = 10.0
"""So much later it is worth to see whether a task whose inputs are being made has been sent."""

REPORT_EVERY_SECONDS = 5.0
"""Whoever waits hears that it goes on: hosts give up calls that say nothing."""


class Engine:
    """Implements `Service`. Use `async with Engine.opened(parts) as engine`."""

    def __init__(self, parts: Parts) -> None:
        self._clock = parts.clock
        self._store = parts.store
        self._configured = tuple(parts.providers)
        self._providers = {c.provider.name: c.provider for c in parts.providers}
        self._waiters: Counter[str] = Counter()
        self._journal = journal = TaskJournal(parts.store, parts.lease.worker_id, parts.clock, lines_of=lines_between)
        learning = Learning(parts.store, self._providers, parts.clock)
        self._money = money = Treasury(
            parts.store, parts.clock, self._configured, learning, prices=parts.prices, budgets=parts.budgets
        )
        self._book = ReceiptBook(parts.receipts, journal, parts.clock)
        self._previews = Previews(parts.media.files, parts.decoder)
        self._cleaner = Cleaner(parts.media, journal)
        self._intake = intake = Intake(parts, journal, self._previews, money)
        waiters = self._waiters
        self._work = wired(
            parts, journal, self._book, intake, learning, money, waited_for=lambda task_id: waiters[task_id] > 0
        )
        self._queue = self._work.queue
        self.submissions = self._work.submissions
        self.callbacks = self._work.callbacks
        self.hook_desk = self.callbacks.desk(self._providers)

    @classmethod
    @asynccontextmanager
    async def opened(cls, parts: Parts) -> AsyncGenerator["Engine"]:
        """Run the scheduler, adopt unfinished tasks, and stop in an orderly way."""
        async with anyio.create_task_group() as group:
            engine = cls(parts)
            for record in await engine._work.takeover.take_over():
                # Before the queue runs, so that whoever asks first hears what became of them.
                await engine._work.advancer.resume(record)
            group.start_soon(engine._money.heal, name="ledger")
            group.start_soon(engine._queue.run, name="queue")
            group.start_soon(engine._book.look_after, name="receipts")
            group.start_soon(engine._work.takeover.run, parts.limits.takeover_seconds, name="takeover")
            group.start_soon(engine._cleaner.run, name="cleaner")
            group.start_soon(engine.callbacks.run, name="word of hooks")
            group.start_soon(index_words, parts.store, parts.clock, name="words")
            try:
                with engine._journal.followers.following(engine.prices.heard):
                    yield engine
            finally:
                with anyio.CancelScope(shield=True):
                    # A short grace, so that the job's id of a POST under way is still saved.
                    with anyio.move_on_after(parts.limits.shutdown_grace_seconds):
                        await engine.submissions.answered()
                group.cancel_scope.cancel()

    async def ledger_complete(self) -> None:
        """Wait until tasks of an older rushes have their lines in the ledger."""
        await self._money.healed.wait()

    # what tools ask

    @property
    def prices(self) -> Prices:
        """What is known of prices and times."""
        return self._money.prices

    async def generate(self, wish: Wish, *, answer_within_seconds: float = 20.0) -> Answer:
        """See `Service.generate`."""
        prepared = await self._intake.prepared(wish)
        if isinstance(prepared, TaskRecord):
            return Answer(await self._answered(prepared, answer_within_seconds), deduplicated=True)
        if prepared.record.phase == "waiting":
            record, created = await self._journaled_waiting(prepared, force_new=wish.force_new)
        else:
            record, created = await self._journaled(prepared, force_new=wish.force_new)
        return Answer(await self._answered(record, answer_within_seconds), deduplicated=not created)

    async def preview(self, wish: Wish) -> Preview:
        """See `Service.preview`."""
        _, chosen = await self._intake.routed(wish, dry_run=True)
        return preview(await self._money.admitted_or_why(chosen, wish))

    async def get(self, task_id: str, *, principal: Principal) -> TaskRecord:
        """See `Service.get`."""
        return await self._owned(task_id, principal, to_look=True)

    async def lineage(self, record: TaskRecord) -> Lineage:
        """See `Service.lineage`."""
        return Lineage(record.parents, tuple(await self._journal.children(record.task_id)))

    async def answer(self, task_id: str, *, principal: Principal) -> JsonValue:
        """See `Service.answer`."""
        await self._owned(task_id, principal)
        return await self._journal.answer(task_id)

    async def wait(
        self,
        task_id: str,
        *,
        seconds: float,
        principal: Principal,
        report: Callable[[TaskRecord], Awaitable[None]] | None = None,
    ) -> TaskRecord:
        """See `Service.wait`."""
        record = await self._owned(task_id, principal)
        deadline = anyio.current_time() + seconds
        self._waiters[task_id] += 1
        try:
            self._hasten(record)
            while not record.settled and (left := deadline - anyio.current_time()) > 0:
                record = await self._journal.changed(record, seconds=min(left, REPORT_EVERY_SECONDS))
                if report is not None:
                    await report(record)
        finally:
            self._waiters[task_id] -= 1
            self._waiters += Counter()
        return record

    async def list_tasks(
        self,
        *,
        principal: Principal,
        state: TaskState | None = None,
        kind: Kind | None = None,
        query: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> TaskPage:
        """See `Service.list_tasks`."""
        selection = Selection(principal.name, state, kind, query, since=id_at(since), before=id_at(until))
        return await page_of(self._journal, selection, limit=limit, cursor=cursor)

    async def cancel(self, task_id: str, *, principal: Principal, abandon: bool = False) -> TaskRecord:
        """See `Service.cancel`."""
        record = await self._owned(task_id, principal)
        after = await self._work.canceller.cancel(record, abandon=abandon)
        self._queue.schedule(task_id)
        return after

    async def attach(self, task_id: str, job_id: str, *, principal: Principal) -> TaskRecord:
        """See `Service.attach`."""
        return await self._work.attacher.attach(await self._owned(task_id, principal), job_id)

    async def _owned(self, task_id: str, principal: Principal, *, to_look: bool = False) -> TaskRecord:
        """The record; also one that the store has lost and a receipt still knows."""
        try:
            return await self._journal.read_owned(task_id, principal, to_look=to_look)
        except TaskNotFound:
            await self._book.take_up(task_id)
        return await self._journal.read_owned(task_id, principal)

    async def settle(
        self, task_id: str, amount: Decimal, currency: str | None = None, *, principal: Principal
    ) -> TaskRecord:
        """See `Service.settle`."""
        return await self._work.settler.settle(await self._owned(task_id, principal), amount, currency)

    async def spend(self, *, principal: Principal, by: By = "day", since: datetime | None = None) -> Spend:
        """See `Service.spend`."""
        return await self._money.spend(None if principal.admin else principal.name, by, since)

    async def balances(self) -> Sequence[Balance]:
        """See `Service.balances`."""
        return await self._money.balances.known()

    async def budgets_left(self, *, principal: Principal) -> Sequence[Left]:
        """See `Service.budgets_left`."""
        return await self._money.left(principal.name)

    async def take_up(self, task_id: str, *, principal: Principal) -> TaskRecord:
        """See `Service.take_up`."""
        return await self._work.attacher.take_up(await self._journal.read_owned(task_id, principal))

    async def models(
        self, *, kind: Kind | None = None, provider: str | None = None, query: str | None = None
    ) -> Sequence[ModelOffer]:
        """See `Service.models`."""
        await offers.refresh(self._configured, self._store, self._clock.now())
        await self.prices.refresh()
        return offers.offers(self._configured, kind=kind, provider=provider, query=query)

    async def fitting(
        self, requests: Sequence[GenerationRequest], *, provider: str | None = None, query: str | None = None
    ) -> Fits:
        """See `Service.fitting`."""
        await offers.refresh(self._configured, self._store, self._clock.now())
        await self.prices.refresh()
        return fitting(self._configured, requests, provider=provider, query=query, prospects=self.prices)

    async def glimpse(self, task_id: str, index: int, *, principal: Principal, at_seconds: float | None = None) -> Seen:
        """See `Service.glimpse`."""
        record = await self._owned(task_id, principal)
        check_index(record, index)
        return Seen(record, await self._previews.glimpse(record.outputs[index - 1], at_seconds))

    async def grid(self, wanted: Sequence[Labelled], *, principal: Principal, at_seconds: float | None = None) -> Grid:
        """See `Service.grid`."""
        shown: list[tuple[Output, str]] = []
        for each in wanted:
            record = await self._owned(each.task_id, principal)
            check_index(record, each.index)
            shown.append((record.outputs[each.index - 1], each.label))
        return await self._previews.several(shown, at_seconds)

    async def content(self, task_id: str, index: int, *, principal: Principal, bytes_max: int) -> bytes:
        """See `Service.content`."""
        record = await self._owned(task_id, principal)
        check_index(record, index)
        return await self._previews.content(record.outputs[index - 1], bytes_max)

    def poll_interval_seconds(self, record: TaskRecord) -> float | None:
        """See `Service.poll_interval_seconds`."""
        if record.settled:
            return None
        if record.phase == "waiting":
            return WAITING_SECONDS
        planned = self._queue.due_in(record.task_id)
        if planned is not None:
            return planned
        due = record.hold.until if record.phase == "held" and record.hold else record.next_poll_at
        # Looks that changed nothing are not written, so a time that is past says no more than that looks go on.
        left = 0.0 if due is None else (due - self._clock.now()).total_seconds()
        return left if left > 0 else 1.0

    # the life of a task

    async def _answered(self, record: TaskRecord, seconds: float) -> TaskRecord:
        """The record once the gateway has accepted or refused, whichever process submits it, or when time is up.

        A store that fails meanwhile ends the wait and not the call: the task exists, and its caller has to hear of it.
        """
        deadline = anyio.current_time() + seconds
        try:
            while record.phase == "submitting" and (left := deadline - anyio.current_time()) > 0:
                record = await self._journal.changed(record, seconds=left)
        except StoreError as error:
            logger.warning(
                "answered without looking again", extra={"task_id": record.task_id, "problem": error.message}
            )
        return record

    async def _journaled(self, prepared: Prepared, *, force_new: bool) -> tuple[TaskRecord, bool]:
        """Journal the task and make its submission due, which a cancelled call does not cut in two: nobody would send
        it then.

        Raises:
            RequestRefused: its budget does not leave so much.
        """
        record = prepared.record
        # Before it is in the journal: a look of the takeover in between must not take it for left lying.
        self.submissions.expect(record.task_id)
        created = False
        try:
            journaled, created = await self._created(prepared, force_new=force_new)
        finally:
            if not created:
                self.submissions.ended(record.task_id)
        if created:
            self._work.advancer.begin(journaled, prepared.candidates)
            self._queue.schedule(record.task_id)
        return journaled, created

    async def _created(self, prepared: Prepared, *, force_new: bool) -> tuple[TaskRecord, bool]:
        try:
            return await uninterrupted(
                lambda: self._journal.create(prepared.record, force_new=force_new, within=prepared.within)
            )
        except OverBudget as over:
            raise self._money.refusal(over, prepared.first) from over

    async def _journaled_waiting(self, prepared: Prepared, *, force_new: bool) -> tuple[TaskRecord, bool]:
        """Journal a task that waits for its inputs, and have them looked for.

        Raises:
            RequestRefused: its budget does not leave so much: what waits counts, or it could not be sent then.
        """
        record = prepared.record
        journaled, created = await self._created(prepared, force_new=force_new)
        if created:
            self._work.input_wait.remember(journaled, prepared.request)
            self._queue.schedule(record.task_id)
        return journaled, created

    def _hasten(self, record: TaskRecord) -> None:
        """Somebody waits now: look sooner than planned for nobody."""
        if record.worker != self._journal.worker or record.phase != "polling":
            return
        provider = self._providers.get(record.provider)
        if provider is not None and not record.poll_errors:
            self._queue.schedule(record.task_id, self._work.looker.pause_seconds(record))
