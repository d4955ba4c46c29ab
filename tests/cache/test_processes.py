"""Several real processes on one store."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from rushes.cache.embedded.diskcache_adapter import CHECKPOINT_BYTES
from rushes.domain.errors import StoreBusy

from .documents import a_document, opened
from .processes import line_of, started, tell

pytestmark = pytest.mark.anyio


def test_ten_equal_calls_at_once_in_two_processes_make_one_document(folder: Path) -> None:
    with started("racer.py", "create", folder, 10) as one, started("racer.py", "create", folder, 10) as two:
        for process in (one, two):
            assert line_of(process) == "ready"
        for process in (one, two):
            tell(process, "go")
        answers: list[tuple[str, bool]] = [answer for process in (one, two) for answer in json.loads(line_of(process))]
    assert len(answers) == 20
    assert len({task_id for task_id, _ in answers}) == 1
    assert sum(new for _, new in answers) == 1


@pytest.mark.parametrize("acknowledged_before_the_kill", [1, 40, 400])
async def test_kill_9_loses_nothing_that_was_acknowledged(folder: Path, acknowledged_before_the_kill: int) -> None:
    lines: list[str] = []
    with started("racer.py", "write", folder) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            lines.append(line)
            if len(lines) == acknowledged_before_the_kill:
                writer.kill()
    assert len(lines) >= acknowledged_before_the_kill
    complete = [line.split() for line in lines if line.endswith("\n")]
    async with opened(folder, schema=1) as store:
        for task_id, revision in complete:
            document = await store.get(task_id)
            assert document is not None
            assert isinstance(document["revision"], int)
            assert document["revision"] >= int(revision)
        assert store.set_aside is None


def _holding_the_lock(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / "cache.db", isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    return connection


async def test_a_write_waits_for_another_process_that_holds_the_store(folder: Path) -> None:
    async with opened(folder) as store:
        with closing(_holding_the_lock(folder)) as holder:
            created: list[bool] = []

            async def create() -> None:
                created.append((await store.create(a_document()))[1])

            with anyio.fail_after(10):
                async with anyio.create_task_group() as group:
                    group.start_soon(create)
                    await anyio.wait_all_tasks_blocked()
                    assert created == []
                    assert await store.page() == []  # readers do not wait
                    holder.execute("ROLLBACK")
            assert created == [True]


async def test_a_store_that_is_held_too_long_is_busy_and_nothing_is_written(folder: Path) -> None:
    async with opened(folder, timeout_seconds=0.2) as store:
        with closing(_holding_the_lock(folder)) as holder:
            with anyio.fail_after(10), pytest.raises(StoreBusy, match="another process"):
                await store.create(a_document())
            holder.execute("ROLLBACK")
        assert await store.count() == {}
        assert (await store.create(a_document()))[1]


async def test_opening_a_store_that_is_held_too_long_is_busy(folder: Path) -> None:
    async with opened(folder):
        pass
    with closing(_holding_the_lock(folder)), anyio.fail_after(10), pytest.raises(StoreBusy):
        async with opened(folder, timeout_seconds=0.2):
            raise NotImplementedError


async def test_the_log_does_not_grow_without_end(folder: Path) -> None:
    async with opened(folder) as one, opened(folder) as two:
        for _ in range(60):
            async with anyio.create_task_group() as group:
                for store in (one, two):
                    for _ in range(4):
                        group.start_soon(store.create, a_document(padding="x" * 50_000))
        log = await anyio.Path(folder / "cache.db-wal").stat()
        assert log.st_size < 2 * CHECKPOINT_BYTES
        assert await one.count() == await two.count() == {"queued": 480}


async def test_a_reader_that_stays_long_holds_up_no_writer(folder: Path) -> None:
    async with opened(folder) as store:
        await store.create(a_document())
        with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT COUNT(*) FROM Cache").fetchone() == (1,)
            with anyio.fail_after(30):
                for _ in range(200):
                    await store.create(a_document(padding="x" * 50_000))
            assert reader.execute("SELECT COUNT(*) FROM Cache").fetchone() == (1,)
        assert await store.count() == {"queued": 201}
