"""Gateways that call back: each in its own form, over HTTP, and what becomes of the task."""

import pytest

from tests.gateways.client import RunningGateways

from .houses import MODELS, a_house

pytestmark = pytest.mark.anyio

QUICK = "[ends-in:0.3] a red fox"


@pytest.mark.parametrize("gateway", MODELS)
async def test_a_hook_tells_of_the_end_and_one_look_sees_it(
    gateway: str, gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, gateway) as house:
        record = await house.begun(gateway, QUICK)
        assert record.hook is not None
        done = await house.ended(record.task_id)
    assert (done.state, done.failure) == ("succeeded", None)
    (job,) = await gateways.jobs(gateway)
    (hook,) = await gateways.hooks()
    assert (hook.status, job.polls) == (200, 1)
    assert [found.detail for found in await gateways.violations()] == []
    lag = done.finished_at.timestamp() - (job.finished_at or 0) if done.finished_at else 99
    assert lag < 5
