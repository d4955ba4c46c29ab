"""The first look at a job that a gateway has just accepted: when it asked for it, and no sooner for whoever waits."""

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from rushes.domain.errors import GatewayUnavailable
from rushes.domain.job import Observation, Submission
from rushes.domain.principal import LOCAL
from rushes.tasks.engine import Engine

from ..clocks import StandingClock
from .engines import a_wish, an_engine
from .scripted import Look, ScriptedProvider
from .test_engine import DONE, JOB, PNG

pytestmark = pytest.mark.anyio

USUAL = 10.0
"""Seconds before which the first look at a picture would be made without a time."""


def accepted(seconds: float | None) -> Submission:
    return Submission(job=JOB, observation=Observation(state="queued", poll_after_seconds=seconds))


def gateway(seconds: float | None, *looks: Look) -> ScriptedProvider:
    return ScriptedProvider(answers=[accepted(seconds)], looks=[*looks, DONE], downloads=[PNG])


async def first_look_in(engine: Engine) -> tuple[str, float]:
    """The task, and the seconds until the first look at its job."""
    record = (await engine.generate(a_wish(kind="image"))).record
    return record.task_id, await next_look_in(engine, record.task_id)


async def next_look_in(engine: Engine, task_id: str) -> float:
    queue = engine._queue  # pyright: ignore[reportPrivateUsage]
    with anyio.fail_after(10):
        while (seconds := queue.due_in(task_id)) is None or seconds <= 0:
            await anyio.lowlevel.checkpoint()
    return seconds


async def test_a_time_in_the_answer_to_the_submission_is_the_least_that_the_first_look_waits(tmp_path: Path) -> None:
    async with an_engine(tmp_path, gateway(40), clock=StandingClock()) as engine:
        assert (await first_look_in(engine))[1] == 40


async def test_a_shorter_time_does_not_bring_the_first_look_forward(tmp_path: Path) -> None:
    """It is the least that the gateway asks for; when looks pay is known here."""
    found: list[float] = []
    for number, seconds in enumerate((None, 1.0, 0.0)):
        async with an_engine(tmp_path / str(number), gateway(seconds), clock=StandingClock()) as engine:
            found.append((await first_look_in(engine))[1])
    assert all(1 < seconds < USUAL for seconds in found)


async def test_a_time_for_looks_in_less_than_a_second_is_fulfilled(tmp_path: Path) -> None:
    async with an_engine(tmp_path, gateway(0.2), clock=StandingClock()) as engine:
        assert (await first_look_in(engine))[1] == 0.2


async def test_no_time_keeps_the_first_look_away_for_more_than_an_hour(tmp_path: Path) -> None:
    async with an_engine(tmp_path, gateway(1e9), clock=StandingClock()) as engine:
        assert (await first_look_in(engine))[1] == 3600


@pytest.mark.parametrize("at", ["the submission", "a look", "a failed look"])
async def test_somebody_who_waits_has_no_look_made_before_the_gateways_time(tmp_path: Path, at: str) -> None:
    slow = Observation(state="running", poll_after_seconds=40)
    busy = GatewayUnavailable("rate_limited", "slow down", retry_after_seconds=40)
    gates = {
        "the submission": gateway(40),
        "a look": gateway(None, slow),
        "a failed look": gateway(None, busy),
    }
    gate, clock = gates[at], StandingClock()
    async with an_engine(tmp_path, gate, clock=clock) as engine:
        task_id, first = await first_look_in(engine)
        if at != "the submission":
            clock.put_forward(first)
            while not gate.polls:
                await anyio.lowlevel.checkpoint()
            assert await next_look_in(engine, task_id) == 40
        polls = gate.polls
        clock.put_forward(10)
        await engine.wait(task_id, seconds=0.01, principal=LOCAL)
        assert await next_look_in(engine, task_id) == pytest.approx(30)
        clock.put_forward(30.001)
        with anyio.fail_after(10):
            done = await engine.wait(task_id, seconds=10, principal=LOCAL)
    assert (done.state, gate.polls) == ("succeeded", polls + 1)


async def test_a_time_counts_until_the_next_answer(tmp_path: Path) -> None:
    gate, clock = gateway(40, Observation(state="running")), StandingClock()
    async with an_engine(tmp_path, gate, clock=clock) as engine:
        task_id, _ = await first_look_in(engine)
        clock.put_forward(40)
        while not gate.polls:
            await anyio.lowlevel.checkpoint()
        assert await next_look_in(engine, task_id) < 20
