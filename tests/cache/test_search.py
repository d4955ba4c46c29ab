"""Tasks are found by words in their prompt and model, by an index where SQLite has one, and without it all the same."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import JsonValue
from ulid import ULID

from rushes.cache.embedded import word_index
from rushes.cache.embedded.database import Database
from rushes.cache.embedded.diskcache_adapter import open_cache
from rushes.cache.embedded.searching import FEW, search
from rushes.cache.embedded.store import Document, TaskStore
from rushes.cache.embedded.task_rows import create
from rushes.domain.document import Selection

from .documents import a_document, opened, task_ids

pytestmark = pytest.mark.anyio

BEGIN = 1_700_000_000.0
LATER = str(ULID.from_timestamp(BEGIN + 10_000_000))


def a_task(number: int, prompt: str, fields: dict[str, JsonValue] | None = None) -> Document:
    request: dict[str, JsonValue] = {"prompt": prompt, "model": "auto"}
    own: dict[str, JsonValue] = {"request": request, "model": "veo-3.1", "provider": "gate", **(fields or {})}
    task_id = str(ULID.from_timestamp(BEGIN + number))
    return a_document(**{"task_id": task_id, **own})


async def a_store_of(store: TaskStore, *prompts: str, indexed: bool) -> list[str]:
    made = [(await store.create(a_task(number, prompt)))[0] for number, prompt in enumerate(prompts)]
    if indexed:
        await fill(store)
    return [str(each["task_id"]) for each in made]


async def fill(store: TaskStore) -> int:
    steps = 0
    while await store.index_words(LATER):
        steps += 1
    return steps


both = pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "plain"])


@both
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("fox", [0, 1]),
        ("FOX snow", [0]),
        ("snow fox", [0]),
        ("foxe", [1]),
        ("veo-3.1", [0, 1, 2, 3, 4]),
        ("veo-3.2", []),
        ("ca", []),
        ("café", [2]),
        ("cafe", [2]),
        ("狐狸", [3]),
        ("狸狐", []),
        ("100", [4]),
        ('" OR *', [4]),
        ("gate", [0, 1, 2, 3, 4]),
    ],
)
async def test_every_word_of_a_query_has_to_be_there_or_begin_a_word_that_is(
    folder: Path, indexed: bool, query: str, expected: Sequence[int]
) -> None:
    async with opened(folder) as store:
        ids = await a_store_of(
            store, "A fox in the snow", "two foxes", "a Café", "一只红狐狸在雪中", "100 % (or NOT)", indexed=indexed
        )
        found = await store.page(Selection(words=query))
    assert task_ids(found) == [ids[number] for number in reversed(expected)]


@both
async def test_what_is_found_can_be_bounded_by_state_kind_owner_and_time(folder: Path, indexed: bool) -> None:
    async with opened(folder) as store:
        for number in range(6):
            fields: dict[str, JsonValue] = {
                "state": "failed" if number % 2 else "succeeded",
                "kind": "image" if number == 5 else "video",
                "owner": "ada" if number == 4 else "local",
                "open": False,
            }
            await store.create(a_task(number, "a fox", fields))
        if indexed:
            await fill(store)

        async def found(
            owner: str = "local", state: str | None = None, kind: str | None = None, since: str = "", before: str = "z"
        ) -> list[int]:
            selection = Selection(owner, state, kind, words="fox", since=since, before=before)
            documents = await store.page(selection)
            return [round(ULID.from_str(str(each["task_id"])).timestamp - BEGIN) for each in documents]

        assert await found() == [5, 3, 2, 1, 0]
        assert await found(state="failed") == [5, 3, 1]
        assert await found(state="failed", kind="video") == [3, 1]
        assert await found(owner="ada") == [4]
        first, end = (str(ULID.from_timestamp(BEGIN + number - 0.5)) for number in (1, 3))
        assert await found(since=first, before=end) == [2, 1]


@both
async def test_pages_of_a_search_go_on_where_the_one_before_ended(folder: Path, indexed: bool) -> None:
    async with opened(folder) as store:
        ids = await a_store_of(store, *["a fox"] * 7, indexed=indexed)
        first = await store.page(Selection(words="fox"), limit=3)
        second = await store.page(Selection(words="fox", before=str(first[-1]["task_id"])), limit=10)
    assert task_ids([*first, *second]) == list(reversed(ids))


async def test_an_older_store_is_indexed_in_small_steps_and_searched_meanwhile(folder: Path) -> None:
    async with opened(folder) as store:
        count = 2 * word_index.STEP_ROWS + 5
        for number in range(count):
            await store.create(a_task(number, f"fox n{number % 7}"))
        seen: list[int] = []
        while await store.index_words(LATER):
            seen.append(len(await store.page(Selection(words="fox"), limit=1000)))
        assert seen == [count] * 3
        assert len(await store.page(Selection(words="fox n3"), limit=1000)) == len(
            [n for n in range(count) if n % 7 == 3]
        )
        newer = await store.create(a_task(count, "a fox, not indexed yet"))
        assert task_ids(await store.page(Selection(words="indexed yet"))) == [newer[0]["task_id"]]


async def test_a_task_that_came_where_the_index_has_been_is_found_after_a_recount(folder: Path) -> None:
    async with opened(folder) as store:
        await a_store_of(store, *["a fox"] * 3, indexed=True)
        late, _ = await store.create(a_task(-5, "an older wolf"))
        await store.recount_words()
        assert await fill(store) == 1
        assert task_ids(await store.page(Selection(words="wolf"))) == [late["task_id"]]
        await store.recount_words()
        assert await fill(store) == 0


async def test_a_task_that_is_put_back_is_found(folder: Path) -> None:
    async with opened(folder) as store:
        await a_store_of(store, *["a fox"] * 3, indexed=True)
        assert await store.restore(a_task(-9, "a lost badger"))
        assert len(await store.page(Selection(words="badger"))) == 1


async def test_an_index_that_is_at_fault_harms_neither_a_write_nor_a_search(folder: Path) -> None:
    async with opened(folder) as store:
        await a_store_of(store, *["a fox"] * (FEW + 1), indexed=True)
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as connection:
        connection.execute("DELETE FROM rushes_found_data")
    async with opened(folder) as store:
        await store.create(a_task(5000, "a new fox"))
        assert len(await store.page(Selection(words="fox"), limit=1000)) == FEW + 2


def test_a_search_in_many_tasks_visits_few_of_them(tmp_path: Path) -> None:
    cache = open_cache(tmp_path / "tasks").cache
    db = Database(cache, 3, {})
    done: dict[str, JsonValue] = {"state": "succeeded", "open": False}

    def searched(query: str) -> tuple[int, int]:
        """How many were found, and the instructions of SQLite's virtual machine, to the hundred."""
        asked = 0

        def count() -> int:
            nonlocal asked
            asked += 100
            return 0

        connection = cache._con  # pyright: ignore[reportPrivateUsage]
        connection.set_progress_handler(count, 100)
        found, more = search(db, Selection(owner="local"), word_index.terms_of(query), limit=20)
        connection.set_progress_handler(None, 100)
        assert more is None
        return len(found), asked

    try:
        with cache.transaction(durable=False):
            for number in range(3000):
                create(db, a_task(number, "fox" if number % 100 else "fox badger", done))
            while word_index.is_behind(db, f"task:{LATER}"):
                word_index.fill(db, f"task:{LATER}")
        for query, expected in (("fox", 20), ("badger", 20), ("fox badger", 20), ("wolf", 0)):
            count, instructions = searched(query)
            assert count == expected
            assert instructions < 10_000, "one pass over all of them takes several times that"
    finally:
        cache.close()
