"""Above `confirm_above` nothing is sent unless a person agreed, whether or not the host can ask them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from mcp import Client
from mcp.client.session import ElicitationFnT
from mcp_types import CallToolResult, ElicitRequestFormParams, ElicitResult, ErrorData
from pydantic import TypeAdapter

from rushes.domain.budget import Budget
from rushes.domain.money import Price
from rushes.domain.principal import LOCAL
from rushes.server.mcp.server import build_server
from rushes.tasks.engine import Engine
from rushes.tools import GENERATE_VIDEO, Asked, ToolContext, already, call_tool

from ..server.clients import ERAS, Document, document
from ..tasks.engines import an_engine
from ..tasks.makers import ACCEPTED, RUNNING
from ..tasks.scripted import ScriptedProvider

pytestmark = pytest.mark.anyio
every_era = pytest.mark.parametrize("era", ERAS)

Action = Literal["accept", "decline", "cancel"]
DEAR = {"prompt": "a red fox", "duration_seconds": 8}
PRICES = {"gate/model-one": Price(per_second={"default": Decimal("0.4")})}
BUDGET = Budget(confirm_above=Decimal(1))


class Person:
    """Who sits before the host: hears each question, and answers it so."""

    def __init__(self, action: Action) -> None:
        self.action: Action = action
        self.heard: list[str] = []

    async def __call__(self, context: Any, params: Any) -> ElicitResult | ErrorData:
        assert isinstance(params, ElicitRequestFormParams)
        self.heard.append(params.message)
        return ElicitResult(action=self.action, content={} if self.action == "accept" else None)


@asynccontextmanager
async def _studio(
    home: Path, gateway: ScriptedProvider, era: str, asks: ElicitationFnT | None
) -> AsyncGenerator[tuple[Engine, Client]]:
    async with an_engine(home, gateway, prices=PRICES, budgets=[BUDGET]) as engine:
        server = build_server(already(engine), local_files=True)
        async with Client(server, mode=era, elicitation_callback=asks) as client:
            yield engine, client


def _gateway() -> ScriptedProvider:
    return ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING])


async def _call(client: Client, **arguments: object) -> tuple[CallToolResult, Document]:
    with anyio.fail_after(10):
        result = await client.call_tool("generate_video", {**DEAR, **arguments})
    assert isinstance(result, CallToolResult)
    return result, document(result)


def _part(shown: Document, name: str) -> Document:
    return TypeAdapter(Document).validate_python(shown[name])


@every_era
async def test_a_person_who_agrees_is_asked_once_with_provider_model_seconds_and_price(
    tmp_path: Path, era: str
) -> None:
    person, gateway = Person("accept"), _gateway()
    async with _studio(tmp_path, gateway, era, person) as (_, client):
        _, shown = await _call(client)
    assert person.heard == [
        "Generate 8 s of video by model-one at gate for about 3.2 USD (as set in rushes.toml)?",
    ]
    assert (shown["state"], len(gateway.plans)) == ("queued", 1)
    assert shown["estimate"] == {"amount": 3.2, "currency": "USD", "basis": "configured"}


@every_era
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_person_who_does_not_agree_is_sent_nothing_for(tmp_path: Path, era: str, action: Action) -> None:
    person, gateway = Person(action), _gateway()
    async with _studio(tmp_path, gateway, era, person) as (_, client):
        result, shown = await _call(client)
    why = _part(shown, "failure")
    assert (shown["state"], why["reason"], why["charged"]) == ("cancelled", "cancelled", "no")
    assert "max_cost: 3.2" in str(why["hint"])
    assert (len(person.heard), gateway.plans, result.is_error) == (1, [], False)


@every_era
async def test_a_host_that_cannot_ask_is_told_the_price_and_the_call_that_agrees_to_it(
    tmp_path: Path, era: str
) -> None:
    gateway = _gateway()
    async with _studio(tmp_path, gateway, era, None) as (_, client):
        result, shown = await _call(client)
        why, step = _part(shown, "failure"), _part(shown, "next")
        assert (result.is_error, shown["state"], gateway.plans) == (True, "failed", [])
        assert (why["reason"], why["charged"]) == ("confirmation_needed", "no")
        assert shown["estimate"] == {"amount": 3.2, "currency": "USD", "basis": "configured"}
        assert (step["tool"], step["arguments"]) == ("generate_video", {**DEAR, "max_cost": 3.2})
        _, agreed = await _call(client, **_part(step, "arguments"))
    assert (agreed["state"], len(gateway.plans)) == ("queued", 1)


@every_era
async def test_what_is_cheap_or_agreed_to_is_not_asked_for(tmp_path: Path, era: str) -> None:
    person, gateway = Person("decline"), _gateway()
    async with _studio(tmp_path, gateway, era, person) as (_, client):
        await _call(client, duration_seconds=2)
        await _call(client, max_cost=3.2, prompt="another")
        _, refused = await _call(client, max_cost=3, prompt="a third")
    why = _part(refused, "failure")
    assert (person.heard, len(gateway.plans), why["reason"]) == ([], 2, "budget_exceeded")
    assert refused["estimate"] == {"amount": 3.2, "currency": "USD", "basis": "configured"}


@every_era
async def test_an_equal_call_while_the_task_runs_is_not_asked_for_again(tmp_path: Path, era: str) -> None:
    person, gateway = Person("accept"), _gateway()
    async with _studio(tmp_path, gateway, era, person) as (_, client):
        _, first = await _call(client)
        _, again = await _call(client)
    assert (again["task_id"], again["deduplicated"], len(person.heard)) == (first["task_id"], True, 1)


@every_era
async def test_a_dry_run_asks_nobody(tmp_path: Path, era: str) -> None:
    person, gateway = Person("decline"), _gateway()
    async with _studio(tmp_path, gateway, era, person) as (_, client):
        _, shown = await _call(client, dry_run=True)
    assert shown["estimate"] == {"amount": 3.2, "currency": "USD", "basis": "configured"}
    assert (person.heard, gateway.plans) == ([], [])


async def test_an_answer_to_another_price_is_asked_for_again(tmp_path: Path) -> None:
    """In the modern era the answer comes with a second call; the price may have moved between the two."""
    gateway = _gateway()
    gateway.facts_changes["price"] = Price(per_second={"default": Decimal("0.4")})
    heard: list[str] = []

    async def dearer(context: Any, params: Any) -> ElicitResult | ErrorData:
        heard.append(params.message)
        gateway.facts_changes["price"] = Price(per_second={"default": Decimal("0.5")})
        return ElicitResult(action="accept", content={}) if len(heard) == 1 else ElicitResult(action="decline")

    async with _studio(tmp_path, gateway, "auto", dearer) as (_, client):
        _, shown = await _call(client)
    assert [text.split(" for about ")[1] for text in heard] == [
        "3.2 USD (as the gateway lists it)?",
        "4 USD (as the gateway lists it)?",
    ]
    assert (shown["state"], gateway.plans) == ("cancelled", [])


async def test_a_large_argument_is_not_repeated_in_the_next_call(tmp_path: Path) -> None:
    async with _studio(tmp_path, _gateway(), "auto", None) as (_, client):
        _, shown = await _call(client, negative_prompt="x" * 5000)
    why = _part(shown, "failure")
    assert "next" not in shown
    assert "make the same call again with max_cost: 3.2" in str(why["hint"])


async def test_a_host_hears_that_the_call_goes_on_while_the_person_thinks(tmp_path: Path) -> None:
    heard: list[tuple[float, str]] = []
    thought_over = anyio.Event()

    async def report(percent: float, message: str) -> None:
        heard.append((percent, message))
        if "person" in message:
            thought_over.set()

    async def ask(question: str) -> Asked:
        del question
        await thought_over.wait()
        return "yes"

    async with an_engine(tmp_path, _gateway(), prices=PRICES, budgets=[BUDGET]) as engine:
        context = ToolContext(
            opened=already(engine), report_progress=report, ask=ask, beat_seconds=0.001, principal=LOCAL
        )
        with anyio.fail_after(10):
            result = await call_tool(GENERATE_VIDEO, context, DEAR)
    assert result.document["state"] == "queued"
    assert "waiting for the person's answer" in {message for _, message in heard}
    values = [percent for percent, _ in heard]
    assert values == sorted(set(values))
