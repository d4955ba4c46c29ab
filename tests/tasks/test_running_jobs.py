"""Jobs that still run count for what is learned: those that ended first are the shortest, and alone they mislead."""

import heapq
import math
import random
from datetime import timedelta
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.cache.embedded.store import TaskStore
from rushes.domain.record import SCHEMA
from rushes.tasks.work.cadence import Outlook, pause_seconds
from rushes.tasks.work.durations import Expectation, Experience
from rushes.tasks.work.learning import Learning

from ..benchmarks.cadence import after_ends, looks_and_lag
from ..clocks import StandingClock
from .makers import START, a_record

JOBS = 200
SECONDS = st.floats(0, 1e6)


async def _begun_at_once(learning: Learning, clock: StandingClock, median: float, spread: float) -> tuple[float, float]:
    """Mean looks and mean lag in seconds of so many jobs that begin together, each end learned as it is seen."""
    chance = random.Random(7)
    takes = [chance.lognormvariate(math.log(median), spread) for _ in range(JOBS)]
    records = [a_record(task_id=f"T{number}", state="running", started_at=START) for number in range(JOBS)]
    looks, lags = [0] * JOBS, [0.0] * JOBS
    due = [(0.0, number) for number in range(JOBS)]
    while due:
        clock.seconds, number = heapq.heappop(due)
        looks[number] += clock.seconds > 0
        if clock.seconds > takes[number]:
            lags[number] = clock.seconds - takes[number]
            ended = {"state": "succeeded", "phase": "done", "open": False, "finished_at": clock.now()}
            await learning.ended(a_record(task_id=f"T{number}", **ended))
            continue
        learning.runs(records[number], clock.seconds)
        look = Outlook(clock.seconds, learning.expectation(records[number]))
        heapq.heappush(due, (clock.seconds + pause_seconds(look, chance.uniform(-1, 1)), number))
    return fmean(looks), fmean(lags)


@pytest.mark.anyio
@pytest.mark.parametrize("spread", [0.3, 0.6])
async def test_jobs_that_begin_together_are_looked_at_about_as_often_as_once_all_is_known(
    spread: float, tmp_path: Path
) -> None:
    chance = random.Random(7)
    usual_looks, usual_lag = looks_and_lag(
        Expectation(after_ends(100, 120, spread, 120, chance), 120), 120, spread, 500, chance
    )
    async with TaskStore.opened(tmp_path, schema=SCHEMA) as store:
        clock = StandingClock(START)
        looks, lag = await _begun_at_once(Learning(store, {}, clock), clock, 120, spread)
    assert looks <= 1.3 * usual_looks
    assert lag <= 1.5 * usual_lag


@pytest.mark.anyio
async def test_the_first_end_of_many_does_not_pass_for_the_usual_one_and_is_the_usual_one_where_nothing_else_runs(
    tmp_path: Path,
) -> None:
    ended = {"state": "succeeded", "phase": "done", "open": False, "finished_at": START + timedelta(seconds=60)}
    async with TaskStore.opened(tmp_path, schema=SCHEMA) as store:
        clock = StandingClock(START, 60.0)
        learning = Learning(store, {}, clock)
        running = a_record(state="running", started_at=START)
        for number in range(50):
            learning.runs(a_record(task_id=f"T{number}", state="running", started_at=START), 60.0)
        for number in range(3):
            await learning.ended(a_record(task_id=f"T{number}", **ended))
        assert learning.expectation(running).median > 90
        for number in range(50):
            learning.forget(f"T{number}")
        clock.seconds += 60
        assert learning.expectation(running).median < 80


@pytest.mark.anyio
async def test_a_job_that_was_given_up_or_waits_in_the_queue_is_not_counted_as_running(tmp_path: Path) -> None:
    async with TaskStore.opened(tmp_path, schema=SCHEMA) as store:
        learning = Learning(store, {}, StandingClock(START, 5000.0))
        learning.runs(a_record(task_id="T1", state="running"), 5000.0)
        learning.runs(a_record(task_id="T1", state="failed"), 5000.0)
        learning.runs(a_record(task_id="T2", state="queued"), 5000.0)
        assert learning.expectation(a_record()).median == pytest.approx(120)


def test_a_stuck_job_does_not_change_what_is_expected_of_the_others() -> None:
    experience = Experience()
    for number in range(30):
        experience = experience.learned(55 + number / 3, refusal=False)
    alone, beside = Expectation(experience, 120).median, Expectation(experience, 120, [7200.0]).median
    assert beside == pytest.approx(alone, rel=0.02)


@given(st.lists(SECONDS, max_size=15), st.lists(SECONDS, max_size=15), st.floats(0.5, 7200), st.floats(1e-3, 1e6))
def test_whatever_ended_and_runs_the_expected_time_is_positive_and_the_rate_of_ends_a_number(
    ended: list[float], running: list[float], told: float, seconds: float
) -> None:
    experience = Experience()
    for each in ended:
        experience = experience.learned(each, refusal=False)
    expectation = Expectation(experience, told, running)
    assert 0 < expectation.median < math.inf
    assert 0 <= expectation.hazard(seconds) < math.inf


@given(st.lists(SECONDS, max_size=15), st.lists(SECONDS, max_size=15), st.floats(0.5, 7200))
def test_jobs_that_still_run_never_make_the_expected_time_shorter(
    ended: list[float], running: list[float], told: float
) -> None:
    experience = Experience()
    for each in ended:
        experience = experience.learned(each, refusal=False)
    assert Expectation(experience, told, running).median >= Expectation(experience, told).median * 0.999


@given(st.lists(SECONDS, max_size=15), SECONDS, st.integers(1, 100), st.floats(0.5, 7200))
def test_however_many_jobs_are_stuck_together_what_is_expected_stays_within_reach_of_the_time_they_took(
    ended: list[float], seconds: float, stuck: int, told: float
) -> None:
    experience = Experience()
    for each in ended:
        experience = experience.learned(each, refusal=False)
    alone, beside = Expectation(experience, told).median, Expectation(experience, told, [seconds] * stuck).median
    assert beside <= max(1.01 * alone, 4.2 * max(seconds, 0.1))


@given(st.permutations([10.0, 20.0, 40.0, 80.0, 160.0, 320.0]))
def test_in_whatever_order_jobs_end_what_is_learned_lies_between_them_and_differs_little(ended: list[float]) -> None:
    experience = Experience()
    for each in ended:
        experience = experience.learned(each, refusal=False)
    middle = math.exp(fmean(map(math.log, ended)))
    assert Expectation(experience, middle).median == pytest.approx(middle, rel=0.05)
