"""Lines of other books than the journal, such as the ledger: what counts against a bound, and which tasks have no line
yet. Everything here blocks."""

from collections.abc import Sequence
from decimal import Decimal

from ...domain.document import Line
from ...domain.errors import OverBudget, StoreDamaged
from ...domain.money import Bound, amount_from, parts_of
from .database import Database
from .diskcache_adapter import LEDGER_ACCOUNT, LEDGER_DAY, LEDGER_PARTS
from .documents import TASK_PREFIX, decode, encode

_SUM = (
    f"SELECT SUM({LEDGER_PARTS}) FROM Cache INDEXED BY rushes_ledger"  # noqa: S608
    f" WHERE key >= 'ledger:' AND key < 'ledger;' AND {LEDGER_ACCOUNT} = ? AND {LEDGER_DAY} >= ?"
)
_PARTS_OF_ONE = f"SELECT {LEDGER_PARTS} FROM Cache WHERE key = ? AND raw = 1"  # noqa: S608
_WITHOUT_LINE = (
    "SELECT key FROM Cache AS task INDEXED BY Cache_key_raw WHERE key > ? AND key < 'task;' AND raw = 1"
    " AND NOT EXISTS (SELECT 1 FROM Cache AS line WHERE line.key = ? || substr(task.key, 6) AND line.raw = 1)"
    " ORDER BY key LIMIT ?"
)
_COLUMNS = "SELECT key, raw, mode, filename, value FROM Cache INDEXED BY Cache_key_raw"
_NEXT = f"{_COLUMNS} WHERE key > ? AND key < ? AND raw = 1 ORDER BY key LIMIT ?"
_LAST = f"{_COLUMNS} WHERE key >= ? AND key < ? AND raw = 1 ORDER BY key DESC LIMIT ?"


def put_lines(db: Database, lines: Sequence[Line]) -> None:
    """What belongs to a record's write, in the transaction that the caller has open for that."""
    for line in lines:
        db.cache.put(f"{line.book}:{line.key}", encode(line.value))


def add_lines(db: Database, lines: Sequence[Line]) -> None:
    """Write those lines that are not there yet."""
    for line in lines:
        db.cache.insert(f"{line.book}:{line.key}", encode(line.value))


def lines(db: Database, book: str, *, after: str = "", limit: int = 1000) -> list[Line]:
    """The lines of a book in the order of their keys, from the one after the key `after` on.

    Raises:
        StoreDamaged: one of them is not what rushes wrote.
    """
    found: list[Line] = []
    for row in db.cache.rows(_NEXT, (f"{book}:{after}", f"{book};", limit)):  # ";" follows ":"
        key, text = db.cache.text(*row)
        found.append(Line(book, key.removeprefix(f"{book}:"), decode(text, key)))
    return found


def check_bounds(db: Database, bounds: Sequence[Bound], task_id: str) -> None:
    """Whether all that is spent and reserved, the line of this task with it, is within each bound. To be called where
    that line has just been written, in the same transaction.

    Raises:
        OverBudget: it is not; the caller's transaction writes nothing then.
    """
    for bound in bounds:
        total = _parts_used(db, bound)
        if total > parts_of(bound.limit):
            rows = db.cache.rows(_PARTS_OF_ONE, (f"ledger:{task_id}",))
            own = next((parts for (parts,) in rows if isinstance(parts, int)), 0)
            raise OverBudget(bound, amount_from(total - own))


def used(db: Database, bound: Bound) -> Decimal:
    """What is spent and reserved within a bound."""
    return amount_from(_parts_used(db, bound))


def _parts_used(db: Database, bound: Bound) -> int:
    """The same in units of `SMALLEST`."""
    ((found,),) = db.cache.rows(_SUM, (bound.account, bound.since))
    return found if isinstance(found, int) else 0


def tasks_without_line(db: Database, book: str, *, after: str = "", limit: int = 1000) -> list[str]:
    """Ids of tasks that have no line in this book, oldest first, from the one after `after` on."""
    rows = db.cache.rows(_WITHOUT_LINE, (f"{TASK_PREFIX}{after}", f"{book}:", limit))
    return [key.removeprefix(TASK_PREFIX) for (key,) in rows if isinstance(key, str)]


def last_lines(db: Database, book: str, *, limit: int) -> list[Line]:
    """The lines of a book whose keys come last, the last one first; one that cannot be read is left out."""
    found: list[Line] = []
    for row in db.cache.rows(_LAST, (f"{book}:", f"{book};", limit)):
        try:
            key, text = db.cache.text(*row)
            found.append(Line(book, key.removeprefix(f"{book}:"), decode(text, key)))
        except StoreDamaged:
            continue
    return found
