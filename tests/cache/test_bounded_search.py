"""A search is quick also where a word is common and hardly a task with it is what is looked for."""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from rushes.cache.embedded import word_index
from rushes.cache.embedded.database import Database
from rushes.cache.embedded.diskcache_adapter import TaskCache, open_cache
from rushes.cache.embedded.searching import FEW, search
from rushes.cache.embedded.store import Document, TaskStore
from rushes.cache.embedded.task_rows import create
from rushes.cache.embedded.word_index import LOOK_ROWS
from rushes.domain.document import Selection

from .documents import opened, task_ids
from .test_search import LATER, a_task, fill

pytestmark = pytest.mark.anyio

Fields = dict[str, JsonValue]

TASKS = 2400
ANNA = "Anna B/'%"
RARE = FEW + 80
"""Too many to be looked through one by one, and few of all."""


def _a_fox_or_not(number: int) -> Document:
    """Tasks of which each fifth is one of another state, kind and owner, and none of these has the common word."""
    is_rare = number % (TASKS // RARE) == 0
    fields: Fields = {"state": "succeeded", "kind": "video", "owner": "local", "open": False}
    if is_rare:
        fields |= {"state": "failed", "kind": "image", "owner": ANNA}
    return a_task(number, "a wolf" if is_rare else "a badger", fields)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Generator[Database]:
    cache = open_cache(tmp_path_factory.mktemp("many") / "tasks").cache
    db = Database(cache, 3, {})
    with cache.transaction(durable=False):
        for number in range(TASKS):
            create(db, _a_fox_or_not(number))
        while word_index.is_behind(db, f"task:{LATER}"):
            word_index.fill(db, f"task:{LATER}")
    yield db
    cache.close()


def _instructions(cache: TaskCache) -> list[int]:
    """What the database does from now on, in instructions of SQLite's virtual machine, to the hundred."""
    done = [0]

    def count() -> int:
        done[0] += 100
        return 0

    cache._con.set_progress_handler(count, 100)  # pyright: ignore[reportPrivateUsage]
    return done


def _all_steps(db: Database, query: str, selection: Selection) -> tuple[list[Document], int]:
    found: list[Document] = []
    before: str | None = None
    for steps in range(1, TASKS):
        more, before = search(db, replace(selection, before=before), word_index.terms_of(query), 11)
        found += more
        if before is None or len(found) >= 11:
            return found, steps
    raise AssertionError("a search without an end")


ONLY_RARE = [
    Selection(state="failed"),
    Selection(kind="image"),
    Selection(owner=ANNA),
    Selection(ANNA, "failed", "image"),
]


only_rare = pytest.mark.parametrize("selection", ONLY_RARE, ids=["state", "kind", "owner", "all"])


@only_rare
def test_a_common_word_is_no_long_walk_where_hardly_a_task_fits(many: Database, selection: Selection) -> None:
    done = _instructions(many.cache)
    none, steps = _all_steps(many, "badger", selection)
    some, _ = _all_steps(many, "wolf", selection)

    assert (none, len(some), steps) == ([], 11, 1)
    assert done[0] < 12_000, "a walk through the tasks with the word takes several times that"


@only_rare
def test_without_the_index_thousands_are_glanced_at_in_one_step(many: Database, selection: Selection) -> None:
    end = word_index.filled_to(many)
    word_index.begin_again(many)
    try:
        none, steps = _all_steps(many, "badger", selection)
        some, _ = _all_steps(many, "wolf", selection)
    finally:
        many.cache.rows("INSERT INTO rushes_found_filled VALUES (1, ?)", (end,))

    assert (none, len(some)) == ([], 11)
    assert steps == TASKS // LOOK_ROWS + 1


async def _store_with(store: TaskStore, *tasks: Fields) -> list[Document]:
    made = [(await store.create(a_task(number, "a fox", fields)))[0] for number, fields in enumerate(tasks)]
    await fill(store)
    return made


async def _found(
    store: TaskStore, query: str = "fox", *, state: str | None = None, owner: str | None = None
) -> list[JsonValue]:
    return task_ids(await store.page(Selection(owner, state, words=query)))


RUNNING: Fields = {"state": "running", "open": True}
LOST: Fields = {"state": "unknown", "open": False}


async def test_a_task_that_ends_after_it_was_indexed_is_found_by_the_state_in_which_it_ended(folder: Path) -> None:
    async with opened(folder) as store:
        (running,) = await _store_with(store, RUNNING)
        task_id = str(running["task_id"])
        assert (await _found(store, state="running"), await _found(store, state="failed")) == ([task_id], [])
        await store.replace({**running, "state": "failed", "open": False, "model": "kling-3"})
        assert (await _found(store, state="running"), await _found(store, state="failed")) == ([], [task_id])
        await fill(store)
        assert (await _found(store, state="running"), await _found(store, state="failed")) == ([], [task_id])
        assert await _found(store, "kling") == [task_id], "another gateway made it in the end"


async def test_a_task_that_goes_on_after_its_end_is_found_by_the_state_that_it_has(folder: Path) -> None:
    async with opened(folder) as store:
        (lost,) = await _store_with(store, LOST)
        task_id = str(lost["task_id"])
        going_on = await store.replace({**lost, **RUNNING}, reopens=True)
        assert going_on is not None
        assert (await _found(store, state="unknown"), await _found(store, state="running")) == ([], [task_id])
        await store.replace({**going_on, "state": "succeeded", "open": False})
        assert await _found(store, state="succeeded") == [task_id]
        await fill(store)
        assert await _found(store, state="succeeded") == [task_id]


async def test_many_that_ended_are_indexed_again_in_small_steps(folder: Path) -> None:
    count = word_index.STEP_ROWS + 3
    async with opened(folder) as store:
        made = await _store_with(store, *[RUNNING] * count)
        for document in made:
            await store.replace({**document, "state": "succeeded", "open": False})
        assert await fill(store) == 1
        ended, _ = await store.reader.run(lambda db: word_index.ended_since(db, 0))
        assert ended == []
        assert len(await _found(store, state="succeeded", owner="local")) == 20


@pytest.mark.parametrize("owner", ["Ada Ö", 'a"b OR c', "ud800\ud800"])
async def test_an_owner_of_any_name_finds_what_is_theirs(folder: Path, owner: str) -> None:
    async with opened(folder) as store:
        _, theirs = await _store_with(store, LOST, {**LOST, "owner": owner})
        assert await _found(store, owner=owner) == [theirs["task_id"]]


@pytest.mark.parametrize("query", ["...", "fox ..."])
async def test_a_query_without_words_bounds_nothing(folder: Path, query: str) -> None:
    async with opened(folder) as store:
        made = await _store_with(store, LOST, RUNNING)
        newest: Sequence[str] = [str(each["task_id"]) for each in reversed(made)]
        assert await _found(store, query) == newest
        assert await _found(store, query, state="unknown") == [newest[-1]]


async def test_the_index_of_an_older_rushes_gives_way(folder: Path) -> None:
    async with opened(folder) as store:
        await store.create(a_task(0, "a fox"))
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as connection:
        connection.execute("CREATE VIRTUAL TABLE rushes_words USING fts5(key UNINDEXED, words)")
        connection.execute("CREATE TABLE rushes_words_filled (one INTEGER PRIMARY KEY, key TEXT NOT NULL)")
    async with opened(folder) as store:
        assert await fill(store) == 1
        assert len(await _found(store)) == 1
    with closing(sqlite3.connect(folder / "cache.db")) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'rushes%'")}
    assert not any(name.startswith("rushes_words") for name in names)
