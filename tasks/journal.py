"""Records in the store: read, create once, and change by compare-and-set."""

import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from datetime import datetime, timedelta

import anyio
from pydantic import JsonValue, ValidationError

from ..domain.document import COUNTS_AFTER_SUCCESS, Counting, Document, Line, number_of
from ..domain.errors import StoreBusy, StoreDamaged, StoreError, TaskNotFound
from ..domain.money import Bound
from ..domain.principal import Principal
from ..domain.record import TaskRecord, TaskState
from . import life
from .followers import Change, Followers
from .held_records import HeldRecords
from .ids import first_id
from .life import Transition
from .life.fingerprint import counts_until
from .ports import Clock, Journal

logger = logging.getLogger(__name__)

RACES_MAX = 20
"""Each lost race is another's write that got through; so many in a row are a fault, and no rivalry."""

PAGE = 1000
"""Documents in one read: one thread does all reads, and a long one would keep the others waiting."""

UNSENT_FOR = timedelta(days=1)
"""A rival of a lost submission may have been journaled so long before it was sent."""

READ_MAX = 64

FOREIGN_SECONDS = 0.25
"""How often it is asked whether another process has written: as often as waiters look for that."""

SEARCHED_TOGETHER = timedelta(minutes=10)
"""A submission lost so shortly before may have become the job that is found for another one."""


def to_document(record: TaskRecord) -> Document:
    """The record as the store keeps it: plain JSON, without any medium's bytes."""
    document: Document = record.model_dump(mode="json", by_alias=True)
    until = counts_until(record)
    document["counts_until"] = until.isoformat() if isinstance(until, datetime) else until
    return document


