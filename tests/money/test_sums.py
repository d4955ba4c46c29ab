"""What budgets go by is added up by account and day as the ledger's lines are written, and is never another amount."""

import random
import sqlite3
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from rushes.cache.embedded.store import Document, TaskStore
from rushes.domain.document import Line
from rushes.domain.errors import OverBudget
from rushes.domain.money import Bound, Estimate, account_of, amount_from
from rushes.domain.record import SCHEMA, TaskRecord
from rushes.tasks.journal import to_document
from rushes.tasks.migrations import MIGRATIONS
from rushes.tasks.money.ledger import BOOK, line_of

from ..altered import altered
from ..cli.command import rushes
from ..tasks.makers import START, a_record

pytestmark = pytest.mark.anyio

OWNERS, CURRENCIES = ("local", "another"), ("USD", "yuto credits")


@asynccontextmanager
async def _store(home: Path) -> AsyncGenerator[TaskStore]:
    async with TaskStore.opened(home / "cache", schema=SCHEMA, migrations=MIGRATIONS) as store:
        yield store


def _task(number: int, amount: str = "0.5", currency: str = "USD", days: int = 0, owner: str = "local") -> TaskRecord:
    estimate = Estimate(amount=Decimal(amount), currency=currency, basis="configured")
    at = START + timedelta(days=days)
    return a_record(task_id=f"01KABCDEFGHJKMNPQRST{number:06}", owner=owner, created_at=at, estimate=estimate)


def _bound(limit: str, since: str = "2026-11-01", until: str | None = None, **account: str) -> Bound:
    owner, currency = account.get("owner", "local"), account.get("currency", "USD")
    return Bound(account_of(owner, currency) or "", currency, "a month", since, Decimal(limit), until)


async def _begun(store: TaskStore, record: TaskRecord, *within: Bound) -> Document:
    document, _ = await store.create(to_document(record), lines=[line_of(record)], within=within)
    return document


async def _used_by_lines(store: TaskStore, bound: Bound) -> Decimal:
    values = [line.value for line in await store.lines(BOOK) if isinstance(line.value, dict)]
    own = [value for value in values if value["account"] == bound.account]
    return amount_from(sum(int(str(value["parts"])) for value in own if str(value["day"]) >= bound.since))


