"""Records in the store: read, create once, and change by compare-and-set."""

import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime

import anyio
from pydantic import JsonValue, ValidationError

from ..domain.document import Document, Line, Selection, number_of
from ..domain.errors import StoreBusy, StoreDamaged, StoreError, TaskNotFound
from ..domain.money import Bound
from ..domain.principal import Principal
from ..domain.record import TaskRecord
from ..domain.secret_options import without_secrets
from . import life
from .done_records import DoneRecords
from .followers import Change, Followers
from .held_records import HeldRecords
from .life import Transition
from .life.fingerprint import counts_until
from .ports import Clock, Journal
from .recent_ends import RecentEnds

logger = logging.getLogger(__name__)

RACES_MAX = 20
"""Each lost race is another's write that got through; so many in a row are a fault, and no rivalry."""

PAGE = 1000
"""Documents in one read: one thread does all reads, and a long one would keep the others waiting."""

READ_MAX = 64

FOREIGN_SECONDS = 0.25
"""How often it is asked whether another process has written: as often as waiters look for that."""

TOLD_WITHIN_SECONDS = 0.05
"""So long a look at a task waits to hear that; else it reads."""


def to_document(record: TaskRecord) -> Document:
    """The record as the store keeps it: plain JSON, without any medium's bytes, and without what is null."""
    document: Document = record.model_dump(mode="json", by_alias=True, exclude_none=True)
    until = counts_until(record)
    document["counts_until"] = until.isoformat() if isinstance(until, datetime) else until
    return document


def from_document(document: Document) -> TaskRecord:
    """The record of a stored document. Early ones hold secrets that are not written down any more; they are not read.

    Raises:
        StoreDamaged: the document is not a task record.
    """
    try:
        record = TaskRecord.model_validate(document)
    except ValidationError as error:
        task_id = str(document.get("task_id"))[:64]
        raise StoreDamaged(f"The record of task {task_id} cannot be read ({error.error_count()} faults).") from error
    request = without_secrets(record.request) if record.request.provider_options else record.request
    return record if request is record.request else life.noted(record, request=request)


def readable(documents: Iterable[Document]) -> list[TaskRecord]:
    """The records of these documents; what is none is logged and left out."""
    records: list[TaskRecord] = []
    for document in documents:
        try:
            records.append(from_document(document))
        except StoreDamaged as error:
            logger.error("record left out", extra={"problem": error.message})
    return records


async def open_records(store: Journal) -> list[TaskRecord]:
    """All records of a store that still need work."""
    records: list[TaskRecord] = []
    after: str | None = None
    while True:
        page = await store.open_documents(limit=PAGE, after=after)
        records.extend(readable(page))
        if len(page) < PAGE:
            return records
        after = str(page[-1]["task_id"])


LinesOf = Callable[[TaskRecord | None, TaskRecord], Sequence[Line]]
"""What a write of a record, in place of the one before, says in other books; `events_between` tells what happened."""


def no_lines(_before: TaskRecord | None, _after: TaskRecord) -> Sequence[Line]:
    """Nothing is kept beside the records."""
    return ()


