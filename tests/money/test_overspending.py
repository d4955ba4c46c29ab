"""Ways to spend more than is allowed, or to see another amount than was spent; none of them is one."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from pydantic import TypeAdapter

from rushes.domain.budget import Budget
from rushes.domain.errors import RequestRefused
from rushes.domain.job import Cost, Job
from rushes.domain.money import Price
from rushes.domain.principal import LOCAL, Principal
from rushes.tasks.engine import Engine
from rushes.tasks.money.spend import Spend

from ..cli.command import rushes
from ..clocks import StandingClock, SteppedClock
from ..server.clients import connected, document
from ..tasks.engines import a_wish, an_engine, at_rest
from ..tasks.makers import ACCEPTED, RUNNING, SUCCEEDED
from ..tasks.scripted import ScriptedProvider
from ..tasks.test_engine import PNG

pytestmark = pytest.mark.anyio

Shown = dict[str, Any]
PRICES = {"gate/model-one": Price(per_second={"default": Decimal("0.1")})}


def _gate(name: str = "gate", **more: Any) -> ScriptedProvider:
    answers = [ACCEPTED.model_copy(update={"job": Job(job_id=f"{name}-{n}", model="m1")}) for n in range(40)]
    gateway = ScriptedProvider(name=name, answers=[*answers], looks=[RUNNING])
    for field, value in more.items():
        setattr(gateway, field, value)
    return gateway


def _budget(**bounds: str) -> Sequence[Budget]:
    return [Budget.model_validate(bounds)]


@asynccontextmanager
async def _called(engine: Engine) -> AsyncGenerator[Client]:
    async with connected(engine) as client:
        yield client


async def _call(client: Client, tool: str, **arguments: object) -> Shown:
    return TypeAdapter(Shown).validate_python(document(await client.call_tool(tool, arguments)))


async def _spend(engine: Engine) -> Spend:
    return await engine.spend(principal=LOCAL)


# by the calendar


@pytest.mark.parametrize(("bound", "at"), [("per_day", "2026-11-21T23:59:30"), ("per_month", "2026-11-30T23:59:30")])
async def test_what_is_spent_a_moment_before_midnight_is_of_the_day_and_month_that_end(
    tmp_path: Path, bound: str, at: str
) -> None:
    clock = StandingClock(datetime.fromisoformat(at).replace(tzinfo=UTC))
    async with an_engine(tmp_path, _gate(), prices=PRICES, budgets=_budget(**{bound: "1"}), clock=clock) as engine:
        await engine.generate(a_wish("one", duration_seconds=10))
        with pytest.raises(RequestRefused, match="0 is left") as raised:
            await engine.generate(a_wish("two", duration_seconds=1))
        assert "More comes in 1 min" in str(raised.value.hint)
        clock.put_forward(60)
        await engine.generate(a_wish("two", duration_seconds=10))
        (left,) = await engine.budgets_left(principal=LOCAL)
    assert (left.today, left.this_month) in ((Decimal(0), None), (None, Decimal(0)))


async def test_a_clock_that_is_set_back_and_forth_gives_no_second_budget(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with an_engine(tmp_path, _gate(), prices=PRICES, budgets=_budget(per_day="1"), clock=clock) as engine:
        clock.ahead = timedelta(days=1)
        await engine.generate(a_wish("of tomorrow", duration_seconds=10))
        clock.ahead = timedelta(0)
        # The day that is to come was spent already, and counts as long as it has not come.
        with pytest.raises(RequestRefused):
            await engine.generate(a_wish("of today", duration_seconds=1))
        clock.ahead = timedelta(days=1)
        with pytest.raises(RequestRefused):
            await engine.generate(a_wish("of tomorrow again", duration_seconds=1))


async def test_days_are_those_of_utc_wherever_the_machine_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        clock = StandingClock(datetime(2026, 11, 30, 23, 0, tzinfo=UTC))
        async with an_engine(tmp_path, _gate(), prices=PRICES, clock=clock) as engine:
            await engine.generate(a_wish(duration_seconds=10))
            (row,) = (await _spend(engine)).rows
            assert row.key == "2026-11-30"
            assert (await engine.spend(principal=LOCAL, since=datetime(2026, 12, 1, tzinfo=UTC))).rows == ()
    finally:
        monkeypatch.undo()
        time.tzset()


# by the call


async def test_an_equal_call_neither_reserves_nor_spends_a_second_time(tmp_path: Path) -> None:
    async with an_engine(tmp_path, _gate(), prices=PRICES, budgets=_budget(per_day="1")) as engine:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(engine.generate, a_wish(duration_seconds=10))
        (total,) = (await _spend(engine)).totals
        (row,) = (await _spend(engine)).rows
    assert (total.reserved, total.spent, row.tasks) == (Decimal(1), Decimal(0), 1)


async def test_asking_for_it_anew_is_paid_and_bounded_anew(tmp_path: Path) -> None:
    async with an_engine(tmp_path, _gate(), prices=PRICES, budgets=_budget(per_day="1")) as engine:
        await engine.generate(a_wish(duration_seconds=6))
        with pytest.raises(RequestRefused, match=r"0\.4 is left"):
            await engine.generate(a_wish(duration_seconds=6, force_new=True))


async def test_what_was_allowed_once_is_not_allowed_to_what_repeats_it(tmp_path: Path) -> None:
    gateway = _gate()
    budgets = _budget(confirm_above="0.5")
    async with an_engine(tmp_path, gateway, prices=PRICES, budgets=budgets) as engine, _called(engine) as client:
        first = await _call(client, "generate_video", prompt="a fox", duration_seconds=8, max_cost=0.8)
        again = await _call(client, "generate_video", from_task=first["task_id"], prompt="a vixen")
        assert again["failure"]["reason"] == "confirmation_needed"
        dearer = await _call(client, "generate_video", from_task=first["task_id"], duration_seconds=9, max_cost=0.8)
        assert dearer["failure"]["reason"] == "budget_exceeded"
        agreed = await _call(client, "generate_video", **again["next"]["arguments"])
    assert (agreed["state"], agreed["estimate"]["amount"], len(gateway.plans)) == ("queued", 0.8, 2)


async def test_several_outputs_cost_as_many_times_as_much(tmp_path: Path) -> None:
    prices = {"gate/model-one": Price(per_output={"default": Decimal("0.04")})}
    async with an_engine(tmp_path, _gate(), prices=prices, budgets=_budget(per_task="0.1")) as engine:
        with pytest.raises(RequestRefused, match=r"about 0\.12 USD"):
            await engine.generate(a_wish(kind="image", count=3))
        record = (await engine.generate(a_wish(kind="image", count=2))).record
    assert record.estimate is not None
    assert record.estimate.amount == Decimal("0.08")


async def test_what_is_cancelled_once_it_has_left_stays_reserved(tmp_path: Path) -> None:
    left, gateway = anyio.Event(), _gate(hold=anyio.Event())
    gateway.submitted = left.set
    async with an_engine(tmp_path, gateway, prices=PRICES, budgets=_budget(per_day="1")) as engine:
        record = (await engine.generate(a_wish("one", duration_seconds=10), answer_within_seconds=0)).record
        with anyio.fail_after(10):
            await left.wait()
        await engine.cancel(record.task_id, principal=LOCAL)
        with pytest.raises(RequestRefused, match="0 is left"):
            await engine.generate(a_wish("two", duration_seconds=1))
        (total,) = (await _spend(engine)).totals
    assert (total.spent, total.reserved) == (Decimal(0), Decimal(1))


def test_films_and_the_sandbox_cost_nothing_whatever_a_budget_says(isolated_environment: Path) -> None:
    isolated_environment.mkdir(parents=True, exist_ok=True)
    budget = 'per_day = "0"\nper_task = "0"\nconfirm_above = "0"\nunknown_price = "refuse"\n'
    (isolated_environment / "rushes.toml").write_text(f"[budget]\n{budget}", encoding="utf-8")
    still = rushes("generate", "image", "a fox", "--size", "128x128", "--max-cost", "0", "--json").document
    film = rushes("assemble", f"task:{still['task_id']}#1[1]", "--json").document
    assert (still["state"], film["state"]) == ("succeeded", "succeeded")
    assert rushes("spend", "--json").document == {"rows": [], "totals": []}


async def test_a_cost_above_its_estimate_counts_in_full_against_what_comes(tmp_path: Path) -> None:
    done = SUCCEEDED.model_copy(update={"cost": Cost(amount=Decimal("0.95"))})
    gateway = _gate(looks=[done], downloads=[PNG] * 3)
    async with an_engine(tmp_path, gateway, prices=PRICES, budgets=_budget(per_day="1")) as engine:
        record = (await engine.generate(a_wish("one", kind="image", duration_seconds=5))).record
        with anyio.fail_after(10):
            await at_rest(engine, record)
        with pytest.raises(RequestRefused, match=r"0\.05 is left"):
            await engine.generate(a_wish("two", duration_seconds=1))


async def test_what_one_owner_spends_is_not_anothers(tmp_path: Path) -> None:
    other = Principal("another", admin=False)
    async with an_engine(tmp_path, _gate(), prices=PRICES, budgets=_budget(per_day="1")) as engine:
        await engine.generate(a_wish("one", duration_seconds=10))
        await engine.generate(replace(a_wish("one", duration_seconds=10), principal=other))
        assert len((await engine.spend(principal=other)).rows) == 1
        with pytest.raises(RequestRefused):
            await engine.generate(replace(a_wish("two", duration_seconds=1), principal=other))
        both = await engine.spend(principal=Principal("boss", admin=True), by="user")
    assert {row.key: row.reserved for row in both.rows} == {"local": Decimal(1), "another": Decimal(1)}