@pytest.mark.parametrize("seed", range(6))
async def test_after_any_history_the_sums_are_those_of_the_lines(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    kept: dict[str, Document] = {}
    async with _store(tmp_path) as store:
        for number in range(60):
            amount, currency = str(chance.choice(["0", "0.1", "3.25", "0.000000001"])), chance.choice(CURRENCIES)
            record = _task(number, amount, currency, chance.randrange(-40, 3), chance.choice(OWNERS))
            bound = _bound("2", owner=record.owner, currency=currency)
            within = [bound] if chance.random() < 0.5 else []
            try:
                if kept and chance.random() < 0.5:
                    before = kept[chance.choice(list(kept))]
                    changed = altered(record, {"task_id": before["task_id"], "created_at": START})
                    document = {**to_document(changed), "revision": before["revision"]}
                    lines = [line_of(changed)] if chance.random() < 0.8 else []
                    after = await store.replace(document, lines=lines, within=within)
                    assert after is not None
                    kept[str(after["task_id"])] = after
                elif chance.random() < 0.2:
                    await store.add_lines([line_of(record), line_of(record)])
                else:
                    kept[record.task_id] = await _begun(store, record, *within)
            except OverBudget as over:
                assert over.used <= 2 + await _used_by_lines(store, bound)
        assert await store.wrong_sums() == 0
        for owner in OWNERS:
            for currency in CURRENCIES:
                for since in ("2026-10-15", "2026-11-20", "2026-11-22"):
                    bound = _bound("1", since, owner=owner, currency=currency)
                    assert await store.used(bound) == await _used_by_lines(store, bound)


async def test_a_budget_is_held_against_one_row_a_day_however_many_lines_there_are(tmp_path: Path) -> None:
    async with _store(tmp_path) as store:
        for number in range(60):
            await _begun(store, _task(number, days=-(number % 3)))
    with sqlite3.connect(tmp_path / "cache" / "cache.db") as database:
        rows = database.execute("SELECT day, parts FROM rushes_sums").fetchall()
        plan = database.execute(
            "EXPLAIN QUERY PLAN SELECT day, parts FROM rushes_sums WHERE account = 'a' AND day >= 'b'"
        ).fetchall()
    database.close()
    assert rows == [(f"2026-11-{day}", 20 * 500_000_000) for day in (18, 19, 20)]
    assert "SEARCH rushes_sums USING PRIMARY KEY (account=? AND day>?)" in str(plan)


async def test_a_bound_counts_a_task_once_however_often_it_is_written(tmp_path: Path) -> None:
    async with _store(tmp_path) as store:
        first = await _begun(store, _task(1, "0.8"), _bound("1"))
        with pytest.raises(OverBudget) as raised:
            await _begun(store, _task(2, "0.3"), _bound("1"))
        assert raised.value.used == Decimal("0.8")
        dearer = _task(1, "1")
        again = {**to_document(dearer), "revision": first["revision"]}
        assert await store.replace(again, lines=[line_of(dearer)], within=[_bound("1")]) is not None
        assert (await store.used(_bound("1")), len(await store.lines(BOOK))) == (Decimal(1), 1)


async def test_what_is_over_a_bound_leaves_nothing_behind_and_harms_no_other(tmp_path: Path) -> None:
    async with _store(tmp_path) as store:
        await _begun(store, _task(1, "0.9"), _bound("1"))
        with pytest.raises(OverBudget):
            await _begun(store, _task(2, "0.2"), _bound("1"))
        await _begun(store, _task(3, "0.1"), _bound("1"))
        assert await store.get(_task(2).task_id) is None
        assert [line.key for line in await store.lines(BOOK)] == [_task(1).task_id, _task(3).task_id]


async def test_a_request_of_an_earlier_day_is_held_against_that_day(tmp_path: Path) -> None:
    """It was begun before midnight, and is sent after it: it takes nothing of the new day, and of its own no more."""
    yesterday, today = _bound("1", "2026-11-19", "2026-11-19"), _bound("1", "2026-11-20")
    async with _store(tmp_path) as store:
        before = await _begun(store, _task(1, "0.8", days=-1), yesterday)
        await _begun(store, _task(2, "1"), today)
        for amount, fits in (("1", True), ("1.1", False)):
            record = _task(1, amount, days=-1)
            document = {**to_document(record), "revision": before["revision"]}
            if fits:
                after = await store.replace(document, lines=[line_of(record)], within=[yesterday])
                assert after is not None
                before = after
                continue
            with pytest.raises(OverBudget):
                await store.replace(document, lines=[line_of(record)], within=[yesterday])


def _without_sums(home: Path) -> None:
    """As an older rushes left it."""
    with sqlite3.connect(home / "cache" / "cache.db") as database:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'rushes%'"
        for (name,) in database.execute(triggers).fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("DROP TABLE rushes_sums")
    database.close()


async def test_a_store_of_an_older_rushes_is_added_up_when_it_is_opened(tmp_path: Path) -> None:
    async with _store(tmp_path) as store:
        for number in range(5):
            await _begun(store, _task(number, days=-number))
        await store.add_lines(
            [Line(BOOK, "odd", {"account": 7, "day": None, "parts": "many"}), Line(BOOK, "none", None)]
        )
    _without_sums(tmp_path)
    async with _store(tmp_path) as store:
        assert (await store.used(_bound("1")), await store.wrong_sums()) == (Decimal("2.5"), 0)
        assert await store.used(_bound("1", "2026-11-19")) == Decimal(1)


async def test_two_that_open_an_older_store_at_once_add_it_up_once(tmp_path: Path) -> None:
    async with _store(tmp_path) as store:
        await _begun(store, _task(1))
    _without_sums(tmp_path)
    async with _store(tmp_path) as one, _store(tmp_path) as other:
        assert await one.used(_bound("1")) == await other.used(_bound("1")) == Decimal("0.5")
        await _begun(other, _task(2))
        assert (await one.used(_bound("1")), await one.wrong_sums()) == (Decimal(1), 0)


async def test_a_line_that_is_taken_away_or_set_aside_counts_no_more(tmp_path: Path) -> None:
    async with _store(tmp_path) as store:
        for number in range(3):
            await _begun(store, _task(number))
        with sqlite3.connect(tmp_path / "cache" / "cache.db") as database:
            database.execute("DELETE FROM Cache WHERE key = ?", (f"ledger:{_task(0).task_id}",))
            database.execute("UPDATE Cache SET key = 'damaged:' || key WHERE key = ?", (f"ledger:{_task(1).task_id}",))
        database.close()
        assert (await store.used(_bound("1")), await store.wrong_sums()) == (Decimal("0.5"), 0)


async def test_a_carried_over_store_has_the_sums_of_the_lines_that_it_still_has(tmp_path: Path) -> None:
    async with _store(tmp_path) as store:
        for number in range(3):
            await _begun(store, _task(number))
    database = tmp_path / "cache" / "cache.db"
    content = bytearray(database.read_bytes())
    content[4096 * 2 + 5 : 4096 * 2 + 60] = bytes(55)
    database.write_bytes(bytes(content))
    (tmp_path / "cache" / "suspect").touch()
    async with _store(tmp_path) as store:
        assert await store.wrong_sums() == 0
        assert await store.used(_bound("1")) == await _used_by_lines(store, _bound("1"))


def test_the_doctor_adds_up_anew_what_is_wrong_and_says_so(isolated_environment: Path) -> None:
    home = isolated_environment
    (home / "cache").mkdir(parents=True, exist_ok=True)
    (home / "rushes.toml").write_text('[budget]\nper_month = "10"\n', encoding="utf-8")
    rushes("spend")
    with sqlite3.connect(home / "cache" / "cache.db") as database:
        database.execute("INSERT INTO rushes_sums VALUES ('local' || char(10) || 'USD', '2999-01-01', 3000000000)")
    database.close()

    def money() -> dict[str, dict[str, str]]:
        checks = rushes("doctor", "--offline", "--json").document["checks"]
        found: dict[str, dict[str, str]] = defaultdict(dict)
        found.update({check["name"]: check for check in checks if check["topic"] == "money"})
        return found

    first, second = money(), money()
    assert first["ledger"]["message"].startswith("the sums of 1 day were not those of its lines")
    assert (first["ledger"]["state"], second["ledger"]) == ("warning", {})
    assert "10 of 10 left this month" in first["USD"]["message"]
