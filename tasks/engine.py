"""The engine: the service's one implementation. It owns the scheduler, of which there is one a process."""

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import anyio
from anyio.abc import TaskGroup
from pydantic import JsonValue

from ..domain.errors import RequestRefused, StoreError, TaskNotFound
from ..domain.principal import Principal
from ..domain.record import TaskRecord, TaskState
from ..domain.request import GenerationRequest, Kind
from .clock import SystemClock
from .ids import is_task_id, new_task_id
from .intake import offers
from .intake.dry_run import preview
from .intake.input_media import MediaResolver
from .intake.room_check import Room, find_room
from .intake.routing import Candidate, Configured, Route, planned_again, route
from .intake.uploads import uploaded
from .journal import TaskJournal
from .life.fingerprint import fingerprint
from .limits import Limits
from .ports import Clock, Decoder, Lease, MakesQueue, MediaStore, ReceiptFile, Store, Uploader
from .previews.previews import Previews, check_index
from .service import Answer, ModelOffer, Preview, Seen, TaskPage, Wish
from .work.advance import Steps, queue_of
from .work.attach import Attacher
from .work.cancel import Canceller
from .work.cleaning import Cleaner
from .work.hold import Holding, HoldLimits
from .work.keep import Keeper
from .work.learning import Learning
from .work.rates import Rates
from .work.receipt_book import ReceiptBook
from .work.rescue import Rescuer
from .work.shield import uninterrupted
from .work.submit import Submitter
from .work.takeover import Takeover
from .work.underway import Underway

__all__ = ["Engine", "Limits", "Parts"]

logger = logging.getLogger(__name__)

REPORT_EVERY_SECONDS = 5.0
"""Whoever waits hears that it goes on: hosts give up calls that say nothing."""


@dataclass(frozen=True)
class Parts:
    """What the engine is made of; assembled in `server/assembly.py`."""

    store: Store
    lease: Lease
    media: MediaStore
    queue: MakesQueue
    decoder: Decoder
    """For looks at outputs."""
    providers: Sequence[Configured]
    input_roots: tuple[Path, ...] = ()
    receipts: ReceiptFile | None = None
    """Where the jobs that were accepted are noted beside the store."""
    uploader: Uploader | None = None
    """For media that a gateway takes by URL only."""
    limits: Limits = field(default_factory=Limits)
    clock: Clock = field(default_factory=SystemClock)


