"""Once a person has settled a task its answers tell what it cost, and no longer that it may be charged."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from rushes.domain.errors import SubmissionLost
from rushes.domain.failure import failure
from rushes.domain.job import Cost, Job, Observation
from rushes.domain.principal import LOCAL
from rushes.tasks.engine import Engine, Limits

from ..server.clients import connected, document
from ..tasks.engines import QUICK, a_wish, an_engine, at_rest
from ..tasks.makers import ACCEPTED, RUNNING, SUCCEEDED
from ..tasks.scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

LOST = SubmissionLost("gate may have accepted the request and may charge for it, but its answer was cut off")
BROKE = Observation(state="failed", failure=failure("provider_error", "it broke", charged="unknown"))


@asynccontextmanager
async def _gate(
    home: Path, *, answers: list[Any], looks: list[Observation], limits: Limits = QUICK
) -> AsyncGenerator[tuple[Engine, Client]]:
    gateway = ScriptedProvider(answers=answers, looks=[*looks])
    async with an_engine(home, gateway, limits=limits) as engine, connected(engine) as client:
        yield engine, client


async def _shown(client: Client, task_id: str) -> dict[str, Any]:
    return document(await client.call_tool("check_task", {"task_id": task_id}))


@pytest.mark.parametrize(
    ("amount", "charged", "said", "again"),
    [
        ("0.4", "yes", "Settled by hand: it cost 0.4 USD.", "else making it again is paid for again."),
        ("0", "no", "Settled by hand: nothing was charged.", "else make it again if it is still wanted."),
    ],
)
async def test_a_lost_one_tells_what_it_cost_and_how_its_result_is_still_had(
    tmp_path: Path, amount: str, charged: str, said: str, again: str
) -> None:
    async with _gate(tmp_path, answers=[LOST, ACCEPTED], looks=[RUNNING]) as (engine, client):
        lost = (await engine.generate(a_wish())).record
        before = await _shown(client, lost.task_id)
        assert "may charge" in before["failure"]["hint"]
        await engine.settle(lost.task_id, Decimal(amount), None, principal=LOCAL)
        after = (await _shown(client, lost.task_id))["failure"]
        assert after["charged"] == charged
        assert after["message"].endswith(f"its answer was cut off {said}")
        assert after["hint"].startswith(said)
        assert after["hint"].endswith(again)
        assert "call check_task with its id as job_id" in after["hint"]
        assert "may charge" not in after["hint"]
        found = await engine.attach(lost.task_id, "job-found", principal=LOCAL)
        assert found.job is not None
        assert "Settled" not in str(await _shown(client, lost.task_id))


@pytest.mark.parametrize(
    ("amount", "hint"),
    [
        ("0.4", "Settled by hand: it cost 0.4 USD. Making it again is paid for again."),
        ("0", "Settled by hand: nothing was charged. Make it again if it is still wanted."),
    ],
)
async def test_a_failed_one_tells_it_too(tmp_path: Path, amount: str, hint: str) -> None:
    async with _gate(tmp_path, answers=[ACCEPTED], looks=[BROKE]) as (engine, client):
        with anyio.fail_after(20):
            failed = await at_rest(engine, (await engine.generate(a_wish())).record)
        assert "may charge" in (await _shown(client, failed.task_id))["failure"]["hint"]
        await engine.settle(failed.task_id, Decimal(amount), None, principal=LOCAL)
        assert (await _shown(client, failed.task_id))["failure"]["hint"] == hint


async def test_one_that_succeeded_tells_it_until_the_gateway_has_the_last_word(tmp_path: Path) -> None:
    told = SUCCEEDED.model_copy(update={"cost": Cost(amount=Decimal("0.5"))})
    jobs = [ACCEPTED.model_copy(update={"job": Job(job_id=f"job-{n}", model="m1")}) for n in range(2)]
    # Kept outputs would be tried for a day: this gateway has none.
    limits = replace(QUICK, keep_outputs=False)
    async with _gate(tmp_path, answers=[*jobs], looks=[told], limits=limits) as (engine, client):
        with anyio.fail_after(20):
            done = await at_rest(engine, (await engine.generate(a_wish())).record)
        assert "Settled" not in str(await _shown(client, done.task_id))
        await engine.settle(done.task_id, Decimal("0.3"), None, principal=LOCAL)
        shown = await _shown(client, done.task_id)
    assert "Settled by hand: it cost 0.3 USD." in shown["warnings"]
    assert shown["cost"] == {"amount": 0.5, "currency": "USD"}
