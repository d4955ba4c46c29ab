"""What was agreed to covers what is sent: never more, never in another currency, also where it is sent much later."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from rushes.domain.budget import Budget
from rushes.domain.errors import ConfirmationNeeded, RequestRefused, SubmissionRefused
from rushes.domain.money import Allowance, Price
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.tasks.engine import Engine
from rushes.tasks.money.budgets import Budgets
from rushes.tasks.money.ledger import standing
from rushes.tools import task_of

from ..clocks import StandingClock, SteppedClock
from ..tasks.engines import a_wish, an_engine
from ..tasks.makers import ACCEPTED, RUNNING
from ..tasks.scripted import ScriptedProvider
from ..tasks.test_awaited_inputs import DONE, Gateway, after, begun, ended

pytestmark = pytest.mark.anyio


def _costs(gateway: ScriptedProvider, amount: str) -> None:
    """What the gateway's list says from now on."""
    gateway.facts_changes["price"] = Price(per_request=Decimal(amount))


def _budget(**bounds: str) -> Sequence[Budget]:
    return [Budget.model_validate(bounds)]


async def _waiting(engine: Engine, first: TaskRecord, **asked: object) -> TaskRecord:
    return (await engine.generate(after(first, **asked))).record  # type: ignore[arg-type]


# a request that waits for an input


async def test_one_whose_price_rises_above_what_is_asked_for_is_not_sent_and_says_how_to_agree(tmp_path: Path) -> None:
    gateway = Gateway()
    _costs(gateway, "0.8")
    async with an_engine(tmp_path, gateway, budgets=_budget(confirm_above="1")) as engine:
        second = await _waiting(engine, first := await begun(engine))
        _costs(gateway, "1.2")
        gateway.first_ends = DONE
        done = await ended(engine, second.task_id)
        assert done.failure is not None
        assert (done.failure.reason, done.failure.charged) == ("confirmation_needed", "no")
        assert "about 1.2 USD" in done.failure.message
        assert "Tell the user the price" in done.failure.hint
        assert standing(done).reserved == 0
        shown = task_of(done)
        assert shown.next is not None
        assert (shown.next.tool, shown.next.arguments) == (
            "generate_image",
            {"from_task": second.task_id, "max_cost": 1.2},
        )
        agreed = (await engine.generate(after(first, max_cost="1.2"))).record
        assert (await ended(engine, agreed.task_id)).state == "succeeded"
    assert len(gateway.plans) == 2


async def test_one_that_was_agreed_to_is_sent_at_that_price_and_at_no_higher_one(tmp_path: Path) -> None:
    gateway = Gateway()
    _costs(gateway, "0.8")
    async with an_engine(tmp_path, gateway, budgets=_budget(confirm_above="0.5")) as engine:
        first = (await engine.generate(a_wish("the first", kind="image", max_cost="0.8"))).record
        kept = await _waiting(engine, first, max_cost="0.9")
        dearer = await _waiting(engine, first, prompt="the third", max_cost="0.8")
        assert kept.allowed == Allowance(amount=Decimal("0.9"), currency="USD")
        _costs(gateway, "0.9")
        gateway.first_ends = DONE
        states = {task.task_id: await ended(engine, task.task_id) for task in (kept, dearer)}
    assert states[kept.task_id].state == "succeeded"
    assert standing(states[kept.task_id]).spent == Decimal("0.9")
    why = states[dearer.task_id].failure
    assert why is not None
    assert (why.reason, why.charged) == ("budget_exceeded", "no")
    assert len(gateway.plans) == 2


async def test_one_that_nobody_bounds_is_sent_at_the_price_of_the_day(tmp_path: Path) -> None:
    gateway = Gateway()
    _costs(gateway, "0.8")
    async with an_engine(tmp_path, gateway) as engine:
        second = await _waiting(engine, await begun(engine))
        _costs(gateway, "0.81")
        gateway.first_ends = DONE
        done = await ended(engine, second.task_id)
    assert (done.state, standing(done).spent) == ("succeeded", Decimal("0.81"))


