"""When a job is looked at next: often near the time at which it is expected to end, seldom where nobody waits."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.tasks.work.cadence import (
    ERROR_PAUSE_MAX_SECONDS,
    NORMAL,
    PAUSE_MIN_SECONDS,
    RETRY_AFTER_MAX_SECONDS,
    WAITED_FOR,
    Outlook,
    pause_seconds,
)
from rushes.tasks.work.durations import KEPT_ENDS, Expectation, Experience

from ..benchmarks.cadence import after_ends, bound, looks_and_lag

ENDS = st.tuples(st.floats(0, 1e6), st.booleans())


@st.composite
def experiences(draw: st.DrawFn) -> Experience:
    learned = Experience()
    for seconds, refusal in draw(st.lists(ENDS, max_size=12)):
        learned = learned.learned(seconds, refusal=refusal)
    return learned


EXPECTATIONS = st.builds(Expectation, experiences(), st.floats(0.5, 7200))
LOOKS = st.builds(
    Outlook,
    elapsed=st.floats(0, 1e6),
    expectation=EXPECTATIONS,
    price=st.floats(0.01, 5),
    errors=st.integers(0, 100),
    retry_after=st.none() | st.floats(0, 1e6),
)
UNKNOWN = Expectation(Experience(), 120)


@given(LOOKS, st.floats(-1, 1))
def test_a_pause_is_finite_and_never_hammers_the_gateway(look: Outlook, jitter: float) -> None:
    pause = pause_seconds(look, jitter)
    assert math.isfinite(pause)
    assert pause >= 0.05
    if look.retry_after is None:
        assert pause >= PAUSE_MIN_SECONDS * 0.9


@given(LOOKS, st.floats(-1, 1))
def test_what_a_gateway_asks_for_is_a_floor_up_to_an_hour(look: Outlook, jitter: float) -> None:
    if look.retry_after is not None:
        assert pause_seconds(look, jitter) >= min(look.retry_after, RETRY_AFTER_MAX_SECONDS)


@given(st.integers(1, 100))
def test_errors_back_off_up_to_a_bound(errors: int) -> None:
    pause = pause_seconds(Outlook(elapsed=1, expectation=UNKNOWN, errors=errors), 0)
    assert pause == min(2.0**errors, ERROR_PAUSE_MAX_SECONDS)


@given(EXPECTATIONS, st.floats(1e-3, 1e6))
def test_the_hazard_is_finite_and_not_negative(expectation: Expectation, seconds: float) -> None:
    rate = expectation.hazard(seconds)
    assert math.isfinite(rate)
    assert rate >= 0


@given(experiences(), st.floats(0, 1e6), st.booleans())
def test_what_is_learned_stays_bounded_and_old_ends_count_less(
    experience: Experience, seconds: float, refusal: bool
) -> None:
    for _ in range(3):
        experience = experience.learned(seconds, refusal=refusal)
    for times in (experience.results, experience.refusals):
        assert 0 <= times.n <= KEPT_ENDS
        assert times.m2 >= -1e-9
    assert 0 <= experience.refused <= experience.ended <= KEPT_ENDS


def _looks_until(seconds: float, expectation: Expectation, price: float) -> int:
    elapsed, looks = 0.0, 0
    while elapsed < seconds:
        elapsed += pause_seconds(Outlook(elapsed, expectation, price), 0)
        looks += 1
    return looks


def test_a_two_minute_video_costs_few_looks_and_a_quick_refusal_of_an_unknown_model_is_seen_soon() -> None:
    assert _looks_until(120, UNKNOWN, NORMAL) <= 20
    assert pause_seconds(Outlook(elapsed=0, expectation=UNKNOWN), 0) <= 20


def test_somebody_who_waits_is_served_sooner() -> None:
    assert _looks_until(240, UNKNOWN, WAITED_FOR) > _looks_until(240, UNKNOWN, NORMAL)


def test_a_stuck_job_is_looked_at_ever_more_rarely() -> None:
    quick = Expectation(Experience(), 20)
    late, later = (pause_seconds(Outlook(elapsed, quick), 0) for elapsed in (100, 3000))
    assert later > late


@pytest.mark.parametrize("spread", [0.3, 0.45, 0.6])
@pytest.mark.parametrize(("median", "told"), [(120.0, 120.0), (20.0, 120.0), (300.0, 120.0)])
def test_after_a_hundred_ends_looks_times_lag_are_near_the_bound(median: float, told: float, spread: float) -> None:
    chance = random.Random(7)
    experience = after_ends(100, median, spread, told, chance)
    looks, lag = looks_and_lag(Expectation(experience, told), median, spread, 600, chance)
    assert looks * lag <= 1.15 * bound(median, spread)


def test_a_model_that_refuses_often_is_looked_at_early_and_its_results_stay_near_the_bound() -> None:
    chance, learned = random.Random(7), Experience()
    for number in range(100):
        refusal = number % 4 == 0
        learned = learned.learned(chance.lognormvariate(math.log(8 if refusal else 120), 0.4), refusal=refusal)
    refusing, clean = Expectation(learned, 120), Expectation(after_ends(100, 120, 0.4, 120, chance), 120)
    assert pause_seconds(Outlook(0, refusing), 0) < pause_seconds(Outlook(0, clean), 0) / 2
    looks, lag = looks_and_lag(refusing, 120, 0.4, 1500, chance)
    assert looks * lag <= 1.6 * bound(120, 0.4)


def test_what_changed_at_the_gateway_is_learned_within_as_many_ends_as_are_kept() -> None:
    chance = random.Random(7)
    experience = after_ends(200, 120, 0.3, 120, chance)
    for _ in range(200):
        experience = experience.learned(chance.lognormvariate(math.log(30), 0.3), refusal=False)
    assert Expectation(experience, 120).median == pytest.approx(30, rel=0.5)
