"""Records that a process works on: held small, not read back at each look, and never behind what others write."""

from datetime import timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.cache.embedded.store import Document, TaskStore
from rushes.domain.job import Job, Observation
from rushes.domain.record import SCHEMA
from rushes.domain.request import GenerationRequest
from rushes.tasks import life
from rushes.tasks.clock import SystemClock
from rushes.tasks.held_records import HeldRecords
from rushes.tasks.journal import FOREIGN_SECONDS, TaskJournal
from rushes.tasks.migrations import MIGRATIONS

from ..clocks import JumpingClock, SteppedClock
from .engines import a_wish, an_engine
from .makers import START, a_record
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED

pytestmark = pytest.mark.anyio

HERE = "worker-1"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=500))
def test_what_is_held_is_what_was_stored(prompt: str) -> None:
    record = a_record(worker=HERE, phase="polling", request=GenerationRequest(kind="video", prompt=prompt))
    held = HeldRecords(HERE)
    held.keep(record, held.turn)
    assert held.get(record.task_id) == record


def test_a_waiting_task_is_held_in_less_than_a_kibibyte_and_all_in_what_is_given() -> None:
    held = HeldRecords(HERE, bytes_max=100 * 1024)
    for number in range(1000):
        record = a_record(
            worker=HERE,
            phase="polling",
            task_id=f"01KAK{number:021}",
            request=GenerationRequest(
                kind="video", prompt="a red fox in snow at dusk, from low above the ground, 35 mm"
            ),
            job=Job(job_id=f"job-{number}", model="veo-3.1"),
        )
        held.keep(record, held.turn)
    kept = [number for number in range(1000) if held.get(f"01KAK{number:021}") is not None]
    assert len(kept) > 100
    assert kept == list(range(1000 - len(kept), 1000))


def test_what_was_read_before_others_wrote_is_not_held_after_it() -> None:
    record, held = a_record(worker=HERE), HeldRecords(HERE)
    turn = held.turn
    held.forget_all()
    held.keep(record, turn)
    assert held.get(record.task_id) is None


def test_neither_anothers_nor_a_finished_task_is_held_and_no_older_revision_takes_a_newer_ones_place() -> None:
    held = HeldRecords(HERE)
    for record in (a_record(worker="worker-2"), a_record(worker=HERE, phase="done", open=False)):
        held.keep(record, held.turn)
        assert held.get(record.task_id) is None
    newer, older = a_record(worker=HERE, revision=3, polls=7), a_record(worker=HERE, revision=2)
    for record in (newer, older):
        held.keep(record, held.turn)
    assert held.get(newer.task_id) == newer


async def test_what_another_process_writes_is_seen_within_a_moment(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with (
        TaskStore.opened(tmp_path, schema=SCHEMA, migrations=MIGRATIONS) as store,
        TaskStore.opened(tmp_path, schema=SCHEMA, migrations=MIGRATIONS) as elsewhere,
    ):
        here, there = TaskJournal(store, HERE, clock), TaskJournal(elsewhere, "worker-2", SystemClock())
        record, _ = await here.create(a_record(worker=HERE), force_new=True)
        assert await here.read_mine(record.task_id) == record
        await there.change(record.task_id, lambda r: life.with_warnings(r, ["seen there"], START), as_worker=False)
        clock.passed += timedelta(seconds=2 * FOREIGN_SECONDS)
        seen = await here.read_mine(record.task_id)
        assert seen is not None
        assert seen.warnings == ("seen there",)


async def test_a_change_that_begins_from_a_stale_record_is_decided_again(tmp_path: Path) -> None:
    async with (
        TaskStore.opened(tmp_path, schema=SCHEMA, migrations=MIGRATIONS) as store,
        TaskStore.opened(tmp_path, schema=SCHEMA, migrations=MIGRATIONS) as elsewhere,
    ):
        clock = JumpingClock()  # it stands still, so that this process does not ask whether others have written
        here, there = TaskJournal(store, HERE, clock), TaskJournal(elsewhere, "worker-2", SystemClock())
        record, _ = await here.create(a_record(worker=HERE), force_new=True)
        await here.read_mine(record.task_id)
        await there.change(record.task_id, lambda r: life.with_warnings(r, ["seen there"], START), as_worker=False)
        after = await here.change(record.task_id, lambda r: life.with_warnings(r, ["seen here"], START))
        assert after is not None
        assert after.warnings == ("seen there", "seen here")


class CountingStore(TaskStore):
    reads = 0

    async def get(self, task_id: str) -> Document | None:
        type(self).reads += 1
        return await super().get(task_id)


async def test_looks_that_change_nothing_read_nothing(tmp_path: Path) -> None:
    running = Observation(state="running", progress=0.5, poll_after_seconds=10)
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[running])
    async with an_engine(tmp_path, gateway, clock=JumpingClock(), store_type=CountingStore) as engine:
        await engine.generate(a_wish(kind="image"))
        with anyio.fail_after(30):
            while gateway.polls < 4:
                await anyio.lowlevel.checkpoint()
            before, looks = CountingStore.reads, gateway.polls
            while gateway.polls < looks + 10:
                await anyio.lowlevel.checkpoint()
        assert CountingStore.reads == before


async def test_a_sweep_goes_by_workers_and_ids_and_reads_no_record(tmp_path: Path) -> None:
    async with TaskStore.opened(tmp_path, schema=SCHEMA, migrations=MIGRATIONS) as store:
        records = TaskJournal(store, HERE, SystemClock())
        for number, worker in enumerate([HERE, None, "worker-2", HERE]):
            await records.create(a_record(task_id=f"01KAK{number:021}", worker=worker), force_new=True)
        await records.create(
            a_record(task_id=f"01KAK{9:021}", worker="worker-3", phase="done", open=False), force_new=True
        )
        assert set(await records.open_workers()) == {HERE, None, "worker-2"}
        assert [task_id[-1] async for task_id in records.open_ids(HERE)] == ["0", "3"]
        assert [task_id[-1] async for task_id in records.open_ids(None)] == ["1"]