async def test_one_that_the_budget_does_not_leave_is_refused_when_it_comes_and_not_when_it_could_be_sent(
    tmp_path: Path,
) -> None:
    gateway = Gateway()
    _costs(gateway, "0.4")
    async with an_engine(tmp_path, gateway, budgets=_budget(per_day="1")) as engine:
        first = await begun(engine)
        second = await _waiting(engine, first)
        with pytest.raises(RequestRefused) as raised:
            await _waiting(engine, first, prompt="the third")
        assert (raised.value.reason, "0.2 is left" in raised.value.message) == ("budget_exceeded", True)
        gateway.first_ends = DONE
        assert (await ended(engine, second.task_id)).state == "succeeded"
    assert len(gateway.plans) == 2


async def test_one_whose_price_comes_above_what_is_left_is_not_sent(tmp_path: Path) -> None:
    gateway = Gateway()
    _costs(gateway, "0.4")
    async with an_engine(tmp_path, gateway, budgets=_budget(per_day="1")) as engine:
        second = await _waiting(engine, await begun(engine))
        _costs(gateway, "0.7")
        gateway.first_ends = DONE
        done = await ended(engine, second.task_id)
        (left,) = await engine.budgets_left(principal=LOCAL)
    assert done.failure is not None
    assert (done.failure.reason, done.failure.charged, left.today) == ("budget_exceeded", "no", Decimal("0.6"))
    assert len(gateway.plans) == 1


async def test_what_was_allowed_is_known_to_the_process_that_takes_it_over(tmp_path: Path) -> None:
    gateway = Gateway()
    _costs(gateway, "3")
    budgets = _budget(confirm_above="1")
    async with an_engine(tmp_path, gateway, budgets=budgets, clock=SteppedClock()) as engine:
        first = (await engine.generate(a_wish("the first", kind="image", max_cost="3"))).record
        agreed = await _waiting(engine, first, max_cost="3")
    gateway.first_ends = DONE
    async with an_engine(tmp_path, gateway, budgets=budgets) as engine:
        done = await ended(engine, agreed.task_id)
    assert (done.state, len(gateway.plans)) == ("succeeded", 2)


async def test_a_price_that_nobody_tells_any_more_is_that_of_when_the_request_came(tmp_path: Path) -> None:
    gateway = Gateway()
    _costs(gateway, "0.8")
    async with an_engine(tmp_path, gateway) as engine:
        second = await _waiting(engine, await begun(engine), max_cost="1")
        del gateway.facts_changes["price"]
        gateway.first_ends = DONE
        done = await ended(engine, second.task_id)
    assert done.estimate is not None
    assert (done.state, done.estimate.amount) == ("succeeded", Decimal("0.8"))


async def test_a_request_of_yesterday_takes_nothing_of_today(tmp_path: Path) -> None:
    gateway, clock = Gateway(), SteppedClock()
    _costs(gateway, "0.5")
    async with an_engine(tmp_path, gateway, budgets=_budget(per_day="1"), clock=clock) as engine:
        first = await begun(engine)
        second = await _waiting(engine, first)
        clock.ahead = timedelta(days=1)
        for prompt in ("of today", "of today too"):
            await engine.generate(a_wish(prompt, kind="image"))
        gateway.first_ends = DONE
        clock.passed = timedelta(seconds=60)
        done = await ended(engine, second.task_id)
        (left,) = await engine.budgets_left(principal=LOCAL)
    assert (done.state, left.today) == ("succeeded", Decimal(0))


async def test_one_that_the_day_of_its_beginning_does_not_leave_is_told_to_be_made_anew(tmp_path: Path) -> None:
    gateway, clock = Gateway(), SteppedClock()
    _costs(gateway, "0.4")
    async with an_engine(tmp_path, gateway, budgets=_budget(per_day="1"), clock=clock) as engine:
        second = await _waiting(engine, await begun(engine))
        clock.ahead = timedelta(days=1)
        _costs(gateway, "0.7")
        gateway.first_ends = DONE
        clock.passed = timedelta(seconds=60)
        done = await ended(engine, second.task_id)
    assert done.failure is not None
    assert "0.6 is left of the one in which it was begun" in done.failure.message
    assert "Make the call again" in (done.failure.hint or "")
    assert "until" not in done.failure.message


