"""A lost answer is searched for by the time that has passed since, however the clock was set meanwhile."""

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from rushes.domain.errors import RushesError, SubmissionLost, SubmissionRefused
from rushes.domain.job import Job, Plan
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.providers.provider import Traits
from rushes.tasks.engine import Engine

from ..clocks import JumpingClock, SteppedClock
from ..gateways.client import RunningGateways
from .engines import a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import DONE, JOB, PNG
from .test_proxy_answers import engine_over

pytestmark = pytest.mark.anyio

STEPS = [timedelta(hours=2), timedelta(hours=-2)]


async def _found(engine: Engine, task_id: str) -> TaskRecord:
    with anyio.fail_after(20):
        while (record := await engine.wait(task_id, seconds=0.2, principal=LOCAL)).job is None and not record.final:
            pass
    return record


@pytest.mark.parametrize("step", STEPS)
async def test_a_job_is_found_in_the_list_though_the_clock_is_put_right_after_its_submission(
    step: timedelta, gateways: RunningGateways, tmp_path: Path
) -> None:
    clock = SteppedClock(ahead=step)
    await gateways.hold("routeany", 1)
    async with engine_over(tmp_path, gateways, "routeany", clock=clock) as engine:
        wish = a_wish("a red fox", model="veo-3.1")
        task_id = (await engine.generate(wish, answer_within_seconds=0)).record.task_id
        with anyio.fail_after(20):
            await gateways.wait_held("routeany", 1)
        clock.ahead = timedelta(0)
        await gateways.release("routeany", cut=True)
        record = await _found(engine, task_id)
    (paid,) = await gateways.jobs("routeany")
    assert (record.job and record.job.job_id) == paid.job_id


@pytest.mark.parametrize("step", STEPS)
async def test_a_held_request_whose_answer_is_lost_is_searched_for_its_time_though_the_clock_was_set_meanwhile(
    step: timedelta, tmp_path: Path
) -> None:
    clock = JumpingClock()
    refused = SubmissionRefused("rate_limited", "slow down", retry_after_seconds=60.0)
    listed: list[Job | RushesError | None] = [None, None, JOB]
    gateway = ScriptedProvider(traits=Traits(finds_jobs=True), looks=[DONE], downloads=[PNG])
    gateway.answers, gateway.listed = [refused, SubmissionLost("the connection broke")], listed
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        clock.ahead = step
        record = await _found(engine, task_id)
    assert (len(gateway.plans), record.job) == (2, JOB)


class _Listing(ScriptedProvider):
    """Lists the job that the lost submission became, which is so old by now."""

    job_age = timedelta(0)

    async def find_job(self, plan: Plan, age: timedelta, *, known: Collection[str] = ()) -> Job | None:
        return JOB if age >= self.job_age else None


async def test_a_job_is_found_in_the_list_though_the_machine_slept_before_its_answer_was_lost(tmp_path: Path) -> None:
    clock, answered = JumpingClock(), anyio.Event()
    gateway = _Listing(traits=Traits(finds_jobs=True), looks=[DONE], downloads=[PNG], hold=answered)
    gateway.answers = [SubmissionLost("the connection broke")]
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"), answer_within_seconds=0)).record.task_id
        with anyio.fail_after(20):
            while not gateway.plans:
                await anyio.lowlevel.checkpoint()
        # By the time of day eight hours have gone by, and no time has passed for the process.
        clock.ahead = gateway.job_age = timedelta(hours=8)
        answered.set()
        record = await _found(engine, task_id)
    assert record.job == JOB
