"""When a job is looked at next: often near the time at which it is expected to end, seldom where nobody waits."""

import math

from hypothesis import given
from hypothesis import strategies as st

from rushes.tasks.work.cadence import (
    ERROR_PAUSE_MAX_SECONDS,
    NORMAL,
    PAUSE_MIN_SECONDS,
    WAITED_FOR,
    WISH_MAX_SECONDS,
    Look,
    hazard,
    pause_seconds,
)

LOOKS = st.builds(
    Look,
    elapsed=st.floats(0, 1e6),
    expected=st.floats(0.5, 7200),
    price=st.floats(0.01, 5),
    errors=st.integers(0, 100),
    wish=st.none() | st.floats(0, 1e6),
)


@given(LOOKS, st.floats(-1, 1))
def test_a_pause_is_finite_and_never_hammers_the_gateway(look: Look, jitter: float) -> None:
    pause = pause_seconds(look, jitter)
    assert math.isfinite(pause)
    assert pause >= 0.05
    if look.wish is None:
        assert pause >= PAUSE_MIN_SECONDS * 0.9


@given(LOOKS, st.floats(-1, 1))
def test_a_gateways_wish_is_a_floor_up_to_an_hour(look: Look, jitter: float) -> None:
    if look.wish is not None:
        assert pause_seconds(look, jitter) >= min(look.wish, WISH_MAX_SECONDS)


@given(st.integers(1, 100))
def test_errors_back_off_up_to_a_bound(errors: int) -> None:
    pause = pause_seconds(Look(elapsed=1, expected=60, errors=errors), 0)
    assert pause == min(2.0**errors, ERROR_PAUSE_MAX_SECONDS)


def _looks_until(seconds: float, expected: float, price: float) -> int:
    elapsed, looks = 0.0, 0
    while elapsed < seconds:
        elapsed += pause_seconds(Look(elapsed=elapsed, expected=expected, price=price), 0)
        looks += 1
    return looks


def test_a_two_minute_video_costs_few_looks_and_its_first_ones_come_quickly() -> None:
    assert _looks_until(120, 120, NORMAL) <= 20
    assert pause_seconds(Look(elapsed=0, expected=120), 0) == PAUSE_MIN_SECONDS


def test_somebody_who_waits_is_served_sooner() -> None:
    assert _looks_until(240, 120, WAITED_FOR) > _looks_until(240, 120, NORMAL)


@given(st.floats(0.01, 1e5), st.floats(0.5, 7200))
def test_the_hazard_is_finite_and_not_negative(elapsed: float, expected: float) -> None:
    rate = hazard(elapsed, expected)
    assert math.isfinite(rate)
    assert rate >= 0


def test_a_stuck_job_is_looked_at_ever_more_rarely() -> None:
    assert pause_seconds(Look(elapsed=3000, expected=20), 0) > pause_seconds(Look(elapsed=100, expected=20), 0)