# a request that is held


def _busy(seconds: float = 5) -> SubmissionRefused:
    return SubmissionRefused("rate_limited", "too many", retry_after_seconds=seconds)


@pytest.mark.parametrize(
    ("bounds", "max_cost", "then", "reason"),
    [
        ({"confirm_above": "1"}, None, "1.2", "confirmation_needed"),
        ({"confirm_above": "0.5"}, "0.8", "0.9", "budget_exceeded"),
        ({"per_task": "1"}, None, "1.2", "budget_exceeded"),
        ({"per_day": "1"}, None, "1.2", "budget_exceeded"),
        ({"confirm_above": "1", "per_day": "1"}, None, "0.95", None),
        ({}, None, "5", None),
    ],
)
async def test_one_that_was_held_is_sent_only_at_a_price_that_is_still_right(
    tmp_path: Path, bounds: dict[str, str], max_cost: str | None, then: str, reason: str | None
) -> None:
    gateway = ScriptedProvider(answers=[_busy(), ACCEPTED], looks=[RUNNING])
    _costs(gateway, "0.8")
    budgets, clock = _budget(**bounds) if bounds else (), StandingClock()
    async with an_engine(tmp_path, gateway, budgets=budgets, clock=clock) as engine:
        held = (await engine.generate(a_wish(max_cost=max_cost))).record
        assert held.phase == "held"
        _costs(gateway, then)
        clock.put_forward(10)
        record, journal = held, engine._journal  # pyright: ignore[reportPrivateUsage]
        with anyio.fail_after(20):
            while record.phase in ("held", "submitting"):
                record = await journal.changed(record, seconds=20)
    if reason is None:
        assert record.estimate is not None
        assert (record.job is not None, record.estimate.amount, len(gateway.plans)) == (True, Decimal(then), 2)
        return
    assert record.failure is not None
    assert (record.failure.reason, record.failure.charged, len(gateway.plans)) == (reason, "no", 1)
    assert not record.failure.message.endswith("..")
    assert standing(record).reserved == 0


# several providers, and several currencies


def _gate(name: str, price: str, currency: str = "USD", **more: object) -> ScriptedProvider:
    gateway = ScriptedProvider(name=name, answers=[ACCEPTED], looks=[RUNNING])
    gateway.facts_changes["price"] = Price(per_request=Decimal(price), currency=currency)
    for field, value in more.items():
        setattr(gateway, field, value)
    return gateway


NO_CREDIT = SubmissionRefused("insufficient_credits", "empty")


async def test_a_reroute_goes_to_nobody_who_is_dearer_than_what_was_agreed_to(tmp_path: Path) -> None:
    empty, dear, alike = _gate("empty", "2", answers=[NO_CREDIT]), _gate("dear", "2.01"), _gate("alike", "2")
    async with an_engine(tmp_path, empty, dear, alike, budgets=_budget(confirm_above="1")) as engine:
        record = (await engine.generate(a_wish(max_cost="2"))).record
    assert (record.provider, len(empty.plans), dear.plans, len(alike.plans)) == ("alike", 1, [], 1)


async def test_a_reroute_goes_to_nobody_for_whom_a_person_would_have_to_be_asked(tmp_path: Path) -> None:
    empty, dear = _gate("empty", "0.5", answers=[NO_CREDIT]), _gate("dear", "2")
    async with an_engine(tmp_path, empty, dear, budgets=_budget(confirm_above="1")) as engine:
        record = (await engine.generate(a_wish())).record
    assert record.failure is not None
    assert (record.failure.reason, dear.plans) == ("insufficient_credits", [])


