"""Finding tasks again: pages of them by state, kind, words and time, and the index of words behind that."""

import logging
import unicodedata
from dataclasses import replace
from datetime import datetime, timedelta

import anyio

from ..domain.document import Selection
from ..domain.errors import RequestRefused, StoreError
from .ids import first_id, is_task_id
from .journal import TaskJournal
from .ports import Clock, WordIndex
from .service import TaskPage

logger = logging.getLogger(__name__)

INDEXED_AFTER = timedelta(minutes=2)
"""Until then a task's model may become another, and a process whose clock is behind may make one that sorts before."""

LOOK_EVERY_SECONDS = 60.0
PAUSE_SECONDS = 0.05
"""Between two steps, in which other writes come first."""


def id_at(moment: datetime | None) -> str | None:
    """The first id that a task of that moment may have."""
    return None if moment is None else first_id(moment)


async def page_of(journal: TaskJournal, selection: Selection, *, limit: int, cursor: str | None) -> TaskPage:
    """One page of a selection, from the one after `cursor` on.

    Raises:
        RequestRefused: the cursor is no `next_cursor`, or the query holds no word.
        StoreError.
    """
    if cursor is not None and not is_task_id(cursor):
        raise RequestRefused("invalid_input", "The cursor must be the next_cursor of the page before.")
    if selection.words and selection.words.strip() and not _holds_a_word(selection.words):
        raise RequestRefused(
            "invalid_input",
            "The query holds no word to search for: write letters or digits of a prompt, model, provider or file name.",
        )
    before = min((end for end in (cursor, selection.before) if end is not None), default=None)
    found = await journal.page(replace(selection, before=before), limit=limit + 1)
    return TaskPage(tuple(found[:limit]), found[limit - 1].task_id if len(found) > limit else None)


def _holds_a_word(text: str) -> bool:
    return any(character.isalnum() for character in unicodedata.normalize("NFKD", text))


async def index_words(store: WordIndex, clock: Clock) -> None:
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
