"""How often rushes looks where a gateway calls back: seldom, and never not at all."""

from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.errors import GatewayUnavailable, SubmissionRefused
from rushes.domain.hooks import SECRET_STAND_IN, TOKEN_STAND_IN
from rushes.domain.principal import LOCAL
from rushes.tasks.work.hook_cadence import GAP_FIRST_SECONDS, GAP_MAX_SECONDS, Heard, pause_with_hook

from ..clocks import StandingClock
from ..tasks.engines import a_wish
from ..tasks.scripted import ScriptedProvider
from ..tasks.test_engine import ACCEPTED, DONE, PNG, RUNNING
from .calling import CallingProvider, called, ended, hearing, planned, planned_or_final

pytestmark = pytest.mark.anyio


def gateway(**changes: object) -> CallingProvider:
    made = CallingProvider(answers=[ACCEPTED], looks=[DONE], downloads=[PNG] * 9)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize("expected", [5, 10, 60, 120, 600])
async def test_a_job_of_two_minutes_that_calls_is_looked_at_three_times_at_most(tmp_path: Path, expected: int) -> None:
    gate, clock = gateway(looks=[RUNNING], facts_changes={"expected_seconds": expected}), StandingClock()
    async with hearing(tmp_path, gate, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        while clock.seconds + (pause := await planned(engine, task_id)) < 120:
            clock.put_forward(pause)
            await gate.looked(gate.polls + 1)
        clock.put_forward(120 - clock.seconds)
        gate.looks = [DONE]
        assert await called(engine.hook_desk, gate.token())
        await ended(engine, task_id)
    assert gate.polls <= 3


async def test_the_end_is_found_though_no_hook_ever_comes(tmp_path: Path) -> None:
    gate, clock = gateway(), StandingClock()
    async with hearing(tmp_path, gate, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        pause = await planned(engine, task_id)
        assert 40 <= pause <= 60
        clock.put_forward(pause)
        assert (await ended(engine, task_id)).state == "succeeded"
    assert gate.polls == 1


async def test_somebody_who_waits_has_no_looks_made_that_a_hook_will_bring(tmp_path: Path) -> None:
    gate = gateway()
    async with hearing(tmp_path, gate) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        await engine.wait(task_id, seconds=0.01, principal=LOCAL)
        assert await planned(engine, task_id) >= 40
    assert gate.polls == 0


async def test_a_hook_before_the_answer_to_the_submission_is_not_lost(tmp_path: Path) -> None:
    gate = gateway(hold=anyio.Event())
    async with hearing(tmp_path, gate) as engine:
        task_id = (await engine.generate(a_wish(kind="image"), answer_within_seconds=0)).record.task_id
        with anyio.fail_after(20):
            while not gate.plans:
                await anyio.lowlevel.checkpoint()
        assert await called(engine.hook_desk, gate.token())
        assert (await engine.get(task_id, principal=LOCAL)).phase == "submitting"
        assert gate.hold is not None
        gate.hold.set()
        assert (await ended(engine, task_id)).state == "succeeded"
    assert gate.polls == 1


async def test_a_look_that_comes_before_the_gateway_has_written_the_end_is_followed_by_others(tmp_path: Path) -> None:
    gate, clock = gateway(looks=[RUNNING, RUNNING, DONE]), StandingClock()
    async with hearing(tmp_path, gate, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        assert await called(engine.hook_desk, gate.token())
        for looks in (1, 2):
            await gate.looked(looks)
            pause = await planned(engine, task_id)
            assert pause <= 5
            clock.put_forward(pause)
        assert (await ended(engine, task_id)).state == "succeeded"
    assert gate.polls == 3


async def test_a_second_hook_during_the_look_that_the_first_one_brought_has_another_made(tmp_path: Path) -> None:
    gate, clock = gateway(looks=[RUNNING, DONE], holds_looks=anyio.Event()), StandingClock()
    async with hearing(tmp_path, gate, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        assert await called(engine.hook_desk, gate.token())
        await gate.looked(1)
        clock.put_forward(0.3)
        assert await called(engine.hook_desk, gate.token())
        assert gate.holds_looks is not None
        gate.holds_looks.set()
        assert await planned(engine, task_id) <= GAP_FIRST_SECONDS
        clock.put_forward(GAP_FIRST_SECONDS)
        assert (await ended(engine, task_id)).state == "succeeded"
    assert gate.polls == 2


async def test_a_gateway_whose_hooks_never_come_is_polled_as_before_after_three_jobs_and_trusted_again_after_one(
    tmp_path: Path,
) -> None:
    gate, clock = gateway(), StandingClock()
    async with hearing(tmp_path, gate, clock=clock) as engine:

        async def first_pause(number: int, *, hook: bool = False) -> float:
            task_id = (await engine.generate(a_wish(f"fox {number}", kind="image"))).record.task_id
            pause = await planned(engine, task_id)
            if hook:
                assert await called(engine.hook_desk, gate.token())
            else:
                clock.put_forward(pause)
            await ended(engine, task_id)
            return pause

        with_hooks = [await first_pause(number) for number in range(3)]
        without = await first_pause(3)
        assert min(with_hooks) >= 40 > 15 > without
        assert await first_pause(4, hook=True) < 15
        assert await first_pause(5) >= 40
        # One that comes after the end tells as much.
        for number in (6, 7):
            await first_pause(number)
        assert await first_pause(8) < 15
        assert await called(engine.hook_desk, gate.token())
        assert await first_pause(9) >= 40


async def test_failed_looks_are_tried_again_as_ever(tmp_path: Path) -> None:
    broken = GatewayUnavailable("provider_error", "not now")
    gate, clock = gateway(looks=[broken, DONE]), StandingClock()
    async with hearing(tmp_path, gate, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        assert await called(engine.hook_desk, gate.token())
        await gate.looked(1)
        pause = await planned(engine, task_id)
        assert pause < 10
        clock.put_forward(pause)
        assert (await ended(engine, task_id)).state == "succeeded"


async def test_the_deadline_ends_a_job_that_never_calls(tmp_path: Path) -> None:
    gate, clock = gateway(looks=[RUNNING], facts_changes={"deadline_seconds": 300.0}), StandingClock()
    async with hearing(tmp_path, gate, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        for _ in range(20):
            if (pause := await planned_or_final(engine, task_id)) is None:
                break
            clock.put_forward(pause)
        failed = await engine.get(task_id, principal=LOCAL)
    assert failed.failure is not None
    assert failed.failure.reason == "timeout"
    assert clock.seconds < 900


async def test_what_a_held_request_is_known_by_is_made_again_and_lies_nowhere(tmp_path: Path) -> None:
    slow = SubmissionRefused("rate_limited", "slow down", retry_after_seconds=5.0)
    gate, clock = gateway(answers=[slow, ACCEPTED]), StandingClock()
    async with hearing(tmp_path, gate, clock=clock) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        assert record.phase == "held"
        clock.put_forward(10)
        with anyio.fail_after(20):
            while len(gate.plans) < 2:
                await anyio.lowlevel.checkpoint()
        assert await called(engine.hook_desk, gate.token(1))
        done = await ended(engine, record.task_id)
    assert gate.token(0) == gate.token(1)
    secrets = [gate.token(), str(gate.plans[-1].body["sign_with"])]
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [one for secret in secrets for one in (*kept, repr(done).encode()) if secret.encode() in one]
    assert not {TOKEN_STAND_IN, SECRET_STAND_IN} & set(secrets)


async def test_another_process_that_sends_a_held_request_makes_the_same_token(tmp_path: Path) -> None:
    slow = SubmissionRefused("rate_limited", "slow down", retry_after_seconds=30.0)
    first, second = gateway(answers=[slow]), gateway()
    clock = StandingClock()
    async with hearing(tmp_path, first, clock=clock) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
    clock.put_forward(60)
    async with hearing(tmp_path, second, clock=clock) as engine:
        with anyio.fail_after(20):
            while not second.plans:
                await anyio.lowlevel.checkpoint()
        assert second.token() == first.token()
        assert await called(engine.hook_desk, second.token())
        assert (await ended(engine, record.task_id)).state == "succeeded"


async def test_a_provider_that_cannot_call_is_polled_as_ever(tmp_path: Path) -> None:
    gate = ScriptedProvider(answers=[ACCEPTED], looks=[DONE], downloads=[PNG])
    async with hearing(tmp_path, gate) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        assert await planned(engine, record.task_id) < 15
    assert record.hook is None


# The rule itself


@given(st.floats(0, 1e6), st.floats(0.1, 1e5), st.none() | st.floats(0, 1e6))
def test_a_pause_is_never_long_and_never_nothing(elapsed: float, median: float, since: float | None) -> None:
    pause = pause_with_hook(elapsed, median, since)
    assert 2.0 <= pause <= max(300.0, 1.5 * median)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50))
def test_hooks_without_end_have_looks_made_ever_more_seldom(gaps: list[float]) -> None:
    now, heard = 0.0, Heard(0.0)
    due = [heard.look_at]
    for gap in gaps:
        now += gap
        again = heard.again(now)
        if again is not heard:
            assert again.look_at >= max(now, heard.look_at + min(heard.gap, GAP_MAX_SECONDS))
            due.append(again.look_at)
        heard = again
    assert due == sorted(due)
