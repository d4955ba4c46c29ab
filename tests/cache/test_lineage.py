"""The store leads from a task to those that were made from it, by an index."""

from pathlib import Path

import pytest

from .documents import a_document, opened

pytestmark = pytest.mark.anyio


async def test_a_task_leads_to_those_made_from_it_the_earliest_first(folder: Path) -> None:
    async with opened(folder) as store:
        first, _ = await store.create(a_document())
        parent = str(first["task_id"])
        one, _ = await store.create(a_document(parents=[parent, "elsewhere"]))
        other, _ = await store.create(a_document(parents=[parent]))
        await store.create(a_document(parents=[]))
        assert await store.children(parent) == sorted([str(one["task_id"]), str(other["task_id"])])
        assert await store.children("elsewhere") == [one["task_id"]]
        assert await store.children(str(one["task_id"])) == []


async def test_a_task_that_is_put_back_is_a_child_again(folder: Path) -> None:
    async with opened(folder) as store:
        assert await store.restore(a_document(parents=["lost"]))
        assert len(await store.children("lost")) == 1


async def test_an_id_that_begins_like_another_is_another(folder: Path) -> None:
    async with opened(folder) as store:
        await store.create(a_document(parents=["AB"]))
        assert await store.children("A") == []
