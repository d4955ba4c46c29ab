"""What a list shows, and which stored document gives way to a copy, is told to the store as data."""

from pathlib import Path

import pytest
from ulid import ULID

from rushes.domain.document import Selection

from .documents import a_document, opened, task_ids

pytestmark = pytest.mark.anyio


def id_of(second: int) -> str:
    return str(ULID.from_timestamp(1_700_000_000 + second))


@pytest.mark.parametrize("owner", [None, "local"], ids=["of all", "of one"])
async def test_a_page_goes_from_one_moment_to_another(tmp_path: Path, owner: str | None) -> None:
    async with opened(tmp_path / "tasks") as store:
        ids = [str((await store.create(a_document(task_id=id_of(number))))[0]["task_id"]) for number in range(6)]
        selection = Selection(owner, since=ids[1], before=ids[4])
        assert task_ids(await store.page(selection)) == [ids[3], ids[2], ids[1]]
        assert task_ids(await store.page(selection, limit=2)) == [ids[3], ids[2]]


@pytest.mark.parametrize("words", ["", "  ", "!?"], ids=["empty", "blank", "no word"])
async def test_a_search_for_no_word_shows_everything(tmp_path: Path, words: str) -> None:
    async with opened(tmp_path / "tasks") as store:
        created, _ = await store.create(a_document())
        assert await store.page(Selection(words=words)) == [created]


async def test_a_document_that_is_no_record_gives_way_to_a_copy_in_the_revision_in_which_it_was_found(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path / "tasks") as store:
        created, _ = await store.create(a_document())
        copy = {**created, "note": "copy"}
        await store.replace(created)
        assert not await store.restore(copy)
        assert not await store.restore(copy, unsound=1)
        assert await store.restore(copy, unsound=2)
        (back,) = await store.page()
        assert back["note"] == "copy"
