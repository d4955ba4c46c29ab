"""A search for words in the rows of one database: by the index as far as that goes, else row by row."""

import logging
import sqlite3
from collections.abc import Sequence

from ...domain.document import Document
from . import word_index
from .documents import TASK_PREFIX, task_key
from .rows import LAST_KEY, SELECT_TAGGED_KEYS, Rows, fits

logger = logging.getLogger(__name__)

Step = tuple[list[Document], str | None]
"""What was found, and the task id from which the next step goes on; `None` where there is none."""


def search(
    rows: Rows,
    *,
    terms: Sequence[str],
    owner: str | None,
    state: str | None,
    kind: str | None,
    since: str | None,
    limit: int,
    before: str | None,
) -> Step:
    """One step of a search; see `TaskStore.search`. Blocks."""
    first = TASK_PREFIX if since is None else task_key(since)
    key = LAST_KEY if before is None else task_key(before.encode("ascii", "replace").decode())
    tags = [tag for tag in rows.tags(owner) if fits(tag, state=state, kind=kind)]
    indexed = word_index.filled_to(rows.cache)
    if not indexed or _are_few(rows, tags):
        return _looked_through(rows, tags, terms, first, key, limit)
    newer, position = _looked_through(rows, tags, terms, max(first, indexed + "\0"), key, limit)
    if position is not None or len(newer) == limit:
        return newer, position
    try:
        end, left = min(key, indexed + "\0"), limit - len(newer)
        found = word_index.found(rows.cache, terms, tags, since=first, before=end, limit=left)
    except sqlite3.DatabaseError as error:
        if not word_index.is_of_the_index(error):
            raise
        logger.warning("the index of words cannot be used", extra={"problem": error})
        return _looked_through(rows, tags, terms, first, key, limit)
    return [*newer, *(document for document in map(rows.readable, found) if document is not None)], None


def _looked_through(
    rows: Rows, tags: Sequence[str], terms: Sequence[str], first: str, before_key: str, limit: int
) -> Step:
    """Down to the key `first`, without the index."""
    newest = rows.newest_tagged(tags, before_key, word_index.STEP_ROWS)
    looked_at = [row for row in newest if str(row[0]) >= first]
    documents = (document for document in map(rows.readable, looked_at) if document is not None)
    found = [document for document in documents if word_index.has_all(document, terms)]
    if len(found) >= limit or len(looked_at) < word_index.STEP_ROWS:
        return found[:limit], None
    return found, str(looked_at[-1][0]).removeprefix(TASK_PREFIX)


def _are_few(rows: Rows, tags: Sequence[str]) -> bool:
    most = word_index.FEW + 1
    return sum(len(rows.cache.rows(SELECT_TAGGED_KEYS, (tag, LAST_KEY, most))) for tag in tags) < most
