"""Lines of other books than the journal, such as the ledger: which there are, what they come to, and which tasks have
none yet. Everything here blocks."""

from collections.abc import Sequence
from decimal import Decimal

from ...domain.document import Line
from ...domain.errors import StoreDamaged
from ...domain.money import Bound, amount_from
from . import ledger_sums
from .database import Database
from .diskcache_adapter import PutRow
from .documents import TASK_PREFIX, decode, encode

_WITHOUT_LINE = (
    "SELECT key FROM Cache AS task INDEXED BY Cache_key_raw WHERE key > ? AND key < 'task;' AND raw = 1"
    " AND NOT EXISTS (SELECT 1 FROM Cache AS line WHERE line.key = ? || substr(task.key, 6) AND line.raw = 1)"
    " ORDER BY key LIMIT ?"
)
_COLUMNS = "SELECT key, raw, mode, filename, value FROM Cache INDEXED BY Cache_key_raw"
_NEXT = f"{_COLUMNS} WHERE key > ? AND key < ? AND raw = 1 ORDER BY key LIMIT ?"
_LAST = f"{_COLUMNS} WHERE key >= ? AND key < ? AND raw = 1 ORDER BY key DESC LIMIT ?"
_TRUE_AMONG_LAST = f"SELECT * FROM ({_LAST}) WHERE CASE WHEN json_valid(value) THEN json_extract(value, ?) END = 1"  # noqa: S608


def rows_of(lines: Sequence[Line]) -> list[PutRow]:
    """The rows of lines that belong to a record's write."""
    return [PutRow(f"{line.book}:{line.key}", encode(line.value)) for line in lines]


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


def used(db: Database, bound: Bound) -> Decimal:
    """What is spent and reserved within a bound."""
    (found,) = ledger_sums.used_within(db.cache, [bound])
    return amount_from(found)


def wrong_sums(db: Database) -> int:
    """How many of the sums that budgets go by are not what the ledger's lines add up to."""
    return ledger_sums.count_wrong(db.cache)


def add_up_anew(db: Database) -> None:
    """Add the ledger's lines up once more, for budgets."""
    ledger_sums.make_anew(db.cache)


def tasks_without_line(db: Database, book: str, *, after: str = "", limit: int = 1000) -> list[str]:
    """Ids of tasks that have no line in this book, oldest first, from the one after `after` on."""
    rows = db.cache.rows(_WITHOUT_LINE, (f"{TASK_PREFIX}{after}", f"{book}:", limit))
    return [key.removeprefix(TASK_PREFIX) for (key,) in rows if isinstance(key, str)]


def last_lines(db: Database, book: str, *, limit: int, true: str | None = None) -> list[Line]:
    """The lines of a book whose keys come last, the last one first; one that cannot be read is left out. With `true`
    those of them of which the field of that name is true, without reading the others."""
    found: list[Line] = []
    among = (f"{book}:", f"{book};", limit)
    rows = db.cache.rows(_LAST, among) if true is None else db.cache.rows(_TRUE_AMONG_LAST, (*among, f"$.{true}"))
    for row in rows:
        try:
            key, text = db.cache.text(*row)
            found.append(Line(book, key.removeprefix(f"{book}:"), decode(text, key)))
        except StoreDamaged:
            continue
    return found
