"""What a generation costs is shown wherever one chooses or waits: amount, currency, and where it is known from."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from pydantic import TypeAdapter

from rushes.domain.errors import GatewayUnavailable
from rushes.domain.job import Cost, Job, Observation
from rushes.domain.money import Estimate, Price, UnitPrice
from rushes.domain.principal import LOCAL
from rushes.providers.provider import AccountCheck, Traits
from rushes.server.commands.models_command import price_text
from rushes.tasks.engine import Engine

from ..clocks import StandingClock
from ..server.clients import connected, document
from ..tasks.engines import QUICK, a_wish, an_engine, at_rest
from ..tasks.makers import ACCEPTED, RUNNING, SUCCEEDED
from ..tasks.scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

LISTED = Price(per_second={"default": Decimal("0.4")})
CONFIGURED = {"set/model-two": Price(currency="set credits", per_request=Decimal(12))}


class Bank(ScriptedProvider):
    """Says what is left, or fails to."""

    def __init__(self, name: str = "gate", *told: AccountCheck | Exception, **more: Any) -> None:
        super().__init__(name=name, answers=[ACCEPTED], looks=[RUNNING], **more)
        self.told = list(told)
        self.asked = 0

    async def check_account(self) -> AccountCheck:
        self.asked += 1
        await anyio.lowlevel.checkpoint()
        told = self.told[min(self.asked, len(self.told)) - 1]
        if isinstance(told, Exception):
            raise told
        return told


def _left(amount: str, currency: str = "USD") -> AccountCheck:
    return AccountCheck(ok=True, message="fine", balance=Decimal(amount), currency=currency)


Shown = dict[str, Any]


async def _called(client: Client, tool: str, **arguments: object) -> Shown:
    return TypeAdapter(Shown).validate_python(document(await client.call_tool(tool, arguments)))


async def _balances(client: Client) -> object:
    return (await _called(client, "list_models", kind="video")).get("balances")


# balances


async def test_a_balance_is_asked_for_once_a_minute_and_anew_after_it(tmp_path: Path) -> None:
    clock, bank = StandingClock(), Bank("gate", _left("12.50"), _left("9.75"))
    async with an_engine(tmp_path, bank, clock=clock) as engine, connected(engine) as client:
        for seconds, amount, asked in ((0, 12.5, 1), (30, 12.5, 1), (29, 12.5, 1), (2, 9.75, 2), (58, 9.75, 2)):
            clock.put_forward(seconds)
            assert await _balances(client) == [{"provider": "gate", "amount": amount, "currency": "USD"}]
            assert bank.asked == asked


@pytest.mark.parametrize(
    "fault",
    [
        GatewayUnavailable("provider_error", "503"),
        AccountCheck(ok=False, message="the key is wrong", balance=Decimal(1)),
    ],
)
async def test_a_read_that_failed_is_tried_again_soon(tmp_path: Path, fault: AccountCheck | Exception) -> None:
    clock, bank = StandingClock(), Bank("gate", fault, _left("3"))
    async with an_engine(tmp_path, bank, clock=clock) as engine:
        assert await engine.balances() == []
        clock.put_forward(5)
        assert (await engine.balances(), bank.asked) == ([], 1)
        clock.put_forward(6)
        assert [balance.amount for balance in await engine.balances()] == [Decimal(3)]
        clock.put_forward(59)
        await engine.balances()
    assert bank.asked == 2


async def test_a_balance_that_is_no_longer_told_is_no_longer_shown(tmp_path: Path) -> None:
    clock, bank = StandingClock(), Bank("gate", _left("3"), GatewayUnavailable("timeout", "slow"))
    async with an_engine(tmp_path, bank, clock=clock) as engine:
        await engine.balances()
        clock.put_forward(61)
        assert await engine.balances() == []


async def test_calls_at_once_ask_each_gateway_once_and_keep_currencies_apart(tmp_path: Path) -> None:
    dollars, credits_ = Bank("a", _left("3")), Bank("b", _left("40", "b credits"))
    silent, free = Bank("c", AccountCheck(ok=True, message="fine")), Bank("toy", _left("1"), traits=Traits(free=True))
    async with an_engine(tmp_path, dollars, credits_, silent, free) as engine:
        found: list[list[tuple[str, str]]] = []

        async def ask() -> None:
            found.append([(balance.provider, balance.currency) for balance in await engine.balances()])

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(ask)
    assert found == [[("a", "USD"), ("b", "b credits")]] * 5
    assert [bank.asked for bank in (dollars, credits_, silent, free)] == [1, 1, 1, 0]


# prices


@asynccontextmanager
async def _three(home: Path) -> AsyncGenerator[Engine]:
    """Gateways of which one lists its price, one has one that was set, and one has told what jobs have cost."""
    done = SUCCEEDED.model_copy(update={"cost": Cost(amount=Decimal("0.5"))})
    told = ScriptedProvider(name="told", model_id="m3", model_name="model-three")
    told.answers = [ACCEPTED.model_copy(update={"job": Job(job_id=f"job-{n}", model="m3")}) for n in range(9)]
    told.looks = [done]
    async with an_engine(home, told, limits=replace(QUICK, keep_outputs=False)) as engine:
        for number in range(3):
            wish = a_wish(f"fox {number}", duration_seconds=5)
            with anyio.fail_after(20):
                await at_rest(engine, (await engine.generate(wish)).record)
    listed = ScriptedProvider(name="listed", answers=[ACCEPTED], looks=[RUNNING], facts_changes={"price": LISTED})
    configured = ScriptedProvider(name="set", model_id="m2", model_name="model-two", looks=[RUNNING])
    async with an_engine(home, listed, configured, told, prices=CONFIGURED) as engine:
        yield engine


def _shown(estimate: Shown) -> tuple[object, ...]:
    return tuple(estimate.get(name) for name in ("amount", "currency", "basis", "n"))


EACH = {
    "listed": (2.0, "USD", "listed", None),
    "set": (12.0, "set credits", "configured", None),
    "told": (0.5, "USD", "learned", 3),
}
CALL: Shown = {"prompt": "a fox", "duration_seconds": 5}


async def test_each_basis_is_shown_before_and_after_a_call(tmp_path: Path) -> None:
    async with _three(tmp_path) as engine, connected(engine) as client:
        for provider, estimate in EACH.items():
            shown = await _called(client, "generate_video", **CALL, provider=provider, dry_run=True)
            assert (provider, _shown(shown["estimate"])) == (provider, estimate)
        task = await _called(client, "generate_video", **CALL, provider="listed")
        again = await _called(client, "check_task", task_id=task["task_id"])
    assert _shown(task["estimate"]) == _shown(again["estimate"]) == EACH["listed"]


async def test_a_choice_tells_what_else_would_cost_and_from_where_that_is_known(tmp_path: Path) -> None:
    async with _three(tmp_path) as engine, connected(engine) as client:
        for dry_run in (True, False):
            chosen: Shown = (await _called(client, "generate_video", **CALL, dry_run=dry_run))["chosen"]
            others = {each["provider"]: _shown(each["price"]) for each in chosen["alternatives"]}
            assert others == {name: EACH[name] for name in ("set", "told")}


async def test_models_are_listed_with_their_prices(tmp_path: Path) -> None:
    async with _three(tmp_path) as engine, connected(engine) as client:
        models: list[Shown] = (await _called(client, "list_models", kind="video"))["models"]
        fits = await _called(client, "list_models", kind="video", fits={"duration_seconds": 5})
    prices = {offer["provider"]: offer["price"] for model in models for offer in model["providers"]}
    assert prices == {
        "listed": {"amount": 0.4, "currency": "USD", "per": "second", "basis": "listed"},
        "set": {"amount": 12.0, "currency": "set credits", "per": "request", "basis": "configured"},
        "told": {"amount": 0.1, "currency": "USD", "per": "second", "basis": "learned", "n": 3},
    }
    assert {price_text(model) for model in models} == {
        "0.4 USD/second (listed)",
        "12 set credits/request (configured)",
        "0.1 USD/second (learned, n=3)",
    }
    assert {row["provider"]: _shown(row["estimate"]) for row in fits["models"]} == EACH


async def test_what_a_task_cost_stands_in_its_row_and_its_estimate_in_its_answer(tmp_path: Path) -> None:
    async with _three(tmp_path) as engine, connected(engine) as client:
        rows: list[Shown] = (await _called(client, "list_tasks"))["tasks"]
        assert {(row["cost"]["amount"], row["cost"]["currency"]) for row in rows} == {(0.5, "USD")}
        # The first had no price to go by, and the others what the first ones had cost.
        records = [await engine.get(row["task_id"], principal=LOCAL) for row in reversed(rows)]
    assert records[0].estimate is None


def test_a_price_is_exact_whatever_it_is_made_of() -> None:
    assert Estimate(amount=Decimal("0.1") * 3, currency="usd", basis="listed").spoken == "0.3 USD (listed)"
    assert UnitPrice(Decimal("0.1"), "second", "USD", "listed").n is None
    assert Observation(state="succeeded", cost=Cost.model_validate({"amount": 0.1})).cost == Cost(amount=Decimal("0.1"))
