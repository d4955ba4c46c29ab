"""The service when what it stands on fails: the store, the disk, the clock, an adapter, the call itself."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Unpack

import anyio
import anyio.lowlevel
import pytest
from pydantic import JsonValue

from rushes.cache.embedded.store import Document, TaskStore
from rushes.cache.media.folder import MediaFolder
from rushes.domain.document import Creating, Replacing
from rushes.domain.errors import RequestRefused, StoreFull, SubmissionLost
from rushes.domain.job import Job, Observation, Plan, RemoteOutput, Submission
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.providers.provider import AnswerSink, Traits
from rushes.tasks.engine import Engine, Limits
from rushes.tasks.intake.routing import Configured

from ..clocks import JumpingClock, SteppedClock
from .engines import a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED, DONE, JOB, PNG, RUNNING

pytestmark = pytest.mark.anyio


def _gateway(**changes: object) -> ScriptedProvider:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING, DONE], downloads=[PNG])
    for name, value in changes.items():
        setattr(gateway, name, value)
    return gateway


async def _at_rest(engine: Engine, task_id: str) -> TaskRecord:
    """The record once nothing is left to do."""
    with anyio.fail_after(20):
        record = await engine.get(task_id, principal=LOCAL)
        while record.phase != "done":
            record = await engine.wait(task_id, seconds=0.1, principal=LOCAL)
            await anyio.lowlevel.checkpoint()
    return record


async def test_a_call_cancelled_while_its_journal_is_written_is_sent_all_the_same(tmp_path: Path) -> None:
    written, go_on = anyio.Event(), anyio.Event()

    class SlowStore(TaskStore):
        async def create(self, document: Document, **how: Unpack[Creating]) -> tuple[Document, bool]:
            created = await super().create(document, **how)
            written.set()
            await go_on.wait()
            return created

    gateway = _gateway()
    async with an_engine(tmp_path, gateway, store_type=SlowStore) as engine:
        async with anyio.create_task_group() as group:
            group.start_soon(engine.generate, a_wish(kind="image"))
            with anyio.fail_after(5):
                await written.wait()
            group.cancel_scope.cancel()
            go_on.set()
        task_id = (await engine.list_tasks(principal=LOCAL)).records[0].task_id
        assert (await _at_rest(engine, task_id)).state == "succeeded"
    assert len(gateway.plans) == 1


async def test_an_answer_is_written_as_soon_as_the_store_can_be_written_again(tmp_path: Path) -> None:
    faults = [StoreFull("the disk is full")]

    class FullStore(TaskStore):
        async def replace(
            self, document: Document, *, durable: bool = False, **how: Unpack[Replacing]
        ) -> Document | None:
            if document["job"] is not None and faults:
                raise faults.pop()
            return await super().replace(document, durable=durable, **how)

    async with an_engine(tmp_path, _gateway(), store_type=FullStore) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        assert (record.phase, record.job) == ("polling", JOB)
        assert (await _at_rest(engine, record.task_id)).state == "succeeded"


async def test_an_answer_that_comes_while_the_process_stops_is_still_written(tmp_path: Path) -> None:
    class LastMoment(ScriptedProvider):
        async def submit(self, plan: Plan, *, sink: AnswerSink | None = None) -> Submission:
            try:
                await anyio.sleep_forever()
            except anyio.get_cancelled_exc_class():
                return ACCEPTED
            raise AssertionError

    async with an_engine(tmp_path, LastMoment(), limits=Limits(shutdown_grace_seconds=0)) as engine:
        task_id = (await engine.generate(a_wish(kind="image"), answer_within_seconds=0.01)).record.task_id
    async with an_engine(tmp_path, _gateway()) as engine:
        record = await _at_rest(engine, task_id)
    assert (record.state, record.job) == ("succeeded", JOB)


async def test_an_accepted_job_is_recorded_although_the_store_was_lost_meanwhile(tmp_path: Path) -> None:
    gateway = _gateway(hold=anyio.Event())
    async with an_engine(tmp_path, gateway) as engine:
        task_id = (await engine.generate(a_wish(kind="image"), answer_within_seconds=0.01)).record.task_id
        (tmp_path / "cache").rename(tmp_path / "set-aside")
        (tmp_path / "cache").mkdir()
        assert gateway.hold is not None
        gateway.hold.set()
        with anyio.fail_after(10):
            while not (await engine.list_tasks(principal=LOCAL)).records:
                await anyio.lowlevel.checkpoint()
        assert (await _at_rest(engine, task_id)).state == "succeeded"


async def test_a_fault_of_the_adapter_at_a_look_is_a_look_that_failed(tmp_path: Path) -> None:
    gateway = _gateway(looks=[RequestRefused("internal", "a bug in the adapter"), DONE])
    async with an_engine(tmp_path, gateway) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        assert (await _at_rest(engine, task_id)).state == "succeeded"


async def test_a_sidecar_that_cannot_be_written_is_an_output_not_kept_yet(tmp_path: Path) -> None:
    class FullFolder(MediaFolder):
        async def write_sidecar(self, path: Path, document: Mapping[str, JsonValue]) -> Path:
            raise StoreFull("the disk is full")

    async with an_engine(tmp_path, _gateway(looks=[DONE]), media_type=FullFolder) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        with anyio.fail_after(10):
            record = await engine.wait(task_id, seconds=10, principal=LOCAL)
    assert (record.state, record.phase) == ("succeeded", "keeping")
    assert (record.outputs[0].keeping.status, record.outputs[0].keeping.problem) == ("pending", "the disk is full")


async def test_a_task_waits_for_a_process_that_has_its_providers_key(tmp_path: Path) -> None:
    async with an_engine(tmp_path, _gateway(looks=[RUNNING])) as first:
        task_id = (await first.generate(a_wish(kind="image"))).record.task_id
    keyless = _gateway(looks=[DONE])
    async with (
        an_engine(tmp_path, Configured(keyless, "it has no key")) as without,
        an_engine(tmp_path, _gateway(looks=[DONE])) as with_key,
    ):
        assert (await _at_rest(with_key, task_id)).state == "succeeded"
        assert (await without.get(task_id, principal=LOCAL)).state == "succeeded"
    assert keyless.polls == 0


async def test_a_task_whose_provider_nobody_has_says_so_and_ends_at_its_deadline(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with an_engine(tmp_path, _gateway(looks=[RUNNING]), clock=clock) as first:
        task_id = (await first.generate(a_wish(kind="image"))).record.task_id
    clock.passed += timedelta(minutes=2)
    other = _gateway(name="other")
    async with an_engine(tmp_path, other, clock=clock) as engine:
        with anyio.fail_after(10):
            while not (record := await engine.get(task_id, principal=LOCAL)).warnings:
                await anyio.lowlevel.checkpoint()
        assert "gate is not set up" in record.warnings[0]
        assert record.state in ("queued", "running")


@dataclass
class Listing(ScriptedProvider):
    """A gateway that loses every answer and lists the jobs."""

    traits: Traits = field(default_factory=lambda: Traits(finds_jobs=True, cancels=True))
    jobs: list[Job] = field(default_factory=list[Job])
    readable: anyio.Event = field(default_factory=anyio.Event)

    async def submit(self, plan: Plan, *, sink: AnswerSink | None = None) -> Submission:
        self.plans.append(plan)
        self.jobs.append(Job(job_id=f"job:{len(self.plans)}", model=plan.model))
        raise SubmissionLost("the connection broke")

    async def find_job(self, plan: Plan, age: timedelta, *, known: Collection[str] = ()) -> Job | None:
        await self.readable.wait()
        return next((job for job in self.jobs if job.job_id not in known), None)


async def test_equal_submissions_whose_answers_are_lost_at_once_each_find_their_own_job(tmp_path: Path) -> None:
    gateway = Listing(looks=[DONE], downloads=[PNG] * 6)
    ids: list[str] = []
    async with an_engine(tmp_path, gateway) as one, an_engine(tmp_path, gateway) as two:

        async def call(engine: Engine) -> None:
            ids.append((await engine.generate(a_wish(kind="image", force_new=True))).record.task_id)

        async with anyio.create_task_group() as group:
            for engine in (one, two) * 3:
                group.start_soon(call, engine)
        gateway.readable.set()
        records = [await _at_rest(one, task_id) for task_id in ids]
    assert {record.state for record in records} == {"succeeded"}
    assert len({record.job.job_id for record in records if record.job}) == 6


async def test_a_cancel_while_the_answer_is_lost_reaches_the_gateway_once_the_job_is_found(tmp_path: Path) -> None:
    gateway = Listing(looks=[RUNNING])
    async with an_engine(tmp_path, gateway) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        told = await engine.cancel(task_id, principal=LOCAL)
        assert told.state == "queued"
        assert any("under way" in warning for warning in told.warnings)
        gateway.readable.set()
        record = await _at_rest(engine, task_id)
    assert (record.state, gateway.cancels) == ("cancelled", 1)


async def test_thousands_of_outputs_in_one_answer_are_bounded(tmp_path: Path) -> None:
    flood = Observation(
        state="succeeded", outputs=tuple(RemoteOutput(url=f"https://cdn.example/{n}.png") for n in range(5000))
    )
    gateway = _gateway(looks=[flood], downloads=[PNG] * 5000)
    async with an_engine(tmp_path, gateway) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        record = await _at_rest(engine, task_id)
    assert len(record.outputs) == 64
    assert any("5000 outputs" in warning for warning in record.warnings)
    assert len(gateway.downloads) == 5000 - 64


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1)])
async def test_a_clock_that_jumps_by_a_day_loses_and_repeats_nothing(tmp_path: Path, jump: timedelta) -> None:
    clock = JumpingClock()
    gateway = _gateway(looks=[RUNNING, RUNNING, DONE])
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        with anyio.fail_after(10):
            while gateway.polls == 0:
                await anyio.lowlevel.checkpoint()
        clock.ahead = jump
        again = await engine.generate(a_wish(kind="image"))
        assert again.deduplicated
        record = await _at_rest(engine, task_id)
    assert (record.state, record.outputs[0].keeping.status) == ("succeeded", "kept")
    assert len(gateway.plans) == 1


async def test_a_fault_while_an_answer_is_written_leaves_no_task_that_nobody_goes_on_with(tmp_path: Path) -> None:
    faults = [ValueError("a bug")]

    class FaultyStore(TaskStore):
        async def replace(
            self, document: Document, *, durable: bool = False, **how: Unpack[Replacing]
        ) -> Document | None:
            if document["job"] is not None and faults:
                raise faults.pop()
            return await super().replace(document, durable=durable, **how)

    gateway = _gateway()
    async with an_engine(tmp_path, gateway, store_type=FaultyStore) as engine:
        task_id = (await engine.generate(a_wish(kind="image"), answer_within_seconds=0.1)).record.task_id
        record = await _at_rest(engine, task_id)
    # The receipt of the job was written before.
    assert (record.state, record.job, len(gateway.plans)) == ("succeeded", JOB, 1)
