"""The ledger: for each task one line, which follows from its record and is written with it in one transaction; pure.

A record and its line cannot disagree, because the line is a function of the record. An amount is reserved with the
journal entry; the end of the task settles it, with the cost told or else the estimate, or frees it where nothing was
charged. As long as nobody knows whether a task was charged, its amount stays reserved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import JsonValue

from ...domain.document import Line
from ...domain.money import Measure, PaidJob, account_of, amount_of, parts_of, plain
from ...domain.record import TaskRecord
from .measures import measure_of

BOOK = "ledger"

Known = Literal["told", "assumed", "by hand", "free", "nobody"]
"""Who says what it has cost: the gateway, the estimate, a person; or it cannot cost anything; or nobody yet."""

_KNOWN: Mapping[str, Known] = {
    "told": "told",
    "assumed": "assumed",
    "by hand": "by hand",
    "free": "free",
}

_NOTHING = Decimal(0)
_MEASURED = tuple((name, field.default) for name, field in Measure.model_fields.items())
"""What a measure may say, all of it numbers and texts, and what it says where nobody knows."""


@dataclass(frozen=True)
class Standing:
    """What a task has cost, and what is kept ready for it; never both."""

    spent: Decimal = _NOTHING
    reserved: Decimal = _NOTHING
    currency: str | None = None
    known: Known = "nobody"


def standing(record: TaskRecord) -> Standing:
    """What a task's record says of money."""
    if record.free:
        return Standing(known="free")
    by_hand, cost, estimate = record.by_hand, record.cost, record.estimate
    if by_hand is not None:
        return Standing(spent=by_hand.amount, currency=by_hand.currency, known="by hand")
    if cost is not None:
        if not record.final:
            return Standing(reserved=cost.amount, currency=cost.currency, known="told")
        return Standing(spent=cost.amount, currency=cost.currency, known="told")
    currency = None if estimate is None else estimate.currency
    match _charged(record):
        case "no":
            return Standing(currency=currency, known="told")
        case "yes" if estimate is not None:
            return Standing(spent=estimate.amount, currency=currency, known="assumed")
        case "unknown" if estimate is not None:
            return Standing(reserved=estimate.amount, currency=currency)
        case _:
            return Standing()


def _charged(record: TaskRecord) -> Literal["yes", "no", "unknown"]:
    if not record.final:
        return "unknown"
    if record.state == "succeeded":
        return "yes"
    return record.failure.charged if record.failure is not None else "unknown"


def line_of(record: TaskRecord) -> Line:
    """The task's line. `parts` is what counts against budgets, in a whole number that databases add up."""
    now = standing(record)
    measure = _measure_of(record)
    value: JsonValue = {
        "owner": record.owner,
        "provider": record.provider,
        "model": record.model,
        "day": record.created_at.date().isoformat(),
        "currency": now.currency,
        "account": account_of(record.owner, now.currency),
        "spent": plain(now.spent),
        "reserved": plain(now.reserved),
        "parts": parts_of(now.spent + now.reserved),
        "known": now.known,
        "made": record.state == "succeeded",
        "measure": {name: said for name, usual in _MEASURED if (said := getattr(measure, name)) != usual},
    }
    return Line(BOOK, record.task_id, value)


def _measure_of(record: TaskRecord) -> Measure:
    return record.measure or measure_of(record.request)


def lines_between(before: TaskRecord | None, after: TaskRecord) -> Sequence[Line]:
    """What a write of a record changes in the ledger."""
    if before is not None and _of_money(before) == _of_money(after):
        return ()
    return (line_of(after),)


def _of_money(record: TaskRecord) -> tuple[object, ...]:
    """All of a record that its line is made of and that a step may change."""
    measured = record.measure or record.request
    made, charged = record.state == "succeeded", _charged(record)
    known = (record.free, record.settlement, record.cost, record.estimate, record.final)
    return record.provider, record.model, measured, made, charged, *known


@dataclass(frozen=True)
class Entry:
    """A line of the ledger, read."""

    task_id: str
    owner: str
    provider: str
    model: str
    day: str
    standing: Standing
    made: bool
    measure: Measure

    @property
    def unpriced(self) -> bool:
        """It may have cost something, and nobody knows how much."""
        return self.standing.currency is None and self.standing.known == "nobody"


def entry_of(line: Line) -> Entry | None:
    """A line as it was written; `None` for one that is none."""
    value = line.value if isinstance(line.value, dict) else {}
    spent, reserved = amount_of(value.get("spent")), amount_of(value.get("reserved"))
    texts = [value.get(name) for name in ("owner", "provider", "model", "day")]
    if spent is None or reserved is None or not all(isinstance(text, str) for text in texts):
        return None
    owner, provider, model, day = map(str, texts)
    currency, known = value.get("currency"), value.get("known")
    knows = _KNOWN.get(str(known), "nobody")
    found = Standing(spent, reserved, currency if isinstance(currency, str) else None, knows)
    return Entry(
        line.key, owner, provider, model, day, found, value.get("made") is True, _measure(value.get("measure"))
    )


def _measure(value: JsonValue) -> Measure:
    try:
        return Measure.model_validate(value)
    except ValueError:
        return Measure()


def paid_job(entry: Entry) -> PaidJob | None:
    """What the job teaches of prices: one that a gateway made and told a cost of."""
    return _paid(entry.standing, entry.measure, entry.task_id) if entry.made else None


def paid_job_of(record: TaskRecord) -> PaidJob | None:
    """The same of a record."""
    return _paid(standing(record), _measure_of(record), record.task_id) if record.state == "succeeded" else None


def _paid(now: Standing, measure: Measure, task_id: str) -> PaidJob | None:
    if now.known not in ("told", "by hand") or now.currency is None or not now.spent:
        return None
    return PaidJob(measure, now.spent, now.currency, task_id)
