"""Who waits for a change of a task hears of it, whoever writes it, and the store is read only where others wrote."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from rushes.cache.embedded.store import Document, TaskStore
from rushes.domain.failure import failure
from rushes.domain.job import Observation
from rushes.domain.principal import LOCAL
from rushes.domain.record import SCHEMA, TaskRecord
from rushes.tasks import life
from rushes.tasks.clock import SystemClock
from rushes.tasks.journal import FOREIGN_SECONDS, TaskJournal

from ..clocks import StandingClock
from .engines import a_wish, an_engine
from .makers import START, a_record
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED

pytestmark = pytest.mark.anyio

HERE, THERE = "worker-1", "worker-2"


class CountingStore(TaskStore):
    reads = 0
    asked = 0

    async def get(self, task_id: str) -> Document | None:
        self.reads += 1
        return await super().get(task_id)

    async def foreign_writes(self) -> tuple[int, int]:
        self.asked += 1
        return await super().foreign_writes()


@asynccontextmanager
async def two_processes(home: Path) -> AsyncGenerator[tuple[CountingStore, TaskJournal, TaskJournal]]:
    """The journals of two workers, each over its own store in the same folder, and the store of the first."""
    async with CountingStore.opened(home, schema=SCHEMA) as here, TaskStore.opened(home, schema=SCHEMA) as there:
        yield here, TaskJournal(here, HERE, SystemClock()), TaskJournal(there, THERE, SystemClock())


def warned(record: TaskRecord) -> TaskRecord:
    return life.with_warnings(record, ["seen"], START)


@pytest.mark.parametrize("worker", [HERE, THERE], ids=["our task", "another's"])
async def test_what_another_process_writes_ends_the_wait(tmp_path: Path, worker: str) -> None:
    async with two_processes(tmp_path) as (_, here, there):
        record, _ = await here.create(a_record(worker=worker), force_new=True)
        seen: list[TaskRecord] = []

        async def wait() -> None:
            seen.append(await here.changed(record, seconds=60))

        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(wait)
                await anyio.wait_all_tasks_blocked()
                await there.change(record.task_id, warned, as_worker=False)
        assert [each.warnings for each in seen] == [("seen",)]


async def test_what_was_written_before_the_wait_began_ends_it_at_once(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (_, here, there):
        record, _ = await here.create(a_record(worker=THERE), force_new=True)
        after = await there.change(record.task_id, warned, as_worker=False)
        with anyio.fail_after(10):
            assert await here.changed(record, seconds=60) == after


@pytest.mark.parametrize("seconds", [0.0, -1.0, 0.01])
async def test_when_time_is_up_the_unchanged_record_is_told(tmp_path: Path, seconds: float) -> None:
    async with two_processes(tmp_path) as (_, here, _):
        record, _ = await here.create(a_record(worker=THERE), force_new=True)
        assert await here.changed(record, seconds=seconds) == record


async def test_many_who_wait_long_read_nothing_while_nobody_writes(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (store, here, _):
        record, _ = await here.create(a_record(worker=HERE), force_new=True)
        await here.read_mine(record.task_id)
        reads, asked = store.reads, store.asked
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(lambda: here.changed(record, seconds=2.5 * FOREIGN_SECONDS))
        assert store.reads == reads
        assert store.asked - asked <= 3


async def test_others_writes_are_seen_also_where_the_clock_stands_still(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (store, _, there):
        here = TaskJournal(store, HERE, StandingClock())
        record, _ = await here.create(a_record(worker=HERE), force_new=True)
        await here.read_mine(record.task_id)
        await there.change(record.task_id, warned, as_worker=False)
        with anyio.fail_after(10):
            assert (await here.changed(record, seconds=60)).warnings == ("seen",)


async def test_a_task_that_the_store_has_lost_is_waited_for_until_it_is_back(tmp_path: Path) -> None:
    async with two_processes(tmp_path) as (_, here, _):
        record, seen = a_record(worker=HERE), list[TaskRecord]()

        async def wait() -> None:
            seen.append(await here.changed(record, seconds=60))

        with anyio.fail_after(10):
            async with anyio.create_task_group() as group:
                group.start_soon(wait)
                await anyio.wait_all_tasks_blocked()
                await here.put_back(record)
        assert seen == [await here.read(record.task_id)]


async def test_a_call_that_waits_for_the_end_reads_the_record_once_however_often_the_job_is_looked_at(
    tmp_path: Path,
) -> None:
    looks = [Observation(state="running", progress=number / 10) for number in range(8)]
    done = Observation(state="failed", failure=failure("invalid_input", "no such voice", charged="no"))
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[*looks, done])
    with anyio.fail_after(20):
        async with an_engine(tmp_path, gateway, store_type=CountingStore) as engine:
            task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
            store = engine._store  # pyright: ignore[reportPrivateUsage]
            assert isinstance(store, CountingStore)
            before = store.reads
            ended = await engine.wait(task_id, seconds=10, principal=LOCAL)
    assert (ended.state, gateway.polls) == ("failed", 9)
    # Its own look at whose task it is; one more where the process asks for the first time whether others have written.
    assert store.reads - before <= 2