async def test_a_reroute_passes_by_those_whom_the_budget_does_not_leave_enough_for(tmp_path: Path) -> None:
    empty, dear = _gate("empty", "0.5", answers=[NO_CREDIT]), _gate("dear", "2")
    cheap, last = _gate("cheap", "0.9", answers=[NO_CREDIT]), _gate("last", "1")
    async with an_engine(tmp_path, empty, dear, cheap, last, budgets=_budget(per_day="1")) as engine:
        record = (await engine.generate(a_wish())).record
    assert (record.provider, [each.provider for each in record.tried]) == ("last", ["empty", "cheap"])
    assert [len(gateway.plans) for gateway in (empty, dear, cheap, last)] == [1, 0, 1, 1]
    assert standing(record).reserved == 1


async def test_a_person_who_agrees_to_credits_agrees_to_no_dollars(tmp_path: Path) -> None:
    dear, other = _gate("dear", "5"), _gate("credits", "12", "some credits")
    budgets = [
        Budget(confirm_above=Decimal(1), per_task=Decimal(4)),
        Budget(currency="some credits", confirm_above=Decimal(1)),
    ]
    async with an_engine(tmp_path, dear, other, budgets=budgets) as engine:
        with pytest.raises(ConfirmationNeeded) as raised:
            await engine.generate(a_wish())
        needed = raised.value
        assert (needed.estimate.currency, needed.provider) == ("some credits", "credits")
        with pytest.raises(RequestRefused, match="Nothing was sent"):
            await engine.generate(a_wish(max_cost="12"))
        record = (await engine.generate(a_wish(max_cost="12", provider=needed.provider))).record
    assert (record.provider, dear.plans) == ("credits", [])
    assert record.allowed == Allowance(amount=Decimal(12), currency="some credits")


async def test_where_the_one_that_was_agreed_to_refuses_no_other_currency_is_paid_instead(tmp_path: Path) -> None:
    other, dollars = _gate("credits", "12", "some credits", answers=[NO_CREDIT]), _gate("dollars", "5")
    async with an_engine(tmp_path, other, dollars, budgets=_budget(confirm_above="1")) as engine:
        wish = replace(a_wish(max_cost="12"), max_cost_currency="some credits")
        record = (await engine.generate(wish)).record
    assert (record.state, len(other.plans), dollars.plans) == ("failed", 1, [])


async def test_the_price_that_is_asked_for_is_compared_in_one_currency_only(tmp_path: Path) -> None:
    first, second, cheapest = _gate("a", "300", "some credits"), _gate("b", "200", "some credits"), _gate("c", "9")
    budgets = [Budget(confirm_above=Decimal(1)), Budget(currency="some credits", confirm_above=Decimal(1))]
    async with an_engine(tmp_path, first, second, cheapest, budgets=budgets) as engine:
        with pytest.raises(ConfirmationNeeded) as raised:
            await engine.generate(a_wish())
    assert (raised.value.estimate.amount, raised.value.estimate.currency) == (Decimal(200), "some credits")


async def test_what_a_call_allows_is_in_the_currency_of_the_first_with_a_price(tmp_path: Path) -> None:
    """An amount that is meant in credits would buy far too much in dollars."""
    other, dollars = _gate("credits", "30", "some credits"), _gate("dollars", "15")
    async with an_engine(tmp_path, other, dollars) as engine:
        with pytest.raises(RequestRefused) as raised:
            await engine.generate(a_wish(max_cost="20"))
    assert (raised.value.reason, dollars.plans) == ("budget_exceeded", [])


def test_bounds_of_months_and_days_that_are_over_end_with_them() -> None:
    clock = StandingClock(datetime(2026, 12, 1, 0, 5, tzinfo=UTC))
    budgets = Budgets(_budget(per_day="1", per_month="10"), clock)
    late = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    found = [(b.span, b.since, b.until) for b in budgets.bounds_of(budgets.budgets[0], "local", late)]
    assert found == [("a day", "2026-11-30", "2026-11-30"), ("a month", "2026-11-01", "2026-11-31")]
    now = [(b.since, b.until) for b in budgets.bounds_of(budgets.budgets[0], "local")]
    assert now == [("2026-12-01", None), ("2026-12-01", None)]
