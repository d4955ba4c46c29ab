"""The words of tasks, for a search in many of them: an index of SQLite's FTS5 where that is built in.

It is a help and no part of the journal: no write of a record touches it, but the one that opens a final state again.
It is filled from the oldest task on, some at a time, and knows how far it is; whoever searches looks through the newer
ones one by one, as where it is at fault.

Beside its words a task has marks there: its owner, its kind and the state in which it ended. What a search is bounded
by is looked up as words are, so that a common word is no long walk where hardly any task of that state has it. One that
has not ended has a mark of its own, and is indexed again once it has.
"""

import logging
import re
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import islice

from ...domain.document import Document, Selection
from ...domain.errors import StoreDamaged
from ...domain.record import FINAL
from .database import Database
from .diskcache_adapter import Row
from .documents import TASK_PREFIX, document_of, kind_and_state, owner_of

logger = logging.getLogger(__name__)

STEP_ROWS = 100
"""Tasks that one step of the filling, or of a search without the index, goes through: other calls wait that long."""

LOOK_ROWS = 2000
"""Rows that one step only glances at."""

TEXT_CHARACTERS_MAX = 100_000
TERMS_MAX = 32
PREFIX_CHARACTERS_MIN = 3
"""A shorter word is looked for as it is: it is the beginning of too many."""

_TABLE, _FILLED = "rushes_found", "rushes_found_filled"
_NOT_ENDED = "u"
_ROW_MAX = 2**63 - 1

_IS_BUILT_IN = "SELECT 1 WHERE sqlite_compileoption_used('ENABLE_FTS5')"
_IS_THERE = f"SELECT 1 FROM sqlite_master WHERE name = '{_FILLED}'"  # noqa: S608
_MAKE = (
    # From before there were marks.
    "DROP TABLE IF EXISTS rushes_words",
    "DROP TABLE IF EXISTS rushes_words_filled",
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {_TABLE}"
    " USING fts5(key UNINDEXED, words, marks, tokenize = 'unicode61 remove_diacritics 0')",
    f"CREATE TABLE IF NOT EXISTS {_FILLED} (one INTEGER PRIMARY KEY CHECK (one = 1), key TEXT NOT NULL)",
)
_SELECT_FILLED = f"SELECT key FROM {_FILLED}"  # noqa: S608
_SET_FILLED = f"INSERT OR REPLACE INTO {_FILLED} (one, key) VALUES (1, ?)"  # noqa: S608
_FORGET_FILLED = f"DELETE FROM {_FILLED}"  # noqa: S608
_ROW_AT = f"SELECT key, words, marks FROM {_TABLE} WHERE rowid = ?"  # noqa: S608
_INSERT = f"INSERT INTO {_TABLE} (key, words, marks, rowid) VALUES (?, ?, ?, ?)"  # noqa: S608
_UPDATE = f"UPDATE {_TABLE} SET key = ?, words = ?, marks = ? WHERE rowid = ?"  # noqa: S608
_SELECT_ONE = "SELECT value, tag FROM Cache WHERE key = ? AND raw = 1"
_COUNT_INDEXED = f"SELECT COUNT(*) FROM {_TABLE}_docsize"  # noqa: S608
_COUNT_TASKS = "SELECT COUNT(*) FROM Cache INDEXED BY Cache_key_raw WHERE key >= 'task:' AND key <= ? AND raw = 1"
_SELECT_NEXT = (
    "SELECT key, value, tag FROM Cache INDEXED BY Cache_key_raw"
    " WHERE key > ? AND key < ? AND raw = 1 ORDER BY key LIMIT ?"
)
_SELECT_NOT_ENDED = (
    f"SELECT w.rowid, c.key, c.tag FROM {_TABLE} w CROSS JOIN Cache c ON c.key = w.key AND c.raw = 1"  # noqa: S608
    f" WHERE {_TABLE} MATCH 'marks : {_NOT_ENDED}' AND w.rowid > ? ORDER BY w.rowid LIMIT ?"
)
_IS_BEHIND = "SELECT 1 FROM Cache INDEXED BY Cache_key_raw WHERE key > ? AND key < ? AND raw = 1 LIMIT 1"
_SELECT_FOUND = (
    f"SELECT c.key, c.raw, c.mode, c.filename, c.value FROM {_TABLE} w CROSS JOIN Cache c"  # noqa: S608
    f" ON c.key = w.key AND c.raw = 1 WHERE {_TABLE} MATCH ? AND w.rowid >= ? AND w.rowid <= ?"
    " AND c.key >= ? AND c.key < ? AND c.tag IN ({tags}) ORDER BY w.rowid DESC LIMIT ?"
)

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}\Z")
_TIME_CHARACTERS, _DRAWN_CHARACTERS, _DRAWN_BITS = 10, 5, 21
_NEIGHBOURS_MAX = 64
"""Tasks of one millisecond whose ids begin alike: the rows after the first one's take the others."""

