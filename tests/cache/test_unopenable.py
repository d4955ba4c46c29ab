"""Damage that already keeps a store from being opened."""

from pathlib import Path

import pytest

from rushes.domain.errors import StoreDamaged

from .documents import opened, task_ids
from .test_damage import DATABASE, database, filled

pytestmark = pytest.mark.anyio

PAGE_BYTES = 4096


async def test_a_large_store_that_could_not_be_opened_for_damage_is_set_aside_at_the_next_start(folder: Path) -> None:
    documents = await filled(folder, 20, padding=1_000_000)
    with database(folder) as connection:
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'Settings'").fetchall()
    file = folder / DATABASE
    assert file.stat().st_size > 16 * 2**20, "a smaller file is checked as a whole when it is opened"
    with file.open("r+b") as writer:
        writer.seek((page - 1) * PAGE_BYTES)
        writer.write(b"\xff" * PAGE_BYTES)

    with pytest.raises(StoreDamaged, match="damaged") as raised:
        async with opened(folder):
            pass
    assert raised.value.hint is not None
    assert raised.value.hint.startswith("Start rushes again")
    async with opened(folder) as store:
        assert store.set_aside is not None
        assert task_ids(await store.page(limit=100)) == task_ids(documents[::-1])
