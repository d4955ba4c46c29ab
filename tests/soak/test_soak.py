"""A short soak: the same as `python -m tests.soak`, in seconds."""

from pathlib import Path

import anyio
import pytest

from .report import report
from .soak import Plan, soak

pytestmark = [pytest.mark.anyio, pytest.mark.storm]

PLAN = Plan(
    seconds=7,
    seed=1,
    servers=2,
    workers=2,
    agents=4,
    pause=0.5,
    kill_every=2.0,
    trouble_every=2.0,
    full_every=3.0,
    step_every=2.0,
)


async def test_in_a_short_soak_every_account_matches(tmp_path: Path) -> None:
    with anyio.fail_after(300):
        outcome = await soak(PLAN, tmp_path)
    assert outcome.balance.mismatches == [], report(outcome)
    assert outcome.kills
    assert outcome.steps
    assert outcome.times_full
