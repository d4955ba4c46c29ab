"""What becomes of writes that shared a transaction, when one of them meets a fault."""

import threading
from pathlib import Path

import anyio
import pytest

from rushes.cache.embedded.database import Database
from rushes.cache.embedded.diskcache_adapter import PutRow
from rushes.domain.errors import StoreError

from .documents import a_document, opened

pytestmark = pytest.mark.anyio


async def test_a_write_that_is_done_again_alone_is_done_once_whatever_fault_meets_the_next(folder: Path) -> None:
    tries: list[int] = []
    told: list[object] = []

    def fails_half_way_and_then_in_the_database(db: Database) -> None:
        db.cache.put(PutRow("value:half", "1"))
        tries.append(len(tries))
        if len(tries) == 1:
            raise ValueError("half-way")
        db.cache.rows("SELECT 1 FROM nowhere")

    def hold(_: Database) -> bool:
        return gate.wait(10)

    async def create() -> None:
        told.append(await store.create(document))

    async def fail() -> None:
        with pytest.raises(StoreError, match="nowhere"):
            await store.writer.run(fails_half_way_and_then_in_the_database)
        told.append("failed")

    document, gate = a_document(), threading.Event()
    with anyio.fail_after(20):
        async with opened(folder) as store, anyio.create_task_group() as group:
            group.start_soon(store.writer.run, hold)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(create)
            group.start_soon(fail)
            await anyio.wait_all_tasks_blocked()
            gate.set()
    assert told == [({**document, "schema": 3, "revision": 1}, True), "failed"]
