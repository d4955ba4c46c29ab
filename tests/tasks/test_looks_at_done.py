"""Who looks at a task that is done, again and again, costs no read; what is written is seen all the same."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from rushes.cache.embedded.store import Document, TaskStore
from rushes.domain.errors import StoreBusy, TaskNotFound
from rushes.domain.principal import LOCAL, Principal
from rushes.domain.record import SCHEMA, TaskRecord
from rushes.tasks import life
from rushes.tasks.clock import SystemClock
from rushes.tasks.done_records import DoneRecords
from rushes.tasks.journal import FOREIGN_SECONDS, TaskJournal

from ..clocks import StandingClock
from .makers import START, a_record


class CountingStore(TaskStore):
    """Counts what is read of it."""

    reads = 0

    async def get(self, task_id: str) -> Document | None:
        self.reads += 1
        return await super().get(task_id)

    async def children(self, task_id: str, *, limit: int = 100) -> list[str]:
        self.reads += 1
        return await super().children(task_id, limit=limit)


HERE, THERE = "worker-1", "worker-2"
TASK_ID = a_record().task_id


def done(**changes: object) -> TaskRecord:
    return a_record(state="cancelled", phase="done", open=False, worker=None, finished_at=START, **changes)


def warned(record: TaskRecord) -> TaskRecord:
    return life.with_warnings(record, ["seen"], START)


@asynccontextmanager
async def two_processes(home: Path) -> AsyncGenerator[tuple[CountingStore, TaskJournal, TaskJournal]]:
    """The journals of two workers over stores in the same folder, and the store of the first, whose clock stands."""
    async with CountingStore.opened(home, schema=SCHEMA) as here, TaskStore.opened(home, schema=SCHEMA) as there:
        yield here, TaskJournal(here, HERE, StandingClock()), TaskJournal(there, THERE, SystemClock())


async def looked_at(journal: TaskJournal) -> tuple[TaskRecord, Sequence[str]]:
    """What `check_task` reads of a task."""
    return await journal.read_owned(TASK_ID, LOCAL, to_look=True), await journal.children(TASK_ID)


@pytest.mark.anyio
async def test_many_looks_at_a_task_that_is_done_read_it_twice_at_most(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (store, here, _):
        record, _ = await here.create(done(), force_new=True)
        seen = [await looked_at(here) for _ in range(20)]
    assert [(each, list(children)) for each, children in seen] == [(record, [])] * 20
    # The record and its children; both again after the first question whether another process has written.
    assert store.reads <= 4


@pytest.mark.anyio
async def test_a_task_that_goes_on_is_read_at_each_look(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (_, here, there):
        await here.create(a_record(worker=THERE), force_new=True)
        assert not (await looked_at(here))[0].warnings
        await there.change(TASK_ID, warned, as_worker=False)
        assert (await looked_at(here))[0].warnings == ("seen",)


@pytest.mark.anyio
async def test_what_this_process_writes_is_seen_at_the_next_look(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (_, here, _):
        await here.create(done(), force_new=True)
        await looked_at(here)
        after = await here.change(TASK_ID, warned, as_worker=False)
        child, _ = await here.create(a_record(task_id=TASK_ID[:-1] + "1", parents=(TASK_ID,)), force_new=True)
        record, children = await looked_at(here)
    assert record == after
    assert list(children) == [child.task_id]


@pytest.mark.anyio
async def test_what_another_process_writes_is_seen_a_moment_later_and_decided_on_at_once(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (store, _, there):
        clock = StandingClock()
        here = TaskJournal(store, HERE, clock)
        await here.create(done(), force_new=True)
        await looked_at(here)
        await there.change(TASK_ID, warned, as_worker=False)
        child, _ = await there.create(a_record(task_id=TASK_ID[:-1] + "1", parents=(TASK_ID,)), force_new=True)
        assert (await here.read_owned(TASK_ID, LOCAL)).warnings == ("seen",)
        clock.seconds += FOREIGN_SECONDS
        record, children = await looked_at(here)
    assert record.warnings == ("seen",)
    assert list(children) == [child.task_id]


class StoreWhoseWriterHangs(CountingStore):
    hangs: bool = False

    async def foreign_writes(self) -> tuple[int, int]:
        if self.hangs:
            await anyio.sleep_forever()
        return await super().foreign_writes()


class StoreThatCannotBeAsked(CountingStore):
    async def foreign_writes(self) -> tuple[int, int]:
        raise StoreBusy("another process held it for 5 s")


@pytest.mark.anyio
async def test_a_look_does_not_wait_for_a_write_that_hangs(tmp_path: Path) -> None:
    async with StoreWhoseWriterHangs.opened(tmp_path, schema=SCHEMA) as store:
        here = TaskJournal(store, HERE, SystemClock())
        record, _ = await here.create(done(), force_new=True)
        store.hangs = True
        with anyio.fail_after(10):
            seen = [(await looked_at(here))[0] for _ in range(3)]
    assert seen == [record] * 3


@pytest.mark.anyio
async def test_a_store_that_cannot_be_asked_whether_others_wrote_is_read(tmp_path: Path) -> None:
    async with StoreThatCannotBeAsked.opened(tmp_path, schema=SCHEMA) as store:
        here = TaskJournal(store, HERE, SystemClock())
        record, _ = await here.create(done(), force_new=True)
        seen = [(await looked_at(here))[0] for _ in range(3)]
    assert seen == [record] * 3
    assert store.reads >= 3


@pytest.mark.anyio
async def test_a_task_of_somebody_else_is_not_shown_because_it_is_known(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (_, here, _):
        await here.create(done(), force_new=True)
        await looked_at(here)
        with pytest.raises(TaskNotFound):
            await here.read_owned(TASK_ID, Principal("another", admin=False), to_look=True)


def test_what_was_read_before_a_write_is_not_kept_after_it() -> None:
    known = DoneRecords()
    turn = known.turn
    known.written(done())
    known.keep(done(), turn)
    assert known.get(TASK_ID) is None


def test_no_more_than_so_many_are_kept() -> None:
    known = DoneRecords(known_max=2)
    ids = [TASK_ID[:-1] + digit for digit in "123"]
    for task_id in ids:
        known.keep(done(task_id=task_id), known.turn)
        known.keep_children(task_id, [], known.turn)
    assert [known.get(task_id) is None for task_id in ids] == [True, False, False]
    assert [known.children(task_id) for task_id in ids] == [None, (), ()]
