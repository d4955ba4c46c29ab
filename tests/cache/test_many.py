"""100,000 tasks: a list, the unfinished ones and a start cost what they show, not what there is."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

from rushes.cache.embedded.database import Database
from rushes.cache.embedded.diskcache_adapter import open_cache
from rushes.cache.embedded.task_lists import newest, open_documents
from rushes.domain.document import Selection

from .documents import a_document, opened, task_ids

TASKS = 100_000
ANY_ID = "01ANY"
STEPS = 100
"""The virtual machine of SQLite is asked after each so many of its instructions."""


def state_of(number: int) -> str:
    return "unknown" if number % 5000 == 7 else "succeeded"


@cache
def written(state: str, *, is_open: bool) -> str:
    """A document as it is stored, of a task with `ANY_ID`."""
    return json.dumps(a_document(task_id=ANY_ID, state=state, open=is_open, schema=3, revision=1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many") / "tasks"
    open_cache(folder).cache.close()
    rows: list[tuple[str, str, str]] = []
    for number in range(TASKS):
        state, is_open = state_of(number), number % 10_000 == 3
        task_id = f"01{number:024}"
        tag = f"{'open' if is_open else 'done'}/local/video/{state}"
        rows.append((f"task:{task_id}", tag, written(state, is_open=is_open).replace(ANY_ID, task_id)))
    with closing(sqlite3.connect(folder / "cache.db")) as connection, connection:
        connection.executemany("INSERT INTO Cache(key, raw, tag, mode, value) VALUES (?, 1, ?, 1, ?)", rows)
    return folder


@pytest.mark.anyio
async def test_every_list_of_a_large_store_is_right(folder: Path) -> None:
    async with opened(folder) as store:
        newest = await store.page(limit=50)
        assert len(newest) == 50
        assert task_ids(newest) == sorted(map(str, task_ids(newest)), reverse=True)
        assert (
            await store.page(Selection(owner="local", state="succeeded"), limit=3)
            == [document for document in newest if document["state"] == "succeeded"][:3]
        )
        assert len(await store.page(Selection(state="unknown"), limit=50)) == TASKS // 5000
        assert await store.page(Selection(state="failed")) == await store.page(Selection(owner="nobody")) == []
        assert len(await store.open_documents()) == TASKS // 10_000
        assert await store.count() == {"succeeded": TASKS - TASKS // 5000, "unknown": TASKS // 5000}


def page(owner: str | None = None, state: str | None = None, kind: str | None = None) -> Callable[[Database], int]:
    return lambda db: len(newest(db, Selection(owner, state, kind), limit=20))


def open_ones(db: Database) -> int:
    return len(open_documents(db))


@pytest.mark.parametrize(
    ("read", "found"),
    [
        (page(), 20),
        (page(owner="local", state="succeeded"), 20),
        (page(state="unknown", kind="video"), 20),
        (page(owner="local", state="failed"), 0),
        (page(owner="nobody"), 0),
        (open_ones, 10),
    ],
    ids=["newest", "common state", "rare state", "no such state", "no such owner", "open"],
)
def test_a_list_visits_hardly_more_rows_than_it_shows(
    folder: Path, read: Callable[[Database], int], found: int
) -> None:
    db = Database(open_cache(folder).cache, 3, {})
    try:
        asked = 0

        def count() -> int:
            nonlocal asked
            asked += 1
            return 0

        connection = db.cache._con  # pyright: ignore[reportPrivateUsage]
        connection.set_progress_handler(count, STEPS)
        assert read(db) == found
        connection.set_progress_handler(None, STEPS)
        assert asked * STEPS < 5_000, "one pass over all rows would take more than 300,000 instructions"
    finally:
        db.cache.close()
