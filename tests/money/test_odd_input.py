"""What a person types of money and is none: an error that says so, exit code 2, and nothing written."""

from pathlib import Path

import anyio
import pytest

from rushes.cache.embedded.store import TaskStore
from rushes.domain.failure import failure
from rushes.domain.record import SCHEMA
from rushes.tasks.journal import to_document
from rushes.tasks.migrations import MIGRATIONS
from rushes.tasks.money.ledger import line_of

from ..cli.command import rushes
from ..tasks.makers import a_record

LOST = a_record(
    task_id="01KABCDEFGHJKMNPQRSTVWXYZ0",
    state="unknown",
    phase="done",
    open=False,
    failure=failure("outcome_unknown", "the answer was lost", charged="unknown"),
)
CREDITS = '[prices."yuto/veo-3.1"]\ncurrency = "Yuto credits"\nper_request = "12"\n'


@pytest.fixture
def home(isolated_environment: Path) -> Path:
    """With one task of which nobody knows whether it was charged."""

    async def write() -> None:
        async with TaskStore.opened(isolated_environment / "cache", schema=SCHEMA, migrations=MIGRATIONS) as store:
            await store.create(to_document(LOST), lines=[line_of(LOST)])

    isolated_environment.mkdir(parents=True, exist_ok=True)
    (isolated_environment / "rushes.toml").write_text(CREDITS, encoding="utf-8")
    anyio.run(write)
    return isolated_environment


def _spent() -> list[tuple[str, str]]:
    totals = rushes("spend", "--json").document["totals"]
    return [(total["currency"], total["spent"]) for total in totals]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("amount", ["", " ", "lots", "NaN", "sNaN", "Infinity", "1e999", "1,50", "$1", "1e-30", "0x10"])
def test_an_amount_that_is_none_settles_nothing(amount: str) -> None:
    run = rushes("settle", LOST.task_id, amount, "--json", code=2)
    assert "is no amount" in run.document["error"]["message"]
    assert rushes("spend", "--json").document == {"rows": [], "totals": [], "unpriced": 1}


@pytest.mark.usefixtures("home")
def test_a_negative_amount_settles_nothing() -> None:
    assert rushes("settle", LOST.task_id, "-1", code=2).err
    assert "is no amount" in rushes("settle", "--", LOST.task_id, "-1", code=2).err
    assert _spent() == []


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("currency", ["", "XYZ", "USD EUR", "US", "usd,eur", "$", "yuto", "x" * 500, "\x1b[31m", "💰"])
def test_a_currency_that_no_provider_takes_settles_nothing(currency: str) -> None:
    run = rushes("settle", LOST.task_id, "1", "--currency", currency, "--json", code=2)
    said = run.document["error"]
    assert "No provider takes" in said["message"]
    assert "known: USD, Yuto credits" in said["message"]
    assert "[prices." in said["hint"]
    assert "\x1b" not in run.err
    assert _spent() == []


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("typed", "meant"), [("usd", "USD"), ("yuto CREDITS", "Yuto credits"), (" usd ", "USD")])
def test_a_currency_is_known_in_whatever_case_it_is_typed(typed: str, meant: str) -> None:
    rushes("settle", LOST.task_id, "1.50", "--currency", typed)
    assert _spent() == [(meant, "1.5")]


@pytest.mark.usefixtures("home")
def test_a_misspelt_currency_is_answered_with_the_one_that_was_meant() -> None:
    assert "did you mean 'USD'?" in rushes("settle", LOST.task_id, "1", "--currency", "UDS", code=2).err


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("since", ["0001-01-01", "1969-12-31", "99999w", "9999-12-31"])
def test_a_time_long_before_or_after_everything_is_a_time(since: str) -> None:
    assert rushes("spend", "--since", since, "--json").document["rows"] == []


@pytest.mark.parametrize("since", ["", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "9e9d", "-7d", "7d 12h"])
def test_a_time_that_is_none_is_said(since: str) -> None:
    said = rushes("spend", f"--since={since}", "--json", code=2).document["error"]
    assert "neither a day nor a time ago" in said["message"]


@pytest.mark.parametrize(
    "table",
    ['per_day = "NaN"', 'per_day = "-1"', 'per_month = "1e999"', 'per_task = "1,50"', 'currency = ""\nper_day = "1"',
     'currency = "USD EUR"\nper_day = "1"', 'confirm_above = true', 'unknown_price = "maybe"', 'per_week = "1"'],
)  # fmt: skip
def test_a_budget_that_is_none_is_a_configuration_error_that_names_it(isolated_environment: Path, table: str) -> None:
    isolated_environment.mkdir(parents=True, exist_ok=True)
    (isolated_environment / "rushes.toml").write_text(f"[budget]\n{table}\n", encoding="utf-8")
    for command in (("spend",), ("settle", LOST.task_id, "1")):
        assert "budget" in rushes(*command, code=2).err


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("typed", ["last", LOST.task_id[:6].lower(), f"task:{LOST.task_id}"])
def test_the_task_is_named_as_in_every_other_command(typed: str) -> None:
    rushes("settle", typed, "2")
    assert _spent() == [("USD", "2")]


def test_an_unknown_task_and_a_row_by_nothing_are_said() -> None:
    assert rushes("settle", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "1", "--currency", "XYZ", code=2).err
    assert "--by" in rushes("spend", "--by", "week", code=2).err
