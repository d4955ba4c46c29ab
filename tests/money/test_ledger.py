"""Each task has one line in the ledger, which follows from its record and is written with it."""

from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from rushes.cache.embedded.store import TaskStore
from rushes.domain.document import Line
from rushes.domain.errors import SubmissionLost, SubmissionRefused
from rushes.domain.failure import failure
from rushes.domain.job import Cost, Job, Observation
from rushes.domain.money import Estimate, Price
from rushes.domain.principal import LOCAL
from rushes.domain.record import SCHEMA, TaskRecord
from rushes.providers.provider import Traits
from rushes.tasks import life
from rushes.tasks.engine import Engine
from rushes.tasks.journal import to_document
from rushes.tasks.migrations import MIGRATIONS
from rushes.tasks.money.ledger import BOOK, Entry, Standing, entry_of, line_of, lines_between, standing
from rushes.tasks.money.treasury import write_missing_lines

from ..altered import altered
from ..tasks.engines import a_wish, an_engine
from ..tasks.makers import ACCEPTED, CANCELLED, FAILED, RUNNING, START, SUCCEEDED, a_record, polling
from ..tasks.scripted import ScriptedProvider
from ..tasks.test_engine import PNG

pytestmark = pytest.mark.anyio

ESTIMATE = Estimate(amount=Decimal("0.5"), currency="USD", basis="configured")
COST = Cost(amount=Decimal("0.4"))
UNKNOWN_CHARGE = failure("provider_error", "it broke", charged="unknown")
PAID = failure("internal", "could not be written", charged="yes")
FREE = failure("content_violation", "refused", charged="no")


def _ends(state: str, **changes: object) -> TaskRecord:
    ended = {"state": state, "phase": "done", "open": False, "estimate": ESTIMATE}
    return a_record(**{**ended, **changes})


@pytest.mark.parametrize(
    ("record", "spent", "reserved"),
    [
        (a_record(estimate=ESTIMATE), "0", "0.5"),
        (polling(estimate=ESTIMATE), "0", "0.5"),
        (polling(estimate=ESTIMATE, cost=COST), "0", "0.4"),
        (_ends("succeeded", cost=COST), "0.4", "0"),
        (_ends("succeeded"), "0.5", "0"),
        (_ends("failed", failure=FREE), "0", "0"),
        (_ends("failed", failure=UNKNOWN_CHARGE), "0", "0.5"),
        (_ends("failed", failure=UNKNOWN_CHARGE, cost=COST), "0.4", "0"),
        (_ends("failed", failure=PAID), "0.5", "0"),
        (_ends("failed", failure=FREE, cost=Cost(amount=Decimal(0))), "0", "0"),
        (_ends("cancelled", failure=FREE), "0", "0"),
        (_ends("cancelled"), "0", "0.5"),
        (_ends("unknown", failure=UNKNOWN_CHARGE), "0", "0.5"),
        (_ends("unknown", estimate=None), "0", "0"),
        (_ends("succeeded", free=True), "0", "0"),
    ],
)
def test_what_is_spent_and_what_is_reserved(record: TaskRecord, spent: str, reserved: str) -> None:
    now = standing(record)
    assert (now.spent, now.reserved) == (Decimal(spent), Decimal(reserved))


def test_a_line_is_read_as_it_was_written() -> None:
    record = _ends("succeeded", cost=COST)
    entry = entry_of(line_of(record))
    assert entry is not None
    assert (entry.standing, entry.provider, entry.day) == (standing(record), "gate", "2026-11-20")
    assert entry_of(Line(BOOK, "x", "junk")) is None
    assert entry_of(Line(BOOK, "x", {"spent": "-1", "reserved": "0"})) is None


def test_a_write_that_changes_no_money_writes_no_line() -> None:
    before = polling(estimate=ESTIMATE)
    assert lines_between(before, life.observed(before, RUNNING, START)) == ()
    assert lines_between(before, life.observed(before, SUCCEEDED, START)) != ()


def test_a_task_whose_price_nobody_knows_is_told_apart_from_a_free_one() -> None:
    entries = [
        entry_of(line_of(record)) for record in (_ends("succeeded", estimate=None), _ends("succeeded", free=True))
    ]
    assert [entry.unpriced for entry in entries if entry is not None] == [True, False]


