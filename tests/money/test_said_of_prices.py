"""What is said of prices is true in each setting, and exact where it is kept."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from rushes.domain.money import Price
from rushes.domain.principal import LOCAL
from rushes.providers.provider import AccountCheck
from rushes.server.commands.task_view import estimate_text
from rushes.tasks.intake.routing import Configured
from rushes.tasks.journal import to_document
from rushes.tasks.money.balances import Balances
from rushes.tools import EstimateShown

from ..agents.test_chosen import gates
from ..cli.command import rushes
from ..clocks import StandingClock
from ..tasks.engines import a_wish, an_engine
from .test_shown import Bank


@pytest.mark.anyio
async def test_what_an_alternative_would_cost_is_kept_to_the_last_digit(tmp_path: Path) -> None:
    price = Price(per_request=Decimal("1234567.123456789"))
    async with an_engine(tmp_path, *gates(), prices={"two/fox-2": price}) as engine:
        made = (await engine.generate(a_wish())).record
        record = await engine.get(made.task_id, principal=LOCAL)
    assert record.chosen is not None
    (other,) = record.chosen.alternatives
    assert other.amount == Decimal("1234567.123456789")
    assert '"amount": "1234567.123456789"' in json.dumps(to_document(record)["chosen"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("", "No budget is set; one could not bound these."),
        ('[budget]\nper_day = "5"', 'They are sent all the same, and no budget bounds them (unknown_price = "allow").'),
        ('[budget]\nunknown_price = "refuse"', 'They are refused as long as that is so (unknown_price = "refuse").'),
    ],
)
def test_doctor_says_what_becomes_of_models_whose_price_nobody_knows(
    isolated_environment: Path, settings: str, said: str
) -> None:
    isolated_environment.mkdir(parents=True, exist_ok=True)
    (isolated_environment / "rushes.toml").write_text(settings, encoding="utf-8")
    checks = rushes("doctor", "--offline", "--json", ROUTEANY_API_KEY="sk-route-any-key").document["checks"]
    (hint,) = [check["hint"] for check in checks if (check["topic"], check["name"]) == ("money", "routeany")]
    assert hint.startswith(said)


@pytest.mark.anyio
async def test_whether_a_key_works_and_what_is_left_are_one_read_of_the_account() -> None:
    clock = StandingClock()
    bank = Bank("gate", AccountCheck(ok=True, message="the key works", balance=Decimal(3), currency="USD"))
    balances = Balances([Configured(bank)], clock)
    for _ in range(2):
        assert (await balances.account(bank)).message == "the key works"
        assert [balance.amount for balance in await balances.known()] == [3]
    assert bank.asked == 1
    clock.put_forward(61)
    await balances.account(bank)
    assert bank.asked == 2


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0.4, "0.4"), (12.0, "12"), (1234567.0, "1234567"), (1234567.25, "1234567.25"), (1e-9, "0.000000001"), (0.0, "0")],
)
def test_an_amount_is_shown_to_a_person_as_it_is_whatever_its_size(amount: float, shown: str) -> None:
    estimate = EstimateShown(amount=amount, currency="yuto credits", basis="configured", n=None)
    assert estimate_text(estimate) == f"{shown} yuto credits (configured)"
