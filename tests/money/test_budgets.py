"""What would go over a budget is refused before it is sent, with its cost, what is left, and when more comes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from rushes.domain.budget import Budget
from rushes.domain.errors import ConfirmationNeeded, RequestRefused, SubmissionLost, SubmissionRefused
from rushes.domain.job import Cost, Job
from rushes.domain.model_facts import ModelFacts
from rushes.domain.money import Price
from rushes.domain.principal import LOCAL
from rushes.providers.provider import Traits
from rushes.tasks.engine import Engine
from rushes.tasks.money.budgets import next_span

from ..clocks import SteppedClock
from ..tasks.engines import QUICK, a_wish, an_engine, at_rest
from ..tasks.makers import ACCEPTED, FAILED, RUNNING, SUCCEEDED
from ..tasks.scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

PRICES = {"gate/model-one": Price(per_second={"default": Decimal("0.1")})}


def _gate(name: str = "gate", **changes: object) -> ScriptedProvider:
    gateway = ScriptedProvider(name=name, looks=[RUNNING])
    gateway.answers = [ACCEPTED.model_copy(update={"job": Job(job_id=f"job-{n}", model="m1")}) for n in range(200)]
    for field, value in changes.items():
        setattr(gateway, field, value)
    return gateway


def _budget(**bounds: str) -> Sequence[Budget]:
    return [Budget.model_validate(bounds)]


async def _refusal(engine: Engine, **asked: object) -> RequestRefused:
    with pytest.raises(RequestRefused) as raised:
        await engine.generate(a_wish(**asked))  # type: ignore[arg-type]
    return raised.value


async def test_a_task_that_costs_too_much_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    gateway = _gate()
    async with an_engine(tmp_path, gateway, prices=PRICES, budgets=_budget(per_task="0.5")) as engine:
        why = await _refusal(engine, duration_seconds=8)
        assert (why.reason, why.charged) == ("budget_exceeded", "no")
        assert "about 0.8 USD (configured), and the budget allows 0.5 USD a task. Nothing was sent." in why.message
        assert gateway.plans == []
        assert (await engine.list_tasks(principal=LOCAL)).records == ()
        await engine.generate(a_wish(duration_seconds=5))
    assert len(gateway.plans) == 1


@pytest.mark.parametrize("span", ["per_day", "per_month"])
async def test_what_is_used_up_says_what_is_left_and_when_more_comes(tmp_path: Path, span: str) -> None:
    gateway = _gate()
    async with an_engine(tmp_path, gateway, prices=PRICES, budgets=_budget(**{span: "1"})) as engine:
        await engine.generate(a_wish("one", duration_seconds=6))
        why = await _refusal(engine, prompt="two", duration_seconds=5)
        assert "of 1 USD" in why.message
        assert "0.6 are spent or reserved: 0.4 is left until" in why.message
        assert why.hint is not None
        assert "More comes in" in why.hint
        await engine.generate(a_wish("three", duration_seconds=4))
    assert len(gateway.plans) == 2


async def test_a_refusal_of_the_gateway_frees_what_was_reserved_and_a_lost_answer_keeps_it(tmp_path: Path) -> None:
    gateway = _gate(answers=[SubmissionRefused("invalid_input", "no"), SubmissionLost("cut off"), ACCEPTED])
    async with an_engine(tmp_path, gateway, prices=PRICES, budgets=_budget(per_day="1")) as engine:
        await engine.generate(a_wish("refused", duration_seconds=8))
        lost = (await engine.generate(a_wish("lost", duration_seconds=8))).record
        assert lost.state == "unknown"
        why = await _refusal(engine, prompt="third", duration_seconds=8)
        assert "0.2 is left" in why.message
        await engine.settle(lost.task_id, Decimal(0), None, principal=LOCAL)
        assert (await engine.generate(a_wish("third", duration_seconds=8))).record.job is not None


async def test_a_failure_that_cost_nothing_gives_its_money_back(tmp_path: Path) -> None:
    gateway = _gate(looks=[FAILED])
    async with an_engine(tmp_path, gateway, prices=PRICES, budgets=_budget(per_day="1")) as engine:
        for n in range(3):
            record = (await engine.generate(a_wish(f"fox {n}", duration_seconds=8))).record
            with anyio.fail_after(5):
                await engine.wait(record.task_id, seconds=5, principal=LOCAL)
    assert len(gateway.plans) == 3


async def test_an_equal_call_is_answered_with_its_task_though_nothing_is_left(tmp_path: Path) -> None:
    async with an_engine(tmp_path, _gate(), prices=PRICES, budgets=_budget(per_day="1", confirm_above="0.9")) as engine:
        first = await engine.generate(a_wish(duration_seconds=10, max_cost="1"))
        again = await engine.generate(a_wish(duration_seconds=10))
    assert (again.record.task_id, again.deduplicated) == (first.record.task_id, True)


async def test_an_unknown_price_is_allowed_or_refused_as_the_budget_says(tmp_path: Path) -> None:
    gateway = _gate()
    async with an_engine(tmp_path / "a", gateway, budgets=_budget(per_day="1")) as engine:
        await engine.generate(a_wish())
    async with an_engine(tmp_path / "b", gateway, budgets=_budget(unknown_price="refuse")) as engine:
        why = await _refusal(engine)
        assert (why.reason, len(gateway.plans)) == ("budget_exceeded", 1)
        assert "Nobody knows what gate/model-one costs" in why.message
        assert why.hint is not None
        assert '[prices."gate/model-one"]' in why.hint


@pytest.mark.parametrize("asked", [{}, {"max_cost": Decimal(1)}])
async def test_a_call_without_a_duration_is_told_that_its_price_goes_by_the_second(
    tmp_path: Path, asked: dict[str, object]
) -> None:
    gateway = _gate()
    async with an_engine(tmp_path, gateway, prices=PRICES, budgets=_budget(unknown_price="refuse")) as engine:
        refused = await _refusal(engine, **asked)
        assert "costs by the second, and nothing says how many" in refused.message
        assert "again with duration_seconds" in str(refused.hint)
        await engine.generate(a_wish(duration_seconds=5, **asked))  # type: ignore[arg-type]
    assert len(gateway.plans) == 1


async def test_what_is_free_is_never_refused_for_its_price(tmp_path: Path) -> None:
    free = _gate(traits=Traits(free=True), name="toy")
    async with an_engine(tmp_path, free, budgets=_budget(per_day="0", unknown_price="refuse")) as engine:
        await engine.generate(a_wish(provider="toy", max_cost="0"))
    assert len(free.plans) == 1


async def test_currencies_are_bounded_apart(tmp_path: Path) -> None:
    prices = {**PRICES, "other/m1": Price(currency="other credits", per_output={"default": Decimal(12)})}
    budgets = [Budget(per_day=Decimal(1)), Budget(currency="other credits", per_day=Decimal(20))]
    async with an_engine(tmp_path, _gate(), _gate("other"), prices=prices, budgets=budgets) as engine:
        await engine.generate(a_wish("one", provider="other"))
        await engine.generate(a_wish("two", provider="gate", duration_seconds=10))
        why = await _refusal(engine, prompt="three", provider="other")
    assert "8 is left" in why.message


# what a call allows


async def test_max_cost_bounds_one_call(tmp_path: Path) -> None:
    gateway = _gate()
    async with an_engine(tmp_path, gateway, prices=PRICES) as engine:
        why = await _refusal(engine, duration_seconds=8, max_cost="0.5")
        assert (why.reason, gateway.plans) == ("budget_exceeded", [])
        assert "max_cost allows 0.5 USD" in why.message
        await engine.generate(a_wish(duration_seconds=8, max_cost="0.8"))
    assert len(gateway.plans) == 1


async def test_max_cost_cannot_be_kept_where_nobody_knows_the_price(tmp_path: Path) -> None:
    gateway = _gate()
    async with an_engine(tmp_path, gateway) as engine:
        why = await _refusal(engine, max_cost="5")
        assert (why.reason, gateway.plans) == ("budget_exceeded", [])
        assert why.hint is not None
        assert "Leave max_cost out" in why.hint


async def test_a_dearer_provider_is_left_out_and_the_next_is_taken(tmp_path: Path) -> None:
    dear, cheap = _gate("dear"), _gate("cheap")
    prices = {f"{name}/m1": Price(per_request=Decimal(cost)) for name, cost in (("dear", "3"), ("cheap", "0.2"))}
    async with an_engine(tmp_path, dear, cheap, prices=prices) as engine:
        record = (await engine.generate(a_wish(max_cost="1"))).record
    assert (record.provider, dear.plans) == ("cheap", [])
    assert any("dear/model-one would cost about 3 USD" in warning for warning in record.warnings)


async def test_a_reroute_never_goes_over_what_is_left(tmp_path: Path) -> None:
    full = _gate("full", answers=[SubmissionRefused("insufficient_credits", "empty")])
    dear = _gate("dear")
    prices = {f"{name}/m1": Price(per_request=Decimal(cost)) for name, cost in (("full", "0.5"), ("dear", "3"))}
    async with an_engine(tmp_path, full, dear, prices=prices, budgets=_budget(per_day="1")) as engine:
        record = (await engine.generate(a_wish())).record
    assert dear.plans == []
    assert record.failure is not None
    assert (record.state, record.failure.reason, record.failure.charged) == ("failed", "budget_exceeded", "no")


# consent


async def test_above_a_price_a_person_has_to_agree(tmp_path: Path) -> None:
    gateway = _gate()
    async with an_engine(tmp_path, gateway, prices=PRICES, budgets=_budget(confirm_above="0.5")) as engine:
        with pytest.raises(ConfirmationNeeded) as raised:
            await engine.generate(a_wish(duration_seconds=8))
        needed = raised.value
        assert (needed.reason, needed.estimate.amount, gateway.plans) == ("confirmation_needed", Decimal("0.8"), [])
        assert needed.what == "8 s of video by model-one at gate"
        await engine.generate(a_wish(duration_seconds=8, max_cost="0.8"))
        await engine.generate(a_wish("cheap", duration_seconds=5))
    assert len(gateway.plans) == 2


async def test_of_several_providers_the_one_that_needs_no_consent_is_taken(tmp_path: Path) -> None:
    dear, cheap = _gate("dear"), _gate("cheap")
    prices = {f"{name}/m1": Price(per_request=Decimal(cost)) for name, cost in (("dear", "3"), ("cheap", "0.2"))}
    async with an_engine(tmp_path, dear, cheap, prices=prices, budgets=_budget(confirm_above="1")) as engine:
        assert (await engine.generate(a_wish())).record.provider == "cheap"


async def test_nobody_is_asked_to_agree_to_what_the_budget_does_not_leave(tmp_path: Path) -> None:
    bounds = _budget(per_day="1", confirm_above="0.5")
    async with an_engine(tmp_path, _gate(), prices=PRICES, budgets=bounds) as engine:
        await engine.generate(a_wish("one", duration_seconds=4))
        assert (await _refusal(engine, prompt="two", duration_seconds=6)).reason == "confirmation_needed"
        over = await _refusal(engine, prompt="two", duration_seconds=7)
        dry = await engine.preview(a_wish("two", duration_seconds=7))
    assert over.reason == "budget_exceeded"
    assert "0.6 is left until" in over.message
    assert over.message in dry.warnings
    assert not any("a person is asked" in warning for warning in dry.warnings)


async def test_a_dry_run_tells_the_price_and_that_it_would_be_refused(tmp_path: Path) -> None:
    gateway = _gate()
    async with an_engine(tmp_path, gateway, prices=PRICES, budgets=_budget(per_task="0.5")) as engine:
        preview = await engine.preview(a_wish(duration_seconds=8))
    assert preview.estimate is not None
    assert preview.estimate.amount == Decimal("0.8")
    assert any("the budget allows 0.5 USD a task" in warning for warning in preview.warnings)
    assert gateway.plans == []


async def test_a_dry_run_tells_that_the_budget_of_the_day_does_not_leave_so_much(tmp_path: Path) -> None:
    async with an_engine(tmp_path, _gate(), prices=PRICES, budgets=_budget(per_day="1")) as engine:
        await engine.generate(a_wish("one", duration_seconds=6))
        fits = await engine.preview(a_wish("two", duration_seconds=4))
        over = await engine.preview(a_wish("two", duration_seconds=5))
    said = "gate/model-one would cost about 0.5 USD (configured), and of 1 USD a day 0.6 are spent or reserved: 0.4 is"
    assert [said in warning for warning in over.warnings].count(True) == 1
    assert not any("a day" in warning for warning in fits.warnings)


async def test_the_gateways_list_is_read_before_the_first_call_so_that_its_price_is_reserved(tmp_path: Path) -> None:
    price = Price(per_second={"default": Decimal("0.4")})
    live = (ModelFacts(id="live-1", name="live-1", kind="video", source="a list", certainty="live", price=price),)
    gateway = _gate(live=live)
    gateway.answers = [SubmissionLost("the connection broke"), *gateway.answers]
    async with an_engine(tmp_path, gateway) as engine:
        lost = (await engine.generate(a_wish(model="live-1", duration_seconds=5))).record
        assert (lost.state, (await engine.spend(principal=LOCAL)).totals[0].reserved) == ("unknown", Decimal(2))
        await engine.generate(a_wish("another", model="live-1", duration_seconds=5))
        assert gateway.refreshes == 1
        preview = await engine.preview(a_wish(model="live-1", duration_seconds=5))
    assert preview.estimate is not None
    assert (preview.estimate.amount, preview.estimate.basis) == (Decimal(2), "listed")


def test_days_and_months_end_at_midnight_in_utc() -> None:
    late = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert next_span("a day", late) == next_span("a month", late) == datetime(2027, 1, 1, tzinfo=UTC)


async def test_a_new_day_has_its_own_budget(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with an_engine(tmp_path, _gate(), prices=PRICES, budgets=_budget(per_day="1"), clock=clock) as engine:
        await engine.generate(a_wish("one", duration_seconds=10))
        await _refusal(engine, prompt="two", duration_seconds=1)
        clock.ahead = timedelta(days=1)
        await engine.generate(a_wish("two", duration_seconds=1))


async def test_calls_that_come_at_once_before_the_prices_are_read_are_all_bounded(tmp_path: Path) -> None:
    """Those of a process that has just begun: each knows what the earlier process has learned."""
    told = SUCCEEDED.model_copy(update={"cost": Cost(amount=Decimal("0.8"))})
    async with an_engine(tmp_path, _gate(looks=[told]), limits=replace(QUICK, keep_outputs=False)) as engine:
        paid = await engine.generate(a_wish("the first"))
        with anyio.fail_after(20):
            await at_rest(engine, paid.record)
    gateway = _gate()
    refused: list[str] = []

    async def call(number: int) -> None:
        refused.append((await _refusal(engine, prompt=f"call {number}")).reason)

    budgets = _budget(per_task="0.5")
    async with an_engine(tmp_path, gateway, budgets=budgets) as engine, anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(call, number)
    assert refused == ["budget_exceeded"] * 5
    assert gateway.plans == []