# by hand


@pytest.mark.parametrize(("amount", "charged"), [("0.35", "yes"), ("0", "no")])
def test_what_a_person_says_settles_what_nobody_knew(amount: str, charged: str) -> None:
    unknown = _ends("unknown", failure=failure("outcome_unknown", "lost", charged="unknown"))
    settled = life.settled_by_hand(unknown, Decimal(amount), "USD", START)
    assert standing(settled) == Standing(spent=Decimal(amount), currency="USD", known="by hand")
    assert settled.failure is not None
    assert (settled.state, settled.failure.charged) == ("unknown", charged)


def test_what_the_gateway_tells_later_counts_for_more_than_a_persons_word() -> None:
    settled = life.settled_by_hand(_ends("unknown"), Decimal("0.3"), "USD", START)
    assert standing(altered(settled, {"cost": COST})).spent == COST.amount
    corrected = life.settled_by_hand(altered(settled, {"cost": COST}), Decimal("0.3"), "USD", START)
    assert standing(corrected).spent == Decimal("0.3")


def test_an_unfinished_task_and_a_free_one_are_not_settled() -> None:
    for record in (polling(estimate=ESTIMATE), _ends("succeeded", free=True)):
        assert life.why_not_settled(record) is not None
        assert life.settled_by_hand(record, Decimal(1), "USD", START) is record


# through the engine


BY_THE_SECOND = {"gate/model-one": Price(per_second={"default": Decimal("0.1")})}


async def _line(engine: Engine, home: Path, task_id: str) -> Entry:
    """The stored line, which must be what the stored record says."""
    record = await engine.get(task_id, principal=LOCAL)
    async with TaskStore.opened(home / "cache", schema=SCHEMA, migrations=MIGRATIONS) as store:
        lines = {line.key: line for line in await store.lines(BOOK)}
    assert lines[task_id] == line_of(record)
    entry = entry_of(lines[task_id])
    assert entry is not None
    return entry


async def _ended(engine: Engine, task_id: str) -> TaskRecord:
    with anyio.fail_after(10):
        return await engine.wait(task_id, seconds=10, principal=LOCAL)


async def test_an_estimate_is_reserved_with_the_journal_and_settled_at_the_end(tmp_path: Path) -> None:
    done = SUCCEEDED.model_copy(update={"cost": Cost(amount=Decimal("0.48"))})
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING, done], downloads=[PNG], hold=anyio.Event())
    async with an_engine(tmp_path, gateway, prices=BY_THE_SECOND) as engine:
        begun = await engine.generate(a_wish(kind="image", duration_seconds=5), answer_within_seconds=0)
        task_id = begun.record.task_id
        assert (await _line(engine, tmp_path, task_id)).standing == Standing(reserved=Decimal("0.5"), currency="USD")
        assert gateway.hold is not None
        gateway.hold.set()
        await _ended(engine, task_id)
        settled = (await _line(engine, tmp_path, task_id)).standing
    assert settled == Standing(spent=Decimal("0.48"), currency="USD", known="told")


@pytest.mark.parametrize(
    ("answer", "look", "spent", "reserved"),
    [
        (SubmissionRefused("invalid_input", "no"), RUNNING, "0", "0"),
        (SubmissionLost("cut off"), RUNNING, "0", "0.5"),
        (ACCEPTED, FAILED, "0", "0"),
        (ACCEPTED, CANCELLED, "0", "0"),
        (ACCEPTED, Observation(state="failed", failure=UNKNOWN_CHARGE), "0", "0.5"),
        (ACCEPTED, Observation(state="failed", failure=UNKNOWN_CHARGE, cost=COST), "0.4", "0"),
    ],
)
async def test_each_way_to_end_leaves_its_line(
    tmp_path: Path, answer: object, look: Observation, spent: str, reserved: str
) -> None:
    gateway = ScriptedProvider(looks=[look])
    gateway.answers = [answer]  # type: ignore[list-item]
    async with an_engine(tmp_path, gateway, prices=BY_THE_SECOND) as engine:
        record = (await engine.generate(a_wish(duration_seconds=5))).record
        await _ended(engine, record.task_id)
        now = (await _line(engine, tmp_path, record.task_id)).standing
    assert (now.spent, now.reserved) == (Decimal(spent), Decimal(reserved))