class Engine:
    """Implements `Service`. Use `async with Engine.opened(parts) as engine`."""

    def __init__(self, parts: Parts, group: TaskGroup) -> None:
        self._clock = parts.clock
        self._configured = tuple(parts.providers)
        self._providers = {c.provider.name: c.provider for c in parts.providers}
        self._limits = limits = parts.limits
        self._group = group
        self._waiters: Counter[str] = Counter()
        self.submissions = Underway()
        self._journal = TaskJournal(parts.store, parts.lease.worker_id, parts.clock)
        self._book = ReceiptBook(parts.receipts, self._journal, parts.clock)
        self._keeper = Keeper(
            parts.media, self._journal, parts.clock, enabled=limits.keep_outputs, bytes_max=limits.download_bytes_max
        )
        self._previews = Previews(parts.media.files, parts.decoder)
        self._store, self._folder, self._uploader = parts.store, parts.media, parts.uploader
        self._cleaner = Cleaner(parts.media, self._journal)
        self._media = MediaResolver(
            self._journal, parts.media.files, parts.clock, roots=parts.input_roots, bytes_max=_media_bytes_max(parts)
        )
        self._holding = Holding(
            self._journal,
            self._configured,
            parts.clock,
            HoldLimits(limits.hold_seconds_max, limits.hold_tries_max),
            submit=self._send_held,
        )
        rescuer = Rescuer(parts.media, self._keeper)
        rates = Rates(self._providers, parts.clock)
        self._submitter = Submitter(self._journal, self._keeper, self._book, self._holding, rates, parts.clock, rescuer)
        self._canceller = Canceller(self._journal, self._providers, parts.clock)
        self._steps = Steps(
            self._journal,
            self._keeper,
            self._providers,
            parts.clock,
            waited_for=lambda task_id: self._waiters[task_id] > 0,
            cancel_accepted=self._canceller.cancel_accepted,
            holding=self._holding,
            rates=rates,
            learning=Learning(parts.store, self._providers),
            lease=parts.lease,
        )
        self._queue = queue_of(self._steps, parts.queue, parts.clock, limits, self._providers)
        self._attacher = Attacher(
            self._journal, self._providers, parts.clock, go_on=lambda task_id: self._queue.schedule(task_id)
        )
        self._takeover = Takeover(
            self._journal,
            parts.lease,
            parts.media,
            self._book,
            self._configured,
            parts.clock,
            queue=self._queue,
            submitting=self.submissions,
            submit_again=self._begin_submission,
            rescuer=rescuer,
        )

    @classmethod
    @asynccontextmanager
    async def opened(cls, parts: Parts) -> AsyncGenerator["Engine"]:
        """Run the scheduler, adopt unfinished tasks, and stop in an orderly way."""
        async with anyio.create_task_group() as group:
            engine = cls(parts, group)
            await engine._takeover.look()
            group.start_soon(engine._queue.run, name="queue")
            group.start_soon(engine._book.look_after, name="receipts")
            group.start_soon(engine._takeover.run, parts.limits.takeover_seconds, name="takeover")
            group.start_soon(engine._cleaner.run, name="cleaner")
            try:
                yield engine
            finally:
                with anyio.CancelScope(shield=True):
                    # A short grace, so that the job's id of a POST under way is still saved.
                    with anyio.move_on_after(parts.limits.shutdown_grace_seconds):
                        await engine.submissions.answered()
                group.cancel_scope.cancel()

    # what tools ask

    async def generate(self, wish: Wish, *, answer_within_seconds: float = 20.0) -> Answer:
        """See `Service.generate`."""
        request, chosen = await self._routed(wish)
        same = None if wish.force_new else fingerprint(wish.principal.name, wish.provider, request)
        room = await find_room(self._folder, chosen, self._journal, same)
        if isinstance(room, TaskRecord):
            return Answer(await self._answered(room, answer_within_seconds), deduplicated=True)
        request, chosen = await self._uploaded(request, chosen)
        record, created = await self._journaled(self._new_record(wish, request, chosen, room), chosen, wish.force_new)
        return Answer(await self._answered(record, answer_within_seconds), deduplicated=not created)

    async def preview(self, wish: Wish) -> Preview:
        """See `Service.preview`."""
        _, chosen = await self._routed(wish)
        return preview(chosen)

    async def get(self, task_id: str, *, principal: Principal) -> TaskRecord:
        """See `Service.get`."""
        return await self._owned(task_id, principal)

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
        limit: int = 20,
        cursor: str | None = None,
    ) -> TaskPage:
        """See `Service.list_tasks`."""
        if cursor is not None and not is_task_id(cursor):
            raise RequestRefused("invalid_input", "The cursor must be the next_cursor of the page before.")
        found = await self._journal.page(owner=principal.name, state=state, kind=kind, limit=limit + 1, before=cursor)
        more = len(found) > limit
        return TaskPage(tuple(found[:limit]), found[limit - 1].task_id if more else None)

    async def cancel(self, task_id: str, *, principal: Principal, abandon: bool = False) -> TaskRecord:
        """See `Service.cancel`."""
        record = await self._owned(task_id, principal)
        after = await self._canceller.cancel(record, abandon=abandon)
        self._queue.schedule(task_id)
        return after

    async def attach(self, task_id: str, job_id: str, *, principal: Principal) -> TaskRecord:
        """See `Service.attach`."""
        return await self._attacher.attach(await self._owned(task_id, principal), job_id)

    async def _owned(self, task_id: str, principal: Principal) -> TaskRecord:
        """The record; also one that the store has lost and a receipt still knows."""
        try:
            return await self._journal.read_owned(task_id, principal)
        except TaskNotFound:
            await self._book.take_up(task_id)
        return await self._journal.read_owned(task_id, principal)

    async def take_up(self, task_id: str, *, principal: Principal) -> TaskRecord:
        """See `Service.take_up`."""
        return await self._attacher.take_up(await self._journal.read_owned(task_id, principal))

    async def models(
        self, *, kind: Kind | None = None, provider: str | None = None, query: str | None = None
    ) -> Sequence[ModelOffer]:
        """See `Service.models`."""
        await offers.refresh(self._configured, self._store, self._clock.now())
        return offers.offers(self._configured, kind=kind, provider=provider, query=query)

    async def look(self, task_id: str, index: int, *, principal: Principal, at_seconds: float | None = None) -> Seen:
        """See `Service.look`."""
        record = await self._owned(task_id, principal)
        check_index(record, index)
        return Seen(record, await self._previews.look(record.outputs[index - 1], at_seconds))

    async def content(self, task_id: str, index: int, *, principal: Principal, bytes_max: int) -> bytes:
        """See `Service.content`."""
        record = await self._owned(task_id, principal)
        check_index(record, index)
        return await self._previews.content(record.outputs[index - 1], bytes_max)

    def poll_interval_seconds(self, record: TaskRecord) -> float | None:
        """See `Service.poll_interval_seconds`."""
        if record.settled:
            return None
        planned = self._queue.due_in(record.task_id)
        if planned is not None:
            return planned
        due = record.hold.until if record.phase == "held" and record.hold else record.next_poll_at
        # Looks that changed nothing are not written, so a time that is past says no more than that looks go on.
        left = 0.0 if due is None else (due - self._clock.now()).total_seconds()
        return left if left > 0 else 1.0

    # the life of a task

    async def _routed(self, wish: Wish) -> tuple[GenerationRequest, Route]:
        media = await self._media.resolve(wish.media, principal=wish.principal, local_files=wish.local_files)
        request = wish.request.model_copy(update={"media": media})
        await self._learn_named_models(request, wish.provider)
        return request, route(request, self._configured, wish.provider, self._uploader)

    async def _uploaded(self, request: GenerationRequest, chosen: Route) -> tuple[GenerationRequest, Route]:
        """Give media a URL where the gateway wants one; nothing is journaled or paid yet."""
        media = tuple(medium for candidate in chosen.candidates for medium in candidate.uploads)
        if not media or self._uploader is None:
            return request, chosen
        with_urls = await uploaded(request, media, self._uploader)
        return with_urls, planned_again(chosen, with_urls)

    async def _learn_named_models(self, request: GenerationRequest, provider: str | None) -> None:
        """A model that the data does not know may stand in a cached live list."""
        named = [c for c in self._configured if provider in (None, "auto", c.provider.name)]
        await offers.join_cached(named, self._store, self._clock.now(), wanted=request.model)

    def _new_record(self, wish: Wish, request: GenerationRequest, chosen: Route, room: Room) -> TaskRecord:
        now = self._clock.now()
        first: Candidate = chosen.candidates[0]
        return TaskRecord(
            task_id=new_task_id(now),
            owner=wish.principal.name,
            kind=request.kind,
            worker=self._journal.worker,
            request=request,
            fingerprint=fingerprint(wish.principal.name, wish.provider, request),
            output_name=wish.output_name,
            provider=first.plan.provider,
            model=first.plan.model,
            plan_path=first.plan.path,
            plan_details=first.plan.details,
            answer_folder=None if room.answer_folder is None else str(room.answer_folder),
            created_at=now,
            updated_at=now,
            submitted_at=now,
            deadline_at=now + timedelta(seconds=first.deadline_seconds),
            warnings=tuple(dict.fromkeys((*chosen.warnings, *first.plan.warnings, *room.warnings))),
        )

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

    async def _journaled(self, record: TaskRecord, chosen: Route, force_new: bool) -> tuple[TaskRecord, bool]:
        """Journal and begin, as one step that a cancelled call does not cut in two: nobody would send it then."""
        # Before it is in the journal: the takeover of this process would find it there with nobody at work on it.
        self.submissions.expect(record.task_id)
        created = False
        try:
            journaled, created = await uninterrupted(lambda: self._journal.create(record, force_new=force_new))
        finally:
            if not created:
                self.submissions.ended(record.task_id)
        if created:
            self._begin_submission(journaled, chosen.candidates)
        return journaled, created

    def _begin_submission(self, record: TaskRecord, candidates: Sequence[Candidate]) -> None:
        """In the engine's own task group, so that no cancelled call can harm a submission under way."""
        self.submissions.expect(record.task_id)
        self._steps.meet(record.task_id)
        self._group.start_soon(self._submit, record, candidates, name=f"submit {record.task_id}")

    def _send_held(self, record: TaskRecord, candidates: Sequence[Candidate]) -> None:
        if record.task_id not in self.submissions:
            self._begin_submission(record, candidates)

    async def _submit(self, record: TaskRecord, candidates: Sequence[Candidate]) -> None:
        after: TaskRecord | None = None
        try:
            async with self.submissions.sending(record.task_id):
                after = await self._submitter.submit(record, candidates)
            if after is not None and after.cancel_requested_at is not None:
                after = await self._canceller.cancel_accepted(after)
            if after is not None and after.open:
                self._queue.schedule(record.task_id, self._first_pause(after))
        except Exception:
            # One submission's fault must not end the others; `Takeover` goes on with the record.
            logger.exception("submission fault", extra={"task_id": record.task_id})
        finally:
            self.submissions.ended(record.task_id)

    def _first_pause(self, record: TaskRecord) -> float:
        provider = self._providers[record.provider]
        if record.phase == "held":
            return self._holding.left_seconds(record)
        if record.phase != "polling":
            return 0.0
        return 0.05 if provider.traits.free else self._steps.pause_seconds(record)

    def _hasten(self, record: TaskRecord) -> None:
        """Somebody waits now: look sooner than planned for nobody."""
        if record.worker != self._journal.worker or record.phase != "polling":
            return
        provider = self._providers.get(record.provider)
        if provider is not None and not record.poll_errors:
            self._queue.schedule(record.task_id, self._steps.pause_seconds(record))


def _media_bytes_max(parts: Parts) -> int:
    """The most that any model takes; what the chosen one takes is checked once it is known."""
    rows = (row for entry in parts.providers for row in entry.provider.models())
    return max(parts.limits.media_bytes_max, *(row.image_bytes_max or 0 for row in rows), 0)
