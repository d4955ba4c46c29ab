"""A price by the second where the call does not say how many, or says it in the gateway's own words: it is estimated
for what is made then, else for the longest, and where nothing can be said the price is unknown, and said to be."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import JsonValue, SecretStr

from rushes.domain.budget import Budget
from rushes.domain.errors import ConfirmationNeeded, RequestRefused
from rushes.domain.money import Price, Quote
from rushes.domain.principal import LOCAL
from rushes.domain.request import GenerationRequest
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.fact_files import find_model, load_facts
from rushes.providers.provider import Provider, ProviderSettings
from rushes.providers.registry import format_class
from rushes.tasks.engine import Engine
from rushes.tasks.intake.routing import Configured

from ..tasks.engines import a_wish, an_engine
from ..tasks.makers import ACCEPTED, RUNNING
from ..tasks.scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

TENTH = Price(per_second={"default": Decimal("0.1")})
LISTED = {"price": TENTH}


def _gate(**facts: object) -> ScriptedProvider:
    gateway = ScriptedProvider(answers=[ACCEPTED] * 9, looks=[RUNNING])
    gateway.facts_changes.update({**LISTED, **facts})
    return gateway


async def _refusal(engine: Engine, **asked: object) -> RequestRefused:
    with pytest.raises(RequestRefused) as raised:
        await engine.generate(a_wish(**asked))  # type: ignore[arg-type]
    return raised.value


@pytest.mark.parametrize(
    ("facts", "amount", "said"),
    [
        ({"duration_seconds_default": 8.0}, "0.8", "for 8 s (what it makes without duration_seconds)"),
        ({"durations_seconds": (5.0, 10.0)}, "1", "for 10 s (the longest that it makes)"),
        ({"duration_seconds_min": 3.0, "duration_seconds_max": 15.0}, "1.5", "for 15 s (the longest that it makes)"),
    ],
)
async def test_without_seconds_the_budget_of_a_task_holds_against_what_is_made_then_or_the_longest(
    tmp_path: Path, facts: dict[str, object], amount: str, said: str
) -> None:
    gateway = _gate(**facts)
    async with an_engine(tmp_path / "a", gateway, budgets=[Budget(per_task=Decimal("0.7"))]) as engine:
        why = await _refusal(engine)
        assert f"would cost about {amount} USD (listed) {said}, and the budget allows 0.7 USD a task" in why.message
    assert gateway.plans == []
    async with an_engine(tmp_path / "b", gateway, budgets=[Budget(confirm_above=Decimal("0.7"))]) as engine:
        asked = await _refusal(engine)
        assert isinstance(asked, ConfirmationNeeded)
        assert asked.what.startswith(("8 s of video", "at most 10 s of video", "at most 15 s of video"))
        record = (await engine.generate(a_wish(max_cost="2"))).record
    assert record.estimate is not None
    assert record.estimate.amount == Decimal(amount)
    assert record.warnings == (f"No duration_seconds is given: the estimate is {said}.",)


async def test_the_only_duration_and_one_that_is_given_need_no_word(tmp_path: Path) -> None:
    gateway = _gate(durations_seconds=(4.0, 8.0))
    async with an_engine(tmp_path, gateway, budgets=[Budget(per_task=Decimal("0.9"))]) as engine:
        record = (await engine.generate(a_wish(duration_seconds=4))).record
    assert record.warnings == ()


async def test_where_nothing_can_be_said_the_price_is_unknown_and_no_budget_is_said_to_bound_it(tmp_path: Path) -> None:
    gateway = _gate()
    async with an_engine(tmp_path, gateway, budgets=[Budget(per_task=Decimal("0.7"))]) as engine:
        record = (await engine.generate(a_wish())).record
        dry = await engine.preview(a_wish("another"))
    said = "gate/model-one costs by the second, and nothing says how many, so no budget bounds it."
    assert record.estimate is None
    assert record.warnings == (said,)
    assert dry.warnings == (said,)


async def test_a_price_that_nobody_knows_is_said_to_be_unbounded_only_where_there_is_a_budget(tmp_path: Path) -> None:
    gateway = _gate(price=None)
    async with an_engine(tmp_path / "a", gateway, budgets=[Budget(per_day=Decimal(1))]) as engine:
        record = (await engine.generate(a_wish())).record
    assert record.warnings == ("Nobody knows what gate/model-one costs, so no budget bounds it.",)
    async with an_engine(tmp_path / "b", gateway) as engine:
        assert (await engine.generate(a_wish())).record.warnings == ()


async def test_what_was_made_without_seconds_teaches_no_price_by_the_second(tmp_path: Path) -> None:
    """The longest is what a budget has to hold against, and not what was measured."""
    gateway = _gate(durations_seconds=(5.0, 10.0))
    async with an_engine(tmp_path, gateway) as engine:
        record = (await engine.generate(a_wish())).record
        assert (await engine.get(record.task_id, principal=LOCAL)).measure is not None
    assert record.measure is not None
    assert record.measure.seconds is None


# the gateway's own words


def _provider(name: str) -> Provider:
    settings = ProviderSettings(name=name, wire=name, base_url="http://127.0.0.1:9", api_key=SecretStr("sk-none"))
    return HttpProvider(settings, format_class(name)(settings), load_facts(name))


async def _quote(home: Path, name: str, model: str, price: Price, **asked: object) -> Quote:
    provider = _provider(name)
    row = find_model(provider.models(), model)
    assert row is not None
    facts = row.model_copy(update={"price": price})
    request = GenerationRequest.model_validate({"kind": row.kind, "prompt": "a fox", "model": model, **asked})
    async with an_engine(home, Configured(provider)) as engine:
        return engine.prices.quote(facts, request, provider.plan(request, facts))


@pytest.mark.parametrize(
    ("gateway", "model", "options", "amount"),
    [
        # 5 s are sent where nothing is asked for.
        ("shuyou", "seedance-2.0", {}, "0.5"),
        ("shuyou", "seedance-2.0", {"duration": 15}, "1.5"),
        ("shuyou", "seedance-2.0", {"input": {"duration": 15}}, "1.5"),
        ("shuyou", "seedance-2.0", {"duration": "12"}, "1.2"),
        ("shuyou", "seedance-2.0", {"duration": "as long as it takes"}, None),
        ("shuyou", "gen-4.5", {}, "1"),
        ("shuyou", "sora-2", {}, "0.4"),
        ("llmgateway", "veo-3.1", {}, "0.8"),
        ("llmgateway", "veo-3.1", {"seconds": 10}, "1"),
        ("routeany", "veo-3.1", {"duration": 5}, "0.5"),
        ("routeany", "veo-3.1", {}, "0.8"),
    ],
)
async def test_seconds_in_the_gateways_own_field_are_those_that_are_paid_for(
    tmp_path: Path, gateway: str, model: str, options: dict[str, JsonValue], amount: str | None
) -> None:
    quote = await _quote(tmp_path, gateway, model, TENTH, provider_options=options)
    assert (None if quote.estimate is None else quote.estimate.amount) == (None if amount is None else Decimal(amount))
    assert quote.lacks_seconds == (amount is None)


@pytest.mark.parametrize(
    ("gateway", "model", "options", "amount"),
    [
        ("shuyou", "veo-3.1", {"resolution": "4K"}, "4"),
        ("shuyou", "veo-3.1", {"generate_audio": False}, "0.4"),
        ("llmgateway", "veo-3.1", {"size": "3840x2160"}, "4"),
        ("llmgateway", "veo-3.1", {"audio": False}, "0.4"),
    ],
)
async def test_so_are_resolution_and_sound(
    tmp_path: Path, gateway: str, model: str, options: dict[str, JsonValue], amount: str
) -> None:
    rates = {"default_audio": "0.2", "default_video": "0.1", "4k": "1"}
    price = Price.model_validate({"per_second": rates})
    quote = await _quote(tmp_path, gateway, model, price, duration_seconds=4, provider_options=options)
    assert quote.estimate is not None
    assert quote.estimate.amount == Decimal(amount)


async def test_a_resolution_that_the_gateways_own_field_leaves_open_is_none_that_has_a_name(tmp_path: Path) -> None:
    asked: dict[str, JsonValue] = {"provider_options": {"resolution": None}}
    quote = await _quote(tmp_path, "shuyou", "veo-3.1", TENTH, duration_seconds=4, **asked)
    assert quote.measure is not None
    assert quote.measure.resolution == ""


async def test_so_is_the_number_of_images(tmp_path: Path) -> None:
    price = Price(per_output={"default": Decimal("0.04")})
    given: Sequence[tuple[str, dict[str, JsonValue], str]] = (
        ("llmgateway", {}, "0.04"),
        ("llmgateway", {"n": 4}, "0.16"),
        ("shuyou", {"num_images": 3}, "0.12"),
        ("shuyou", {"num_images": 3, "n": 4}, "0.16"),
    )
    for gateway, options, amount in given:
        quote = await _quote(tmp_path, gateway, "gpt-image-2", price, provider_options=options)
        assert quote.estimate is not None
        assert quote.estimate.amount == Decimal(amount)
