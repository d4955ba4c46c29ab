"""How long jobs take is learned for each provider and model, apart from refusals, and is not lost."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue

from rushes.cache.embedded.store import TaskStore
from rushes.domain.job import Observation
from rushes.domain.principal import LOCAL
from rushes.domain.record import SCHEMA, TaskRecord
from rushes.tasks.work.learning import Learning

from ..clocks import JumpingClock
from .engines import a_wish, an_engine
from .makers import FAILED, START, a_record
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED, DONE, PNG

pytestmark = pytest.mark.anyio

RUNNING = Observation(state="running")


def _after(count: float) -> datetime:
    return START + timedelta(seconds=count)


def _ended(seconds: float, **changes: object) -> TaskRecord:
    ended = {"state": "succeeded", "phase": "done", "open": False, "finished_at": _after(seconds)}
    return a_record(**{**ended, **changes})


async def test_what_was_learned_is_known_after_a_restart_and_to_other_processes(tmp_path: Path) -> None:
    record = a_record()
    async with TaskStore.opened(tmp_path, schema=SCHEMA) as store:
        learning = Learning(store, {}, JumpingClock())
        before = learning.expectation(record).median
        for _ in range(30):
            await learning.ended(_ended(20))
    async with TaskStore.opened(tmp_path, schema=SCHEMA) as store:
        again = Learning(store, {}, JumpingClock())
        await again.meet(record)
        other = a_record(model="another")
        await again.meet(other)
        assert before == pytest.approx(120)
        assert 10 < again.expectation(record).median < 25
        assert again.expectation(other).median == before


async def test_refusals_do_not_change_how_long_results_are_expected_to_take(tmp_path: Path) -> None:
    async with TaskStore.opened(tmp_path, schema=SCHEMA) as store:
        learning = Learning(store, {}, JumpingClock())
        before = learning.expectation(a_record())
        for _ in range(30):
            await learning.ended(_ended(4, state="failed", failure=FAILED.failure))
        after = learning.expectation(a_record())
        assert after.median == before.median
        assert after.hazard(4) > 3 * before.hazard(4)


async def test_time_in_the_queue_is_not_learned_where_looks_saw_the_job_wait(tmp_path: Path) -> None:
    async with TaskStore.opened(tmp_path, schema=SCHEMA) as store:
        learning = Learning(store, {}, JumpingClock())
        for _ in range(30):
            await learning.ended(_ended(1020, started_at=_after(1000)))
        assert learning.expectation(a_record()).median < 25


async def test_numbers_that_nobody_wrote_are_passed_over(tmp_path: Path) -> None:
    async with TaskStore.opened(tmp_path, schema=SCHEMA) as store:
        wrong: list[JsonValue] = ["x", [1, 2], [-1, 0, 0, 0, 0, 0, 0, 0], None]
        for value in wrong:
            await store.set_value("durations/gate/veo", value)
            learning = Learning(store, {}, JumpingClock())
            await learning.meet(a_record())
            assert learning.expectation(a_record()).median == pytest.approx(120)


async def test_an_engine_learns_from_the_end_that_a_look_shows(tmp_path: Path) -> None:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING, RUNNING, DONE], downloads=[PNG])
    async with an_engine(tmp_path, gateway, clock=JumpingClock()) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        record = await engine.wait(task_id, seconds=600, principal=LOCAL)
        assert record.state == "succeeded"
    async with TaskStore.opened(tmp_path / "cache", schema=SCHEMA) as store:
        assert await store.get_value(f"durations/{record.provider}/{record.model}") is not None