def from_document(document: Document) -> TaskRecord:
    """The record of a stored document.

    Raises:
        StoreDamaged: the document is not a task record.
    """
    try:
        return TaskRecord.model_validate(document)
    except ValidationError as error:
        task_id = str(document.get("task_id"))[:64]
        raise StoreDamaged(f"The record of task {task_id} cannot be read ({error.error_count()} faults).") from error


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
        self._asked_at = float("-inf")
        self._foreign: object = None
        self._lines_of = lines_of
        self._read: dict[str, tuple[Document, TaskRecord]] = {}
        """The last records that were read for somebody, who often asks again: to check one takes long."""
        self._ends: dict[tuple[str, str], float] = {}
        """When tasks ended well here a moment ago, by fingerprint and id, by the time that passes: a clock that is set
        does not change it."""
        self._ended: defaultdict[str, set[str]] = defaultdict(set)
        """Their ids by fingerprint."""

    async def create(
        self, record: TaskRecord, *, force_new: bool, within: Sequence[Bound] = ()
    ) -> tuple[TaskRecord, bool]:
        """Journal a new record durably, unless an equal request's task still counts; says which of both. Raises
        OverBudget where what it reserves would go beyond a bound; nothing was written."""
        turn = self._held.turn
        document, created = await self._store.create(
            to_document(record),
            fingerprint=record.fingerprint,
            counting=self._counting(record.fingerprint),
            anew=force_new,
            lines=self._lines_of(None, record),
            within=within,
        )
        journaled = from_document(document)
        if created:
            self._held.keep(journaled, turn)
            self.followers.tell(None, journaled)
        return journaled, created

    async def equal(self, fingerprint: str) -> TaskRecord | None:
        """The task of an equal request that still counts, where nothing new can be begun."""
        document = await self._store.equal(fingerprint, self._counting(fingerprint))
        return None if document is None else from_document(document)

    def _counting(self, fingerprint: str | None) -> Counting:
        elapsed, own = self._clock.elapsed(), fingerprint or ""
        ended = {each: timedelta(seconds=elapsed - self._ends[own, each]) for each in self._ended.get(own, ())}
        return Counting(self._clock.now(), ended)

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

    async def read_owned(self, task_id: str, principal: Principal) -> TaskRecord:
        """The record, if it is one of theirs.

        Raises:
            TaskNotFound: unknown and foreign ids look the same.
        """
        record = await self.read(task_id) if task_id.isalnum() and len(task_id) <= 64 else None
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
        """Forget what is held as soon as another process has written; asked so often only."""
        elapsed = self._clock.elapsed()
        if elapsed - self._asked_at < FOREIGN_SECONDS:
            return
        asked_before, self._asked_at = self._asked_at, elapsed
        try:
            written = await self._store.foreign_writes()
        except StoreError:
            self._asked_at = asked_before
            raise
        if written != self._foreign:
            self._foreign = written
            self._held.forget_all()

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
        """
        for _ in range(RACES_MAX):
            record = await self._at_hand(task_id)
            if record is None or (as_worker and record.worker != self.worker):
                return None
            changed = transition(record)
            # Nothing to say: no write, no sync, nobody woken.
            if changed is record:
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
                self._note_end(changed)
            after = life.stored(changed, number_of(stored, "revision"))
            self._held.keep(after, turn)
            self.followers.tell(record, after)
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
            self.followers.tell(None, record)
        return restored

    async def answer(self, task_id: str) -> JsonValue:
        """The gateway's last answer about the task's job; `None` where none was kept, or it cannot be read."""
        try:
            return await self._store.answer(task_id)
        except StoreDamaged as error:
            logger.warning("answer left out", extra={"task_id": task_id, "problem": error.message})
            return None

    def _note_end(self, record: TaskRecord) -> None:
        elapsed, fingerprint = self._clock.elapsed(), record.fingerprint or ""
        self._ends[fingerprint, record.task_id] = elapsed
        self._ended[fingerprint].add(record.task_id)
        while elapsed - next(iter(self._ends.values())) > COUNTS_AFTER_SUCCESS.total_seconds():
            old = next(iter(self._ends))
            del self._ends[old]
            self._ended[old[0]].discard(old[1])
            if not self._ended[old[0]]:
                del self._ended[old[0]]

    async def put_back(self, record: TaskRecord) -> TaskRecord:
        """Write a record that the store no longer has, because its database was damaged and set aside."""
        document, _ = await self._store.create(to_document(record), lines=self._lines_of(None, record))
        restored = from_document(document)
        self.followers.tell(None, restored)
        return restored

    async def changed(self, record: TaskRecord, *, seconds: float) -> TaskRecord:
        """The record as soon as it differs from this one, or as it is when time is up.

        What is written here is told at once, with nothing read back; only for other processes' writes the store is
        looked at.
        """
        told: list[TaskRecord] = []
        written_here = anyio.CancelScope()

        def tell(change: Change) -> None:
            told.append(change.record)
            written_here.cancel()

        with self.followers.following(tell, record.task_id), written_here:
            held = self._held.revision(record.task_id)
            if held == record.revision:
                # As far as this process knows it is the last; others' writes are seen as soon as they would be else.
                await anyio.sleep(min(seconds, FOREIGN_SECONDS))
                seconds = max(0.0, seconds - FOREIGN_SECONDS)
            document = await self._store.wait_for_change(record.task_id, record.revision, seconds=seconds)
            return record if document is None else from_document(document)
        return told[-1]

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

    async def jobs_and_rivals(self, record: TaskRecord) -> tuple[set[str], bool]:
        """Ids of the jobs that tasks of about its time hold at the record's provider, and whether an equal submission
        of another task is under way, whose job the gateway may list already."""
        since = first_id((record.submitted_at or record.created_at) - SEARCHED_TOGETHER)
        jobs = set(await self._store.jobs_since(record.provider, since))
        return jobs - {_job_id(record)}, await self._equal_under_way(record)

    async def others_without_job(self, record: TaskRecord) -> bool:
        """Whether another task of the same model may have a job at the gateway whose id is not known here."""
        searching = ("submitting", "reconciling")
        since = (record.submitted_at or record.created_at) - SEARCHED_TOGETHER
        return any(
            other.model == record.model
            and (other.phase in searching or (other.state == "unknown" and other.created_at >= since))
            for other in await self._others_without_job(record)
        )

    async def claimed_elsewhere(self, record: TaskRecord) -> bool:
        """Whether the job that this record found in the gateway's list is, or may be, another task's.

        Each looks after it wrote, so of two that found the same job the later one sees the other.
        """
        if await self._equal_under_way(record):
            return True
        job_id = _job_id(record)
        holders = [] if job_id is None else await self._store.tasks_of_job(record.provider, job_id)
        return any(holder != record.task_id for holder in holders)

    async def _equal_under_way(self, record: TaskRecord) -> bool:
        others = await self._others_without_job(record)
        return any(other.phase == "submitting" and _same_submission(other, record) for other in others)

    async def _others_without_job(self, record: TaskRecord) -> list[TaskRecord]:
        since = first_id((record.submitted_at or record.created_at) - UNSENT_FOR)
        found = readable(await self._store.without_job(record.provider, since))
        return [other for other in found if other.task_id != record.task_id]

    async def page(
        self, *, owner: str, state: TaskState | None, kind: str | None, limit: int, before: str | None
    ) -> list[TaskRecord]:
        """Newest first."""
        documents = await self._store.page(owner=owner, state=state, kind=kind, limit=limit, before=before)
        return readable(documents)


def _says_more(before: TaskRecord, after: TaskRecord) -> bool:
    """Whether a look brought more than another number of looks: only then its answer is worth a write."""
    names = ("state", "phase", "job", "warnings")
    return before.polls == 0 or any(getattr(before, name) != getattr(after, name) for name in names)


def _job_id(record: TaskRecord) -> str | None:
    return record.job.job_id if record.job is not None else None


def _same_submission(one: TaskRecord, other: TaskRecord) -> bool:
    return (one.model, one.request) == (other.model, other.request)
