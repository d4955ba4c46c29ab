"""A search for words in the rows of one database: by the index as far as that goes, else row by row."""

import logging
import sqlite3
from collections.abc import Sequence

from ...domain.document import Document, Selection
from . import word_index
from .database import Database
from .documents import TASK_PREFIX
from .task_lists import LAST_KEY, bounds_of, newest_tagged, tagged_keys, tags_of

logger = logging.getLogger(__name__)

Step = tuple[list[Document], str | None]
"""What was found, and the task id from which the next step goes on; `None` where there is none."""


def search(db: Database, selection: Selection, terms: Sequence[str], limit: int) -> Step:
    """One step of a search for the terms, so that other calls come in between. Blocks."""
    first, key = bounds_of(selection)
    tags = tags_of(db, selection)
    indexed = word_index.filled_to(db)
    if not indexed or _are_few(db, tags):
        return _looked_through(db, tags, terms, first, key, limit)
    newer, position = _looked_through(db, tags, terms, max(first, indexed + "\0"), key, limit)
    if position is not None or len(newer) == limit:
        return newer, position
    try:
        end, left = min(key, indexed + "\0"), limit - len(newer)
        found = word_index.found(db, terms, tags, since=first, before=end, limit=left)
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
    looked_at = newest_tagged(db, tags, first, before, word_index.STEP_ROWS)
    documents = (document for document in map(db.readable, looked_at) if document is not None)
    found = [document for document in documents if word_index.has_all(document, terms)]
    if len(found) >= limit or len(looked_at) < word_index.STEP_ROWS:
        return found[:limit], None
    return found, str(looked_at[-1][0]).removeprefix(TASK_PREFIX)


def _are_few(db: Database, tags: Sequence[str]) -> bool:
    most = word_index.FEW + 1
    return sum(len(tagged_keys(db, tag, TASK_PREFIX, LAST_KEY, most)) for tag in tags) < most
