"""What was spent and what is reserved, added up; pure. Amounts of different currencies are never added up."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from .ledger import Entry

By = Literal["day", "model", "provider", "user"]

_KEYS: Mapping[By, Callable[[Entry], str]] = {
    "day": lambda entry: entry.day,
    "model": lambda entry: entry.model,
    "provider": lambda entry: entry.provider,
    "user": lambda entry: entry.owner,
}


@dataclass(frozen=True)
class Row:
    """The tasks of one day, model, provider or user in one currency."""

    key: str
    currency: str
    spent: Decimal
    reserved: Decimal
    tasks: int


@dataclass(frozen=True)
class Total:
    """All of them in one currency."""

    currency: str
    spent: Decimal
    reserved: Decimal


@dataclass(frozen=True)
class Spend:
    """What was spent, and what is reserved for tasks that run or of which nobody knows whether they were charged."""

    rows: tuple[Row, ...]
    totals: tuple[Total, ...]
    unpriced: int
    """Tasks that may have cost something that nobody knows."""
    assumed: int
    """Tasks of which the gateway told no cost, so that their estimate counts as spent."""


def summed(entries: Iterable[Entry], by: By) -> Spend:
    """The ledger's lines added up. Tasks that cost nothing are not counted; days come newest first, all else by what
    was spent."""
    sums: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    unpriced = assumed = 0
    for entry in entries:
        unpriced += entry.unpriced
        assumed += entry.standing.known == "assumed"
        currency = entry.standing.currency
        if currency is not None and (entry.standing.spent or entry.standing.reserved):
            sums[_KEYS[by](entry), currency].append(entry)
    rows = [
        Row(key, currency, _sum(e.standing.spent for e in each), _sum(e.standing.reserved for e in each), len(each))
        for (key, currency), each in sums.items()
    ]
    currencies = sorted({row.currency for row in rows})
    totals = tuple(
        Total(
            currency,
            _sum(row.spent for row in rows if row.currency == currency),
            _sum(row.reserved for row in rows if row.currency == currency),
        )
        for currency in currencies
    )
    return Spend(tuple(_ordered(rows, by)), totals, unpriced, assumed)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _ordered(rows: list[Row], by: By) -> list[Row]:
    if by == "day":
        return sorted(sorted(rows, key=lambda row: row.currency), key=lambda row: row.key, reverse=True)
    return sorted(rows, key=lambda row: (row.currency, -row.spent - row.reserved, row.key))
