"""Slow results stop nobody else's work: looks and downloads have slots of their own, and each provider a share."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.cache.workers.slots import Lane, Slots
from rushes.cache.workers.timers import Scheduler
from rushes.domain.job import Job, Observation
from rushes.domain.principal import LOCAL
from rushes.providers.provider import AnswerSink
from rushes.tasks.clock import SystemClock
from rushes.tasks.engine import Limits

from ..clocks import JumpingClock
from ..tasks.engines import a_wish, an_engine
from ..tasks.scripted import Bytes, ScriptedProvider
from ..tasks.test_engine import ACCEPTED, DONE, PNG

pytestmark = pytest.mark.anyio

FEW = Limits(shutdown_grace_seconds=0.1, takeover_seconds=60, tasks_polled_at_once=4, downloads_at_once=4)


@dataclass
class Hanging(ScriptedProvider):
    """Its looks, or its downloads, never end."""

    looks_hang: bool = False
    hanging: int = 0
    more: anyio.Event = field(default_factory=anyio.Event)

    async def _hang(self) -> None:
        self.hanging += 1
        self.more.set()
        self.more = anyio.Event()
        await anyio.sleep_forever()

    async def poll(self, job: Job, *, sink: AnswerSink | None = None) -> Observation:
        if self.looks_hang:
            await self._hang()
        return await super().poll(job, sink=sink)

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[Bytes]:
        await self._hang()
        yield Bytes(b"")

    async def until_hanging(self, count: int) -> None:
        with anyio.fail_after(10):
            while self.hanging < count:
                await self.more.wait()


def _hanging(name: str, *, looks_hang: bool) -> Hanging:
    return Hanging(name=name, answers=[ACCEPTED], looks=[DONE], looks_hang=looks_hang)


@pytest.mark.parametrize("looks_hang", [True, False], ids=["looks", "downloads"])
async def test_two_providers_that_hang_keep_a_third_from_nothing(tmp_path: Path, looks_hang: bool) -> None:
    one, two = (_hanging(name, looks_hang=looks_hang) for name in ("one", "two"))
    well = ScriptedProvider(name="well", answers=[ACCEPTED], looks=[DONE], downloads=[PNG])
    async with an_engine(tmp_path, one, two, well, limits=FEW) as engine:
        for number in range(6):
            for provider in (one, two):
                await engine.generate(a_wish(f"{number}", kind="image", provider=provider.name))
        await one.until_hanging(1)
        await two.until_hanging(1)
        record = (await engine.generate(a_wish("well", kind="image", provider="well"))).record
        with anyio.fail_after(10):
            ended = await engine.wait(record.task_id, seconds=9, principal=LOCAL)
    assert ended.outputs[0].path is not None
    assert one.hanging + two.hanging <= 4


async def test_downloads_that_hang_keep_nobody_from_looking_at_the_same_gateways_jobs(tmp_path: Path) -> None:
    slow = _hanging("slow", looks_hang=False)
    async with an_engine(tmp_path, slow, limits=FEW) as engine:
        for number in range(8):
            record = (await engine.generate(a_wish(f"{number}", kind="image"))).record
            with anyio.fail_after(10):
                while (seen := await engine.get(record.task_id, principal=LOCAL)).phase != "keeping":
                    await anyio.lowlevel.checkpoint()
            assert seen.state == "succeeded"


@given(
    st.integers(1, 40),
    st.lists(st.tuples(st.booleans(), st.sampled_from("abc"), st.sampled_from(["look", "download"])), max_size=200),
)
def test_whoever_takes_slots_another_finds_one(total: int, moves: list[tuple[bool, str, str]]) -> None:
    slots = Slots({"look": total, "download": 2}, "abcd")
    taken: list[Lane] = []
    for take, share, kind in moves:
        lane = Lane(kind, share)
        if take and slots.take(lane):
            taken.append(lane)
        elif not take and taken:
            slots.give_back(taken.pop())
    for kind in ("look", "download"):
        assert slots.take(Lane(kind, "d"))
        assert sum(lane.kind == kind for lane in taken) < max(4, total if kind == "look" else 2)


async def test_what_waits_for_a_slot_gets_it_in_the_order_of_its_time() -> None:
    done: list[str] = []
    ended = anyio.Event()

    async def step(task_id: str) -> None:
        await anyio.lowlevel.checkpoint()
        done.append(task_id)
        if len(done) == 6:
            ended.set()

    scheduler = Scheduler(
        step, JumpingClock(), slots=Slots({"x": 1, "y": 1}), lane_of=lambda task_id: Lane(task_id[0], "")
    )
    for number, task_id in enumerate(["x1", "x2", "x3", "y1", "x4", "y2"]):
        scheduler.schedule(task_id, number / 1000)
    async with anyio.create_task_group() as group:
        group.start_soon(scheduler.run)
        with anyio.fail_after(5):
            await ended.wait()
        group.cancel_scope.cancel()
    assert [task_id for task_id in done if task_id.startswith("x")] == ["x1", "x2", "x3", "x4"]
    assert "x1" not in scheduler


class HastyClock(SystemClock):
    """Time passes between any two looks at it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def elapsed(self) -> float:
        self.seconds += 0.01
        return self.seconds


async def test_a_time_that_comes_while_the_scheduler_turns_to_wait_for_it_ends_nothing() -> None:
    ended = anyio.Event()

    async def step(task_id: str) -> None:
        if task_id == "late":
            ended.set()

    scheduler = Scheduler(step, HastyClock())
    scheduler.schedule("late", 0.015)
    async with anyio.create_task_group() as group:
        group.start_soon(scheduler.run)
        with anyio.fail_after(5):
            await ended.wait()
        group.cancel_scope.cancel()
