"""Finding tasks again: pages of them by state, kind, words and time, and the index of words behind that."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio

from ..domain.errors import RequestRefused, StoreError
from ..domain.record import TaskState
from ..domain.request import Kind
from .findable import Findable
from .ids import first_id, is_task_id
from .journal import TaskJournal, readable
from .ports import Clock
from .service import TaskPage

logger = logging.getLogger(__name__)

INDEXED_AFTER = timedelta(minutes=2)
"""Until then a task's model may become another, and a process whose clock is behind may make one that sorts before."""

LOOK_EVERY_SECONDS = 60.0
PAUSE_SECONDS = 0.05
"""Between two steps, in which other writes come first."""


@dataclass(frozen=True)
class Wanted:
    """Which tasks are looked for; `None`: any."""

    owner: str
    state: TaskState | None = None
    kind: Kind | None = None
    query: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def page_of(journal: TaskJournal, words: Findable, wanted: Wanted, *, limit: int, cursor: str | None) -> TaskPage:
    """One page, from the one after `cursor` on.

    Raises:
        RequestRefused: the cursor is no `next_cursor`.
        StoreError.
    """
    if cursor is not None and not is_task_id(cursor):
        raise RequestRefused("invalid_input", "The cursor must be the next_cursor of the page before.")
    since = None if wanted.since is None else first_id(wanted.since)
    ends = [end for end in (cursor, None if wanted.until is None else first_id(wanted.until)) if end is not None]
    before = min(ends, default=None)
    owner, state, kind = wanted.owner, wanted.state, wanted.kind
    if wanted.query is None:
        page = await journal.page(owner=owner, state=state, kind=kind, limit=limit + 1, before=before)
        found = [record for record in page if since is None or record.task_id >= since]
    else:
        documents = await words.search(
            wanted.query, owner=owner, state=state, kind=kind, limit=limit + 1, since=since, before=before
        )
        found = readable(documents)
    return TaskPage(tuple(found[:limit]), found[limit - 1].task_id if len(found) > limit else None)


async def index_words(store: Findable, clock: Clock) -> None:
    """Keep the index of words up to date, in small steps, until cancelled; an older store gets one this way."""
    counted = False
    while True:
        more = False
        try:
            if not counted:
                await store.recount_words()
                counted = True
            more = await store.index_words(first_id(clock.now() - INDEXED_AFTER))
        except StoreError as error:
            logger.warning("words of tasks not indexed", extra={"problem": error.message})
        # Housekeeping by real time: no task waits for it.
        await anyio.sleep(PAUSE_SECONDS if more else LOOK_EVERY_SECONDS)
