"""What is said of prices is true in each setting, and exact where it is kept."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from rushes.domain.money import Price
from rushes.domain.principal import LOCAL
from rushes.tasks.journal import to_document

from ..agents.test_chosen import gates
from ..cli.command import rushes
from ..tasks.engines import a_wish, an_engine


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
