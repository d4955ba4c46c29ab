"""A search for words in the rows of one database: by the index as far as that goes, else row by row."""

import logging
import sqlite3
from collections.abc import Sequence

from ...domain.document import Document, Selection
from . import word_index
from .database import Database
from .diskcache_adapter import Row
from .documents import TASK_PREFIX
from .task_lists import LAST_KEY, bounds_of, newest_tagged, tagged_keys, tags_of

logger = logging.getLogger(__name__)

Step = tuple[list[Document], str | None]
"""What was found, and the task id from which the next step goes on; `None` where there is none."""

FEW = 400
"""So many tasks of the right kind and state are looked through sooner than all."""

_SELECT_SPAN = (
    "SELECT MIN(key), COUNT(*) FROM (SELECT key FROM Cache INDEXED BY Cache_key_raw"
    " WHERE key >= ? AND key < ? AND raw = 1 ORDER BY key DESC LIMIT ?)"
)
_SELECT_LIKELY = (
    "SELECT key, raw, mode, filename, value FROM Cache INDEXED BY Cache_key_raw"
    " WHERE key >= ? AND key < ? AND raw = 1 AND tag IN ({tags}) AND (value GLOB '*\\u*' OR {words})"
    " ORDER BY key DESC LIMIT ?"
)


def search(db: Database, selection: Selection, terms: Sequence[str], limit: int) -> Step:
    """One step of a search for the terms, so that other calls come in between. Blocks."""
    first, key = bounds_of(selection)
    tags = tags_of(db, selection)
    indexed = word_index.filled_to(db)
    newer, position = _looked_through(db, tags, terms, max(first, indexed + "\0"), key, limit)
    if not indexed or position is not None or len(newer) == limit:
        return newer, position
    try:
        end, left = min(key, indexed + "\0"), limit - len(newer)
        found = word_index.found(db, terms, selection, tags, since=first, before=end, limit=left)
    except sqlite3.DatabaseError as error:
        if not word_index.is_of_the_index(error):
            raise
        logger.warning("the index of words cannot be used", extra={"problem": error})
        return _looked_through(db, tags, terms, first, key, limit)
    return [*newer, *(document for document in map(db.readable, found) if document is not None)], None


def _looked_through(
    db: Database, tags: Sequence[str], terms: Sequence[str], first: str, before: str, limit: int
) -> Step:
    """Down to the key `first`, without the index."""
    step = word_index.STEP_ROWS
    if _are_few(db, tags):
        likely, end = newest_tagged(db, tags, first, before, step), None
    else:
        ((least, count),) = db.cache.rows(_SELECT_SPAN, (first, before, word_index.LOOK_ROWS))
        end = str(least) if count == word_index.LOOK_ROWS else None
        likely = _likely(db, tags, terms, end or first, before, step)
    if len(likely) == step:
        end = str(likely[-1][0])
    documents = (document for document in map(db.readable, likely) if document is not None)
    found = [document for document in documents if word_index.has_all(document, terms)]
    if len(found) >= limit or end is None:
        return found[:limit], None
    return found, end.removeprefix(TASK_PREFIX)


def _likely(db: Database, tags: Sequence[str], terms: Sequence[str], first: str, before: str, limit: int) -> list[Row]:
    """Rows in whose text each plain word is, newest first. Only where a text has other characters than ASCII (its JSON
    has `\\u` then) a word may be written there in another way."""
    words = [word for term in terms for word in term.split()]
    plain = [f"%{word}%" for word in words] if all(word.isascii() for word in words) else []
    conditions = " AND ".join(["value LIKE ?"] * len(plain)) or "0"
    statement = _SELECT_LIKELY.format(tags=", ".join("?" * len(tags)), words=conditions)
    return db.cache.rows(statement, (first, before, *tags, *plain, limit))


def _are_few(db: Database, tags: Sequence[str]) -> bool:
    left = FEW
    for tag in tags:
        left -= len(tagged_keys(db, tag, TASK_PREFIX, LAST_KEY, left + 1))
        if left < 0:
            return False
    return True
