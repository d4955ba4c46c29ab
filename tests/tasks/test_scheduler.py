"""One scheduler for all tasks: bounded, never two steps of one task at once, no fault of one harms another."""

import anyio
import anyio.lowlevel
import pytest

from rushes.cache.workers.timers import Scheduler

from ..clocks import JumpingClock, StandingClock

pytestmark = pytest.mark.anyio


class Steps:
    """Counts steps; `script` says what the next step of a task answers."""

    def __init__(self, script: dict[str, list[float | None]]) -> None:
        self.script = script
        self.done: list[str] = []
        self.all_done = anyio.Event()
        self.at_once = 0
        self.most_at_once = 0
        self.gate: anyio.Event | None = None

    async def __call__(self, task_id: str) -> float | None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        if self.gate is not None:
            await self.gate.wait()
        else:
            for _ in range(10):
                await anyio.lowlevel.checkpoint()
        self.at_once -= 1
        self.done.append(task_id)
        answer = self.script[task_id].pop(0)
        if not any(self.script.values()):
            self.all_done.set()
        return answer


async def _run(steps: Steps, scheduler: Scheduler) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(scheduler.run)
        with anyio.fail_after(5):
            await steps.all_done.wait()
        group.cancel_scope.cancel()


async def test_a_task_is_stepped_until_nothing_is_left() -> None:
    steps = Steps({"a": [0.0, 0.001, None]})
    scheduler = Scheduler(steps, JumpingClock())
    scheduler.schedule("a")
    await _run(steps, scheduler)
    assert steps.done == ["a", "a", "a"]


async def test_due_tasks_run_in_the_order_of_their_times() -> None:
    steps = Steps({"late": [None], "soon": [None]})
    scheduler = Scheduler(steps, JumpingClock(), at_once=1)
    scheduler.schedule("late", 0.02)
    scheduler.schedule("soon", 0.01)
    await _run(steps, scheduler)
    assert steps.done == ["soon", "late"]


async def test_an_earlier_time_replaces_the_one_planned() -> None:
    steps = Steps({"a": [None]})
    scheduler = Scheduler(steps, JumpingClock())
    scheduler.schedule("a", 3600)
    scheduler.schedule("a", 0)
    scheduler.schedule("a", 3600)
    await _run(steps, scheduler)
    assert steps.done == ["a"]
    assert "a" not in scheduler


async def test_no_more_steps_run_at_once_than_allowed() -> None:
    names = [f"t{n}" for n in range(50)]
    steps = Steps({name: [None] for name in names})
    scheduler = Scheduler(steps, JumpingClock(), at_once=4)
    for name in names:
        scheduler.schedule(name)
    await _run(steps, scheduler)
    assert steps.most_at_once == 4
    assert sorted(steps.done) == sorted(names)


async def test_one_task_never_has_two_steps_at_once_and_a_wake_during_a_step_is_not_lost() -> None:
    steps = Steps({"a": [None, None]})
    steps.gate = anyio.Event()
    scheduler = Scheduler(steps, JumpingClock())
    scheduler.schedule("a")
    async with anyio.create_task_group() as group:
        group.start_soon(scheduler.run)
        with anyio.fail_after(5):
            while not steps.at_once:
                await anyio.lowlevel.checkpoint()
            scheduler.schedule("a")
            steps.gate.set()
            await steps.all_done.wait()
        group.cancel_scope.cancel()
    assert steps.done == ["a", "a"]
    assert steps.most_at_once == 1


async def test_a_time_that_is_asked_for_during_a_step_counts_where_it_is_before_the_steps_own() -> None:
    steps, clock = Steps({"a": [3600.0, 1.0, None]}), StandingClock()
    steps.gate = anyio.Event()
    scheduler = Scheduler(steps, clock)
    scheduler.schedule("a")
    async with anyio.create_task_group() as group:
        group.start_soon(scheduler.run)
        with anyio.fail_after(5):
            while not steps.at_once:
                await anyio.lowlevel.checkpoint()
            for seconds in (5.0, 0.5, 7.0):
                scheduler.schedule("a", seconds)
            steps.gate.set()
            while not steps.done:
                await anyio.lowlevel.checkpoint()
            assert scheduler.due_in("a") == 0.5
        group.cancel_scope.cancel()


async def test_a_task_is_known_at_every_moment_between_its_plan_and_its_end() -> None:
    steps = Steps({"a": [0.0] * 20 + [None]})
    scheduler = Scheduler(steps, JumpingClock())
    scheduler.schedule("a")
    forgotten = 0

    async def look_on() -> None:
        nonlocal forgotten
        while True:
            forgotten += "a" not in scheduler and any(steps.script.values())
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        group.start_soon(look_on)
        await _run(steps, scheduler)
        group.cancel_scope.cancel()
    assert forgotten == 0


async def test_a_fault_in_one_step_leaves_the_others_working(caplog: pytest.LogCaptureFixture) -> None:
    done = anyio.Event()

    async def step(task_id: str) -> float | None:
        if task_id == "bad":
            raise ValueError("a fault")
        done.set()
        return None

    scheduler = Scheduler(step, JumpingClock())
    scheduler.schedule("bad")
    scheduler.schedule("good", 0.001)
    async with anyio.create_task_group() as group:
        group.start_soon(scheduler.run)
        with anyio.fail_after(5):
            await done.wait()
        group.cancel_scope.cancel()
    assert [getattr(entry, "task_id", None) for entry in caplog.records] == ["bad"]
    assert "bad" in scheduler