_WORD = re.compile(r"[^\W_]+")
_WITHOUT_SPACES = re.compile(r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")
"""Scripts that put no space between words: each character counts as one."""


def words_of(text: str) -> str:
    """The words of a text as the index has them: without case and accents, one space between two."""
    plain = text[:TEXT_CHARACTERS_MAX].casefold()
    if not plain.isascii():
        parts = unicodedata.normalize("NFKD", plain)
        bare = "".join(character for character in parts if not unicodedata.combining(character))
        plain = _WITHOUT_SPACES.sub(r" \1 ", unicodedata.normalize("NFC", bare))
    return " ".join(_WORD.findall(plain))


def terms_of(query: str) -> list[str]:
    """What a query looks for, all of it: each of its words, which may be the beginning of a longer one."""
    terms = (words_of(part) for part in query.split())
    return list(islice(dict.fromkeys(term for term in terms if term), TERMS_MAX))


def has_all(document: Document, terms: Sequence[str]) -> bool:
    """Whether a task is found by these terms, as the index finds it."""
    text = f" {_text_of_task(document)} "
    return all(f" {term}{'' if _may_go_on(term) else ' '}" in text for term in terms)


def filled_to(db: Database) -> str:
    """The key up to which every task is indexed; empty where there is no index. Blocks."""
    if not db.cache.rows(_IS_THERE) or not db.cache.rows(_IS_BUILT_IN):
        return ""
    return next((str(key) for (key,) in db.cache.rows(_SELECT_FILLED)), "")


def is_behind(db: Database, before: str) -> bool:
    """Whether there is something to index among the tasks before this key. Blocks."""
    return bool(db.cache.rows(_IS_BUILT_IN) and db.cache.rows(_IS_BEHIND, (filled_to(db) or TASK_PREFIX, before)))


def has_gaps(db: Database) -> bool:
    """Whether tasks have come where the index has been already: an older clock, another program. Blocks."""
    end = filled_to(db)
    return end != "" and db.cache.rows(_COUNT_INDEXED) != db.cache.rows(_COUNT_TASKS, (end,))


def begin_again(db: Database) -> None:
    """Have the filling go through all tasks once more; what is indexed stays. Blocks; part of a transaction."""
    if db.cache.rows(_IS_THERE):
        db.cache.rows(_FORGET_FILLED)


def fill(db: Database, before: str) -> None:
    """Index some more of the tasks before this key, the oldest first. Blocks; part of a transaction."""
    if not db.cache.rows(_IS_THERE):
        for statement in _MAKE:
            db.cache.rows(statement)
    rows = db.cache.rows(_SELECT_NEXT, (filled_to(db) or TASK_PREFIX, before, STEP_ROWS))
    for key, value, tag in rows:
        if isinstance(key, str):
            _index(db, key, value, tag)
    if rows:
        db.cache.rows(_SET_FILLED, (rows[-1][0],))


def found(
    db: Database,
    terms: Sequence[str],
    selection: Selection,
    tags: Sequence[str],
    *,
    since: str,
    before: str,
    limit: int,
) -> list[Row]:
    """The rows of tasks with all terms and one of the tags, which are the selection's, newest first, from the key
    `since` on and before the key `before`. Blocks.

    Raises:
        sqlite3.Error: the index cannot be used.
    """
    words = " AND ".join(f'"{term}"{"*" if _may_go_on(term) else ""}' for term in terms)
    marks = " AND ".join(_asked(selection))
    query = " AND ".join(f"{column} : ({asked})" for column, asked in (("words", words), ("marks", marks)) if asked)
    first, last = _row_number(since), _row_number(before)
    statement = _SELECT_FOUND.format(tags=", ".join("?" * len(tags)))
    bounds = (0 if first is None else first, _ROW_MAX if last is None else last + _NEIGHBOURS_MAX)
    return db.cache.rows(statement, (query, *bounds, since, before, *tags, limit))


def _asked(selection: Selection) -> Iterator[str]:
    """The marks to look for, the rarest first. Of one that had not ended when it was indexed the state is not known."""
    if selection.state is not None:
        yield f"({_mark('s', selection.state)} OR {_NOT_ENDED})" if selection.state in FINAL else _NOT_ENDED
    if selection.kind is not None:
        yield _mark("k", selection.kind)
    if selection.owner is not None:
        yield _mark("o", selection.owner)


def _marks_of(tag: str) -> str:
    if tag.count("/") != 3:
        return _NOT_ENDED
    kind, state = kind_and_state(tag)
    ended = _mark("s", state) if state in FINAL else _NOT_ENDED
    return f"{_mark('o', owner_of(tag))} {_mark('k', kind)} {ended}"


def _mark(letter: str, value: str) -> str:
    """One word of the index, whatever the value is."""
    return f"{letter}{value.encode('utf-8', 'surrogatepass').hex()}"


def _may_go_on(term: str) -> bool:
    """Whether the term's last word may be the beginning of a longer one."""
    return len(term.rpartition(" ")[2]) >= PREFIX_CHARACTERS_MIN


def _text_of_task(document: Document) -> str:
    """The words by which a task is found: those of its prompt, its model, its provider and its file's name."""
    request = document.get("request")
    asked = request if isinstance(request, dict) else {}
    parts = (asked.get("prompt"), asked.get("model"), document.get("model"), document.get("provider"))
    return words_of(" ".join(str(part) for part in (*parts, document.get("output_name")) if part))


def _index(db: Database, key: str, value: object, tag: object) -> None:
    """Index a task as it is now; what cannot be read is indexed without a word, so that the numbers agree."""
    try:
        text = _text_of_task(document_of(value, key))
    except StoreDamaged as error:
        logger.info("task not indexed", extra={"task": key, "problem": error.message})
        text = ""
    told = (key, text, _marks_of(str(tag)))
    for row, there in _rows_for(db, key):
        if there is None:
            db.cache.rows(_INSERT, (*told, row))
        elif there != told:
            db.cache.rows(_UPDATE, (*told, row))


def _rows_for(db: Database, key: str) -> Iterator[tuple[int, Row | None]]:
    """The row of the index for a task, with what stands there; none where its id is no ULID."""
    number = _row_number(key)
    for row in () if number is None else range(number, number + _NEIGHBOURS_MAX):
        there = db.cache.rows(_ROW_AT, (row,))
        if not there or there[0][0] == key:
            yield row, there[0] if there else None
            return


def reopened(db: Database, key: str) -> None:
    """A final state goes on: what is marked of it is no longer so. Blocks; part of the transaction that writes it."""
    try:
        if not db.cache.rows(_IS_THERE):
            return
        for row, there in _rows_for(db, key):
            if there is not None:
                db.cache.rows(_UPDATE, (key, there[1], f"{str(there[2]).rpartition(' ')[0]} {_NOT_ENDED}", row))
    except sqlite3.DatabaseError as error:
        if not is_of_the_index(error):
            raise
        # Whoever searches meets the same fault, and goes without the index.
        logger.warning("the index of words cannot be written", extra={"problem": error})


def ended_since(db: Database, after: int) -> tuple[list[str], int | None]:
    """Keys of some tasks that have ended since they were indexed, and the row from which to go on; `None` at the end of
    the index. Blocks."""
    if not filled_to(db):
        return [], None
    rows = db.cache.rows(_SELECT_NOT_ENDED, (after, LOOK_ROWS))
    ended: list[str] = []
    for number, key, tag in rows:
        if isinstance(key, str) and _NOT_ENDED not in _marks_of(str(tag)).split():
            ended.append(key)
        if len(ended) == STEP_ROWS and isinstance(number, int):
            return ended, number
    last = rows[-1][0] if len(rows) == LOOK_ROWS else None
    return ended, last if isinstance(last, int) else None


def index_again(db: Database, keys: Sequence[str]) -> None:
    """Index these tasks as they are now. Blocks; part of a transaction."""
    for key in keys:
        for value, tag in db.cache.rows(_SELECT_ONE, (key,)):
            _index(db, key, value, tag)


def _row_number(key: str) -> int | None:
    """A number that sorts as the ids do, so that the index is in the order of time; `None` where the id is no ULID."""
    task_id = key.removeprefix(TASK_PREFIX)
    if _ULID.match(task_id) is None:
        return None
    time = _number(task_id[:_TIME_CHARACTERS])
    drawn = _number(task_id[_TIME_CHARACTERS : _TIME_CHARACTERS + _DRAWN_CHARACTERS])
    return min((time << _DRAWN_BITS) | (drawn >> (5 * _DRAWN_CHARACTERS - _DRAWN_BITS)), _ROW_MAX - _NEIGHBOURS_MAX)


def _number(text: str) -> int:
    number = 0
    for character in text:
        number = number * 32 + _ALPHABET.index(character)
    return number


def is_of_the_index(error: sqlite3.DatabaseError) -> bool:
    """Whether it is a fault of the index alone, and not of the file or of the disk."""
    return error.sqlite_errorcode in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT_VTAB)
