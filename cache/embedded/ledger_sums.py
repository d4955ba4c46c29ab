"""What counts against budgets, added up by account and day: a table beside the ledger's lines.

Triggers of the database keep it, in whatever way a line is written, changed or taken away: a sum changes in the very
transaction of its line, and no program that writes lines can forget it. A budget is so held against a row a day instead
of against every line of the month.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...domain.document import Line
from ...domain.errors import OverBudget
from ...domain.money import Bound, amount_from, parts_of

_TABLE = "rushes_sums"


@dataclass(frozen=True)
class _Columns:
    """What of a row of the ledger counts, as SQL; `row` is `NEW.` or `OLD.` in a trigger."""

    row: str = ""

    @property
    def is_line(self) -> str:
        return f"{self.row}key >= 'ledger:' AND {self.row}key < 'ledger;' AND {self.row}raw = 1"

    @property
    def account(self) -> str:
        return self._of("account")

    @property
    def day(self) -> str:
        return self._of("day")

    @property
    def parts(self) -> str:
        return self._of("parts")

    @property
    def counts(self) -> str:
        return f"typeof({self.account}) = 'text' AND typeof({self.day}) = 'text' AND typeof({self.parts}) = 'integer'"

    def _of(self, name: str) -> str:
        return f"CASE WHEN json_valid({self.row}value) THEN json_extract({self.row}value, '$.{name}') END"


def _trigger(name: str, when: str, row: str) -> str:
    columns = _Columns(f"{row}.")
    does = _added(columns) if row == "NEW" else _taken(columns)
    return f"CREATE TRIGGER {_TABLE}_{name} AFTER {when} ON Cache WHEN {columns.is_line} BEGIN {does}; END"


def _added(new: _Columns) -> str:
    return (
        f"INSERT INTO {_TABLE} (account, day, parts)"
        f" SELECT {new.account}, {new.day}, {new.parts} WHERE {new.counts}"
        " ON CONFLICT (account, day) DO UPDATE SET parts = parts + excluded.parts"
    )


def _taken(old: _Columns) -> str:
    return (
        f"UPDATE {_TABLE} SET parts = parts - {old.parts}"  # noqa: S608
        f" WHERE account = {old.account} AND day = {old.day} AND {old.counts}"
    )


_LINE = _Columns()
_OF_LINES = (
    f"SELECT {_LINE.account} AS account, {_LINE.day} AS day, SUM({_LINE.parts}) AS parts"  # noqa: S608
    f" FROM Cache WHERE {_LINE.is_line} AND {_LINE.counts} GROUP BY 1, 2"
)
_FILL = f"INSERT INTO {_TABLE} (account, day, parts) {_OF_LINES}"
_EMPTY = f"DELETE FROM {_TABLE}"  # noqa: S608
_IS_MADE = f"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{_TABLE}'"  # noqa: S608
_SELECT_DAYS = f"SELECT day, parts FROM {_TABLE} WHERE account = ? AND day >= ?"  # noqa: S608
_SELECT_OWN = f"SELECT {_LINE.account}, {_LINE.day}, {_LINE.parts} FROM Cache WHERE key = ? AND raw = 1"  # noqa: S608
_COUNT_WRONG = (
    f"WITH each AS (SELECT account, day, parts FROM ({_OF_LINES})"  # noqa: S608
    f" UNION ALL SELECT account, day, -parts FROM {_TABLE})"
    " SELECT COUNT(*) FROM (SELECT 1 FROM each GROUP BY account, day HAVING SUM(parts) <> 0)"
)
_MAKE = (
    f"CREATE TABLE {_TABLE} (account TEXT NOT NULL, day TEXT NOT NULL, parts INTEGER NOT NULL,"
    " PRIMARY KEY (account, day)) WITHOUT ROWID",
    _trigger("written", "INSERT", "NEW"),
    _trigger("over", "UPDATE OF key, raw, value", "OLD"),
    _trigger("changed", "UPDATE OF key, raw, value", "NEW"),
    _trigger("gone", "DELETE", "OLD"),
    _FILL,
    "DROP INDEX IF EXISTS rushes_ledger",
)


class Rows(Protocol):
    """What asks a database; its transactions are the caller's."""

    def rows(
        self, statement: str, parameters: Sequence[str | int | float | bytes | None] = ()
    ) -> Sequence[tuple[object, ...]]: ...


def is_made(database: Rows) -> bool:
    """Whether the sums are kept in this database. Blocks, as all of these do."""
    return bool(database.rows(_IS_MADE))


def make(database: Rows) -> None:
    """Keep them from now on, and add up what is there; in the caller's transaction."""
    if not is_made(database):
        for statement in _MAKE:
            database.rows(statement)


def count_wrong(database: Rows) -> int:
    """How many sums are not what the lines say."""
    ((wrong,),) = database.rows(_COUNT_WRONG)
    return wrong if isinstance(wrong, int) else 0


def make_anew(database: Rows) -> None:
    """Add all up once more; in the caller's transaction."""
    database.rows(_EMPTY)
    database.rows(_FILL)


@dataclass(frozen=True)
class _Part:
    """What one line counts."""

    account: object
    day: object
    parts: int

    def within(self, bound: Bound) -> int:
        return self.parts if self.account == bound.account and _is_in(bound, self.day) else 0


def check_bounds(database: Rows, bounds: Sequence[Bound], lines: Sequence[Line], *, written: str | None = None) -> None:
    """Whether all that is spent and reserved, with a task's lines, is within each bound. To be called before they are
    written, in the transaction that writes them.

    Args:
        lines: The task's; none where they stay as they are.
        written: The task's id, where it has lines already, whose place these take.

    Raises:
        OverBudget: it is not.
    """
    if not bounds:
        return
    own = () if written is None else database.rows(_SELECT_OWN, (f"ledger:{written}",))
    before = [_Part(account, day, parts) for account, day, parts in own if isinstance(parts, int)]
    after = [part for line in lines if (part := _part_of(line)) is not None] or before
    for bound, used in zip(bounds, used_within(database, bounds), strict=True):
        others = used - sum(part.within(bound) for part in before)
        if others + sum(part.within(bound) for part in after) > parts_of(bound.limit):
            raise OverBudget(bound, amount_from(others))


def _part_of(line: Line) -> _Part | None:
    value = line.value if line.book == "ledger" and isinstance(line.value, dict) else {}
    parts = value.get("parts")
    return _Part(value.get("account"), value.get("day"), parts) if isinstance(parts, int) else None


def used_within(database: Rows, bounds: Sequence[Bound]) -> list[int]:
    """What is spent and reserved within each of an account's bounds, in units of `SMALLEST`; a row a day is read."""
    days = database.rows(_SELECT_DAYS, (bounds[0].account, min(bound.since for bound in bounds)))
    return [sum(parts for day, parts in days if isinstance(parts, int) and _is_in(bound, day)) for bound in bounds]


def _is_in(bound: Bound, day: object) -> bool:
    return isinstance(day, str) and bound.since <= day and (bound.until is None or day <= bound.until)