async def test_a_reroute_takes_the_reservation_along(tmp_path: Path) -> None:
    full = ScriptedProvider(answers=[SubmissionRefused("insufficient_credits", "empty")])
    other = ScriptedProvider(name="other", answers=[ACCEPTED], looks=[RUNNING], hold=anyio.Event())
    prices = {**BY_THE_SECOND, "other/m1": Price(currency="other credits", per_output={"default": Decimal(12)})}
    async with an_engine(tmp_path, full, other, prices=prices) as engine:
        record = (await engine.generate(a_wish(duration_seconds=5), answer_within_seconds=0)).record
        with anyio.fail_after(5):
            while not other.plans:
                await anyio.lowlevel.checkpoint()
        entry = await _line(engine, tmp_path, record.task_id)
    assert (entry.provider, entry.standing) == ("other", Standing(reserved=Decimal(12), currency="other credits"))


async def test_free_generations_reserve_nothing(tmp_path: Path) -> None:
    free = ScriptedProvider(name="toy", traits=Traits(free=True), answers=[ACCEPTED], looks=[RUNNING])
    async with an_engine(tmp_path, free, prices={"toy/m1": Price(per_request=Decimal(1))}) as engine:
        record = (await engine.generate(a_wish(provider="toy"))).record
        assert (await _line(engine, tmp_path, record.task_id)).standing == Standing(known="free")


async def test_tasks_of_an_older_rushes_get_their_lines_when_it_is_opened(tmp_path: Path) -> None:
    old = _ends("succeeded", cost=COST, estimate=None)
    ids = [f"01KABCDEFGHJKMNPQRSTVWXY{n:02}" for n in range(5)]
    async with TaskStore.opened(tmp_path / "cache", schema=SCHEMA, migrations=MIGRATIONS) as store:
        for task_id in ids:
            await store.create(to_document(altered(old, {"task_id": task_id})))
        assert await store.tasks_without_line(BOOK, limit=3) == ids[:3]
    async with an_engine(tmp_path, ScriptedProvider(looks=[RUNNING])) as engine:
        with anyio.fail_after(5):
            await engine.ledger_complete()
        assert (await _line(engine, tmp_path, ids[0])).standing.spent == COST.amount
    async with TaskStore.opened(tmp_path / "cache", schema=SCHEMA, migrations=MIGRATIONS) as store:
        assert await write_missing_lines(store) == 0


async def test_a_learned_price_comes_from_what_earlier_jobs_cost(tmp_path: Path) -> None:
    gateway = _costing("0.4", "0.5", "0.6")
    async with an_engine(tmp_path, gateway) as engine:
        assert await _price_of_another(engine) is None
        for n in range(3):
            await _make(engine, n)
    async with an_engine(tmp_path, gateway) as engine:
        found = await _price_of_another(engine)
    assert found == Estimate(amount=Decimal("0.5"), currency="USD", basis="learned", n=3)


async def test_what_a_job_has_just_cost_is_known_to_the_next_call(tmp_path: Path) -> None:
    async with an_engine(tmp_path, _costing("0.4", "0.6")) as engine:
        assert await _price_of_another(engine) is None
        for n, amount in enumerate(("0.4", "0.5")):
            await _make(engine, n)
            found = await _price_of_another(engine)
            assert found == Estimate(amount=Decimal(amount), currency="USD", basis="learned", n=n + 1)


def _costing(*amounts: str) -> ScriptedProvider:
    looks = [SUCCEEDED.model_copy(update={"cost": Cost(amount=Decimal(amount))}) for amount in amounts]
    gateway = ScriptedProvider(looks=[*looks], downloads=[PNG] * len(looks))
    jobs = [Job(job_id=f"job-{n}", model="m1") for n in range(len(looks))]
    gateway.answers = [ACCEPTED.model_copy(update={"job": job}) for job in jobs]
    return gateway


async def _make(engine: Engine, number: int) -> None:
    record = (await engine.generate(a_wish(f"fox {number}", kind="image", duration_seconds=5))).record
    await _ended(engine, record.task_id)


async def _price_of_another(engine: Engine) -> Estimate | None:
    return (await engine.preview(a_wish("another", kind="image", duration_seconds=5))).estimate