class TaskJournal:
    """The task records of one home, as one worker (process) sees them: the one write of a record, and its reads.

    What `lines_of` says of a write is written with it, in one transaction.
    """

    def __init__(self, store: Journal, worker: str, clock: Clock, *, lines_of: LinesOf = no_lines) -> None:
        self._store = store
        self.worker = worker
        self._clock = clock
        self.followers = Followers()
        """Hear of every write made here."""
        self._held = HeldRecords(worker)
        self._done = DoneRecords()
        self._asked_at = float("-inf"), float("-inf")
        self._foreign: object = None
        self._lines_of = lines_of
        self._read: dict[str, tuple[Document, TaskRecord]] = {}
        """The last records that were read for somebody, who often asks again: to check one takes long."""
        self._ends = RecentEnds(clock)

    async def create(
        self, record: TaskRecord, *, force_new: bool, within: Sequence[Bound] = ()
    ) -> tuple[TaskRecord, bool]:
        """Journal a new record durably, unless an equal request's task still counts; says which of both. Raises
        OverBudget where what it reserves would go beyond a bound; nothing was written."""
        turn = self._held.turn
        document, created = await self._store.create(
            to_document(record),
            fingerprint=record.fingerprint,
            counting=self._ends.counting(record.fingerprint, self._clock.now()),
            anew=force_new,
            lines=self._lines_of(None, record),
            within=within,
        )
        if not created:
            return from_document(document), False
        # Media come with their bytes, which no record holds for longer than its submission.
        bare = from_document(document) if record.request.media else record
        journaled = life.stored(bare, number_of(document, "revision"))
        self._held.keep(journaled, turn)
        self._tell(None, journaled)
        return journaled, True

    async def equal(self, fingerprint: str) -> TaskRecord | None:
        """The task of an equal request that still counts, where nothing new can be begun."""
        document = await self._store.equal(fingerprint, self._ends.counting(fingerprint, self._clock.now()))
        return None if document is None else from_document(document)

    async def read(self, task_id: str) -> TaskRecord | None:
        """The record, or `None` where there is none."""
        document = await self._store.get(task_id)
        if document is None:
            return None
        known = self._read.get(task_id)
        if known is not None and known[0] == document:
            return known[1]
        record = from_document(document)
        self._read.pop(task_id, None)
        self._read[task_id] = document, record
        if len(self._read) > READ_MAX:
            del self._read[next(iter(self._read))]
        return record

    async def _look_up(self, task_id: str) -> TaskRecord | None:
        """The record for whoever only looks; of a task that is done as it was a moment ago, at the earliest."""
        if await self._is_known(task_id) and (known := self._done.get(task_id)) is not None:
            return known
        turn = self._done.turn
        record = await self.read(task_id)
        if record is not None:
            self._done.keep(record, turn)
        return record

    async def _is_known(self, task_id: str) -> bool:
        """Whether what is known of a task that is done is still true: no other process has written."""
        if (known := self._done.get(task_id)) is None or self._asked_lately():
            return known is not None
        # Whoever writes may wait for another process's lock, and the reads need not: then there is one.
        with anyio.move_on_after(TOLD_WITHIN_SECONDS), suppress(StoreError):
            await self._forget_if_foreign()
            return self._done.get(task_id) is not None
        return False

    async def children(self, task_id: str) -> Sequence[str]:
        """Ids of the tasks that were made from it, the earliest first; as `read_owned` with `to_look` tells of it."""
        if await self._is_known(task_id) and (known := self._done.children(task_id)) is not None:
            return known
        turn = self._done.turn
        children = await self._store.children(task_id)
        self._done.keep_children(task_id, children, turn)
        return children

    async def read_owned(self, task_id: str, principal: Principal, *, to_look: bool = False) -> TaskRecord:
        """The record, if it is one of theirs.

        Args:
            task_id: As the caller wrote it.
            principal: On whose behalf it is read.
            to_look: Nothing is decided by it: of a task that is done, what another process has written a moment ago
                may be missing.

        Raises:
            TaskNotFound: unknown and foreign ids look the same.
        """
        read = self._look_up if to_look else self.read
        record = await read(task_id) if task_id.isalnum() and len(task_id) <= 64 else None
        if record is None or record.owner != principal.name:
            raise TaskNotFound(
                f"There is no task {task_id[:64]!r}.", hint="Call list_tasks to see the tasks and their ids."
            )
        return record

    async def read_mine(self, task_id: str) -> TaskRecord | None:
        """The record if this worker still has the lease on it.

        What this process read or wrote last, unless another process has written since, a moment ago at the latest. So
        it may be stale; what is written is compared with the stored record all the same.
        """
        record = await self._at_hand(task_id)
        return record if record is not None and record.worker == self.worker else None

    async def _at_hand(self, task_id: str) -> TaskRecord | None:
        await self._forget_if_foreign()
        if (held := self._held.get(task_id)) is not None:
            return held
        turn = self._held.turn
        document = await self._store.get(task_id)
        if document is None:
            return None
        record = from_document(document)
        self._held.keep(record, turn)
        return record

    async def _forget_if_foreign(self) -> None:
        """Forget what is held as soon as another process has written; asked so often only, whoever wants to know."""
        if self._asked_lately():
            return
        asked_before, self._asked_at = self._asked_at, self._now()
        try:
            written = await self._store.foreign_writes()
        except BaseException:
            self._asked_at = asked_before
            raise
        if written != self._foreign:
            self._foreign = written
            self._held.forget_all()
            self._done.forget_all()

    def _asked_lately(self) -> bool:
        elapsed, waited = self._now()
        return elapsed - self._asked_at[0] < FOREIGN_SECONDS and waited - self._asked_at[1] < FOREIGN_SECONDS

    def _now(self) -> tuple[float, float]:
        """By the time of waiters too: a test's clock may stand still while they wait."""
        return self._clock.elapsed(), anyio.current_time()

    async def change(
        self,
        task_id: str,
        transition: Transition,
        *,
        as_worker: bool = True,
        durable: bool = False,
        claims_job: bool = False,
        reopens: bool = False,
        answer: str | None = None,
        within: Sequence[Bound] = (),
    ) -> TaskRecord | None:
        """Apply a pure transition by compare-and-set; a lost race re-reads and decides again.

        With `as_worker` nothing is written once another worker has the task, and the answer is `None`. `answer` is the
        gateway's, kept beside the record where the change says more than that time has passed.

        Raises:
            JobTaken, OverBudget: with `claims_job`, where another task has the job; a bound of `within` is too low.
            IllegalTransition: what `transition` makes is no step of a task's life.
        """
        for _ in range(RACES_MAX):
            record = await self._at_hand(task_id)
            if record is None or (as_worker and record.worker != self.worker):
                return None
            # Nothing to say: no write, no sync, nobody woken.
            if (changed := life.checked(record, transition(record), reopens=reopens)) is record:
                return record
            turn = self._held.turn
            # Refused by its revision where another wrote in between; then this is decided again on what that wrote.
            stored = await self._store.replace(
                to_document(changed),
                durable=durable,
                claims_job=claims_job,
                reopens=reopens,
                answer=answer if _says_more(record, changed) else None,
                lines=self._lines_of(record, changed),
                within=within,
            )
            if stored is None:
                self._held.forget(task_id)
                continue
            if changed.state == "succeeded" and not record.final:
                self._ends.note(changed)
            after = life.stored(changed, number_of(stored, "revision"))
            self._held.keep(after, turn)
            self._tell(record, after)
            return after
        raise StoreBusy(f"Task {task_id} is being changed by other processes all the time.")

    async def holder_of(self, provider: str, job_id: str) -> str | None:
        """The task that holds this job of the provider, the newest where there are several."""
        return next(iter(await self._store.tasks_of_job(provider, job_id)), None)

    async def missing(self, task_ids: Sequence[str]) -> list[str]:
        """Those of the ids that the store knows no task of."""
        return await self._store.missing(task_ids) if task_ids else []

    async def restore(self, record: TaskRecord) -> bool:
        """Put a task back that the store has lost; false where it has one of that id."""
        restored = await self._store.restore(to_document(record), lines=self._lines_of(None, record))
        if restored:
            self._tell(None, record)
        return restored

    async def answer(self, task_id: str) -> JsonValue:
        """The gateway's last answer about the task's job; `None` where none was kept, or it cannot be read."""
        try:
            return await self._store.answer(task_id)
        except StoreDamaged as error:
            logger.warning("answer left out", extra={"task_id": task_id, "problem": error.message})
            return None

    async def put_back(self, record: TaskRecord) -> TaskRecord:
        """Write a record that the store no longer has, because its database was damaged and set aside."""
        document, _ = await self._store.create(to_document(record), lines=self._lines_of(None, record))
        restored = from_document(document)
        self._tell(None, restored)
        return restored

    async def changed(self, record: TaskRecord, *, seconds: float) -> TaskRecord:
        """The record as soon as it differs from this one, or as it is when time is up.

        What is written here is told at once, with nothing read back; the store is looked at only where another process
        has written.
        """
        told: list[TaskRecord] = []
        written_here = anyio.Event()

        def tell(change: Change) -> None:
            told.append(change.record)
            written_here.set()

        with self.followers.following(tell, record.task_id):
            elsewhere = await self._changed_elsewhere(record, anyio.current_time() + seconds, written_here)
        return told[-1] if told else elsewhere

    async def _changed_elsewhere(self, record: TaskRecord, end: float, written_here: anyio.Event) -> TaskRecord:
        known, seen = self._held.revision(record.task_id) == record.revision, self._foreign
        while not written_here.is_set():
            if not known:
                await self._forget_if_foreign()
                # Before the read: what is written meanwhile is seen by it, or by the next.
                seen = self._foreign
                document = await self._store.get(record.task_id)
                if document is not None and number_of(document, "revision") != record.revision:
                    return from_document(document)
            left = end - anyio.current_time()
            if left <= 0:
                return record
            with anyio.move_on_after(min(left, FOREIGN_SECONDS)):
                await written_here.wait()
                return record
            await self._forget_if_foreign()
            known = self._foreign == seen
        return record

    def _tell(self, before: TaskRecord | None, after: TaskRecord) -> None:
        self._done.written(after)
        self.followers.tell(before, after)

    async def open_workers(self) -> list[str | None]:
        """The workers of the tasks that still need work, each once; no task is read for it."""
        return await self._store.open_workers()

    async def open_ids(self, worker: str | None) -> AsyncGenerator[str]:
        """Ids of this worker's tasks that still need work, without reading them: there may be tens of thousands."""
        after: str | None = None
        while True:
            page = await self._store.open_ids(worker, limit=PAGE, after=after)
            for task_id in page:
                yield task_id
            if len(page) < PAGE:
                return
            after = page[-1]

    async def page(self, selection: Selection, *, limit: int) -> list[TaskRecord]:
        """Newest first."""
        return readable(await self._store.page(selection, limit=limit))


def _says_more(before: TaskRecord, after: TaskRecord) -> bool:
    """Whether a look brought more than another number of looks: only then its answer is worth a write."""
    names = ("state", "phase", "job", "warnings")
    return before.polls == 0 or any(getattr(before, name) != getattr(after, name) for name in names)
