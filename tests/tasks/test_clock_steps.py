"""Clocks that are set, machines that resume, years that no clock should show: no job ends early, none is paid twice."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from rushes.domain.errors import SubmissionLost
from rushes.domain.job import SUCCESS_WITHOUT_OUTPUT, Job, Observation
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.providers.provider import Traits
from rushes.tasks.engine import Engine
from rushes.tasks.life import OVERDUE_LOOKS
from rushes.tools import task_of

from ..clocks import JumpingClock
from .engines import a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED, DONE, JOB, PNG

pytestmark = pytest.mark.anyio

RUNNING = Observation(state="running", poll_after_seconds=10)
EMPTY = Observation(state="running", notes=(SUCCESS_WITHOUT_OUTPUT,), poll_after_seconds=10)
STEPS = [timedelta(hours=2), timedelta(hours=-2), timedelta(days=400)]


def _gateway(**changes: object) -> ScriptedProvider:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING], downloads=[PNG] * 9)
    for name, value in changes.items():
        setattr(gateway, name, value)
    return gateway


async def _ended(engine: Engine, task_id: str) -> TaskRecord:
    with anyio.fail_after(30):
        return await engine.wait(task_id, seconds=30, principal=LOCAL)


async def _looked(gateway: ScriptedProvider, polls: int) -> None:
    with anyio.fail_after(30):
        while gateway.polls < polls:
            await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize("step", STEPS)
async def test_a_clock_that_is_set_ends_no_healthy_job_and_makes_nobody_pay_again(
    tmp_path: Path, step: timedelta
) -> None:
    clock, gateway = JumpingClock(), _gateway(looks=[RUNNING] * 20 + [DONE])
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        await _looked(gateway, 3)
        clock.ahead = step
        ended = await _ended(engine, task_id)
        again = await engine.generate(a_wish(kind="image"))
    assert (ended.state, again.deduplicated, len(gateway.plans)) == ("succeeded", True, 1)


@pytest.mark.parametrize("step", STEPS)
async def test_looks_come_as_often_after_the_clock_was_set_as_before(tmp_path: Path, step: timedelta) -> None:
    clock, gateway = JumpingClock(), _gateway()
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        await engine.generate(a_wish(kind="image"))
        await _looked(gateway, 3)
        clock.ahead = step
        before = clock.elapsed()
        await _looked(gateway, 13)
        assert clock.elapsed() - before < 200


@pytest.mark.parametrize("step", STEPS)
async def test_the_deadline_ends_a_job_after_the_same_time_whatever_the_clock_says(
    tmp_path: Path, step: timedelta
) -> None:
    clock, gateway = JumpingClock(), _gateway(facts_changes={"deadline_seconds": 300.0})
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        await _looked(gateway, 3)
        clock.ahead = step
        ended = await _ended(engine, task_id)
        assert 300 <= clock.elapsed() < 500
    assert ended.failure is not None
    assert (ended.failure.reason, ended.failure.charged) == ("timeout", "unknown")


async def test_a_process_that_starts_with_the_clock_ahead_looks_several_times_before_it_gives_up(
    tmp_path: Path,
) -> None:
    async with an_engine(tmp_path, _gateway(), clock=JumpingClock()) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
    gateway = _gateway(looks=[RUNNING] * (OVERDUE_LOOKS - 1) + [DONE])
    async with an_engine(tmp_path, gateway, clock=JumpingClock(ahead=timedelta(hours=2))) as engine:
        assert (await _ended(engine, task_id)).state == "succeeded"


@pytest.mark.parametrize("step", STEPS)
async def test_the_search_for_a_lost_answer_goes_on_for_its_time_whatever_the_clock_says(
    tmp_path: Path, step: timedelta
) -> None:
    clock = JumpingClock()
    lost = SubmissionLost("the connection broke")
    listed: list[Job | Exception | None] = [None, None, None, JOB]
    gateway = _gateway(answers=[lost], traits=Traits(finds_jobs=True), listed=listed, looks=[DONE])
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        clock.ahead = step
        ended = await _ended(engine, task_id)
    assert (ended.state, ended.job) == ("succeeded", JOB)


@pytest.mark.parametrize("minutes", [3, -3, 0])
async def test_the_two_minutes_of_an_equal_call_are_counted_by_the_time_that_passed(
    tmp_path: Path, minutes: int
) -> None:
    clock, gateway = JumpingClock(), _gateway(looks=[DONE])
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        await _ended(engine, task_id)
        clock.ahead = timedelta(minutes=minutes)
        assert (await engine.generate(a_wish(kind="image"))).deduplicated
        clock.seconds += 120
        assert not (await engine.generate(a_wish(kind="image"))).deduplicated


@pytest.mark.parametrize("year", [1902, 1969, 1970, 2101, 2500, 9000])
async def test_a_task_lives_its_whole_life_in_any_year(tmp_path: Path, year: int) -> None:
    clock = JumpingClock(start=datetime(year, 1, 1, tzinfo=UTC))
    gateway = _gateway(looks=[RUNNING, DONE])
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        ended = await _ended(engine, task_id)
        listed = await engine.list_tasks(principal=LOCAL)
        page = await engine.list_tasks(cursor=task_id, principal=LOCAL)
    shown = task_of(ended)
    assert (ended.state, ended.outputs[0].keeping.status) == ("succeeded", "kept")
    assert Path(f"{ended.outputs[0].path}.json").is_file()
    assert (shown.created_at or "").startswith(f"{year}-01-01T00:0")
    assert ([record.task_id for record in listed.records], page.records) == ([task_id], ())


async def test_an_output_that_comes_long_after_the_success_is_kept_and_meanwhile_the_truth_is_told(
    tmp_path: Path,
) -> None:
    clock, gateway = JumpingClock(), _gateway(looks=[EMPTY] * 30 + [DONE])
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        await _looked(gateway, 8)
        meanwhile = await engine.get(task_id, principal=LOCAL)
        ended = await _ended(engine, task_id)
        assert clock.elapsed() > 200
    assert meanwhile.state == "running"
    assert any("no output yet" in warning for warning in meanwhile.warnings)
    assert (ended.state, ended.outputs[0].keeping.status) == ("succeeded", "kept")


async def test_an_output_that_comes_hours_after_the_deadline_is_still_kept(tmp_path: Path) -> None:
    clock = JumpingClock()
    gateway = _gateway(looks=[EMPTY], facts_changes={"deadline_seconds": 300.0})
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        given_up = await _ended(engine, task_id)
        assert given_up.failure is not None
        assert (given_up.state, given_up.failure.charged) == ("failed", "unknown")
        clock.seconds += 5 * 3600
        gateway.looks = [DONE]
        with anyio.fail_after(20):
            while (late := await engine.get(task_id, principal=LOCAL)).phase != "done":
                await anyio.lowlevel.checkpoint()
    assert late.failure is not None
    assert (late.state, late.outputs[0].keeping.status, late.failure.charged) == ("failed", "kept", "yes")
