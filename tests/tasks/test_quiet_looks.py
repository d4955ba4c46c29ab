"""Looks that bring nothing new: they cost a request, and neither a write nor a record made of every waiting task."""

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from rushes.domain.job import Observation
from rushes.domain.principal import LOCAL

from ..clocks import JumpingClock
from .engines import a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED, DONE, PNG

pytestmark = pytest.mark.anyio

RUNNING = Observation(state="running", progress=0.5, poll_after_seconds=10)


async def _looked(gateway: ScriptedProvider, polls: int) -> None:
    with anyio.fail_after(30):
        while gateway.polls < polls:
            await anyio.lowlevel.checkpoint()


async def test_a_look_that_changes_nothing_writes_nothing_and_the_next_one_is_still_told(tmp_path: Path) -> None:
    clock = JumpingClock()
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING], downloads=[PNG])
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        await _looked(gateway, 3)
        before = await engine.get(task_id, principal=LOCAL)
        await _looked(gateway, 12)
        after = await engine.get(task_id, principal=LOCAL)
        assert after == before
        assert engine.poll_interval_seconds(after) is not None
        gateway.looks = [RUNNING.model_copy(update={"progress": 0.75}), DONE]
        gateway.polls = 0
        with anyio.fail_after(20):
            while (record := await engine.get(task_id, principal=LOCAL)).progress == 0.5:
                await anyio.lowlevel.checkpoint()
            assert (await engine.wait(task_id, seconds=20, principal=LOCAL)).state == "succeeded"
    assert record.revision > after.revision


async def test_looks_are_counted_for_somebody_who_waits(tmp_path: Path) -> None:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING])
    async with an_engine(tmp_path, gateway) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: engine.wait(task_id, seconds=60, principal=LOCAL))
            with anyio.fail_after(20):
                while (await engine.get(task_id, principal=LOCAL)).polls < 4:
                    await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
