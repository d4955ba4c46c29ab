"""A task that brought nothing and may have been charged holds equal calls back, and says how to make a new one."""

from datetime import timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from rushes.domain.errors import Charged, SubmissionLost
from rushes.domain.failure import failure
from rushes.domain.job import Observation
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.tasks.engine import Engine
from rushes.tools import task_of

from ..clocks import JumpingClock
from .engines import a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED, DONE, PNG

pytestmark = pytest.mark.anyio

RUNNING = Observation(state="running", poll_after_seconds=10)
DAY = timedelta(days=1)


def failed(charged: Charged) -> Observation:
    return Observation(state="failed", failure=failure("provider_error", "it broke", charged=charged))


def gateway_that(*looks: Observation, **facts: object) -> ScriptedProvider:
    return ScriptedProvider(answers=[ACCEPTED], looks=list(looks), downloads=[PNG] * 9, facts_changes=facts)


async def ended(engine: Engine, *, force_new: bool = False) -> TaskRecord:
    with anyio.fail_after(30):
        record = (await engine.generate(a_wish(kind="image", force_new=force_new))).record
        return await engine.wait(record.task_id, seconds=30, principal=LOCAL)


async def test_a_task_that_ran_out_of_time_holds_equal_calls_back_and_says_so(tmp_path: Path) -> None:
    clock, gateway = JumpingClock(), gateway_that(RUNNING, deadline_seconds=300.0)
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        first = await ended(engine)
        clock.ahead = DAY
        again = await engine.generate(a_wish(kind="image"))
    assert first.failure is not None
    assert (first.state, first.failure.reason, first.failure.charged) == ("failed", "timeout", "unknown")
    assert (again.deduplicated, again.record.task_id, len(gateway.plans)) == (True, first.task_id, 1)
    shown = task_of(again.record, deduplicated=True)
    assert any("force_new" in warning and "equal call" in warning for warning in shown.warnings)
    assert shown.failure is not None
    assert "force_new" in shown.failure.hint


async def test_force_new_is_the_way_around_and_the_older_one_is_held_back_for_still(tmp_path: Path) -> None:
    gateway = gateway_that(failed("unknown"), failed("no"))
    async with an_engine(tmp_path, gateway, clock=JumpingClock()) as engine:
        first = await ended(engine)
        forced = await ended(engine, force_new=True)
        again = await engine.generate(a_wish(kind="image"))
    assert first.task_id != forced.task_id
    assert (again.deduplicated, again.record.task_id, len(gateway.plans)) == (True, first.task_id, 2)


@pytest.mark.parametrize(("charged", "held"), [("unknown", True), ("no", False)])
async def test_a_failed_job_holds_equal_calls_back_only_if_nobody_knows_whether_it_was_charged(
    charged: Charged, held: bool, tmp_path: Path
) -> None:
    gateway = gateway_that(failed(charged))
    async with an_engine(tmp_path, gateway, clock=JumpingClock()) as engine:
        first = await ended(engine)
        again = await engine.generate(a_wish(kind="image"))
    assert (again.deduplicated, len(gateway.plans)) == (held, 1 if held else 2)
    assert (again.record.task_id == first.task_id) == held
    assert first.failure is not None
    assert first.failure.retry_safe != held


async def test_an_equal_call_of_a_lost_answer_is_told_the_same(tmp_path: Path) -> None:
    gateway = ScriptedProvider(answers=[SubmissionLost("the connection broke")])
    async with an_engine(tmp_path, gateway, clock=JumpingClock()) as engine:
        await engine.generate(a_wish(kind="image"))
        again = await engine.generate(a_wish(kind="image"))
    assert any("force_new" in warning for warning in task_of(again.record, deduplicated=True).warnings)
    assert not any("force_new" in warning for warning in task_of(again.record).warnings)


async def test_a_task_that_finished_after_its_deadline_answers_for_an_equal_call_like_a_good_one(
    tmp_path: Path,
) -> None:
    clock, gateway = JumpingClock(), gateway_that(RUNNING, deadline_seconds=300.0)
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        record = await ended(engine)
        gateway.looks = [DONE]
        with anyio.fail_after(30):
            while record.phase != "done":
                await anyio.lowlevel.checkpoint()
                record = await engine.get(record.task_id, principal=LOCAL)
        soon = await engine.generate(a_wish(kind="image"))
        clock.ahead = timedelta(hours=1)
        later = await engine.generate(a_wish(kind="image"))
    assert record.failure is not None
    assert (record.state, record.failure.charged, len(record.outputs)) == ("failed", "yes", 1)
    assert (soon.deduplicated, later.deduplicated) == (True, False)
