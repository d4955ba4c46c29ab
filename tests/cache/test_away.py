"""A store whose folder is taken away under it, and whatever is found in its place meanwhile."""

from pathlib import Path

import pytest

from rushes.domain.errors import StoreError

from .documents import a_document, opened, task_ids

pytestmark = pytest.mark.anyio


async def test_a_store_that_could_not_be_opened_in_its_place_works_as_ever_when_its_folder_is_back(
    folder: Path,
) -> None:
    away = folder.with_name("away")
    async with opened(folder) as store:
        first, _ = await store.create(a_document(), fingerprint="first")
        folder.rename(away)
        folder.symlink_to("nowhere")
        for _ in range(2):
            with pytest.raises(StoreError, match=f"at {folder} cannot be written"):
                await store.create(a_document())
            with pytest.raises(StoreError, match=f"at {folder} cannot be written"):
                await store.get(str(first["task_id"]))
            with pytest.raises(StoreError, match=f"at {folder} cannot be written"):
                await store.foreign_writes()
        folder.unlink()
        away.rename(folder)

        again = await store.replace(first, answer="both rows")
        second, _ = await store.create(a_document(), fingerprint="second")
        assert task_ids(await store.page()) == task_ids([second, first])
        assert await store.get(str(first["task_id"])) == again
        assert not (folder / "suspect").exists()


async def test_a_store_that_could_not_be_opened_in_its_place_is_closed_in_order(folder: Path) -> None:
    async with opened(folder) as store:
        folder.rename(folder.with_name("away"))
        folder.symlink_to("nowhere")
        with pytest.raises(StoreError, match="cannot be written"):
            await store.create(a_document())
