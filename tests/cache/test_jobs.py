"""The store leads from a gateway's job to the task that holds it, by an index."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rushes.domain.errors import JobTaken

from .documents import a_document, opened

pytestmark = pytest.mark.anyio


async def test_a_job_leads_to_its_task_at_that_provider(folder: Path) -> None:
    async with opened(folder) as store:
        made, _ = await store.create(a_document(provider="gate", job={"job_id": "a/b:é"}))
        await store.create(a_document(provider="other", job={"job_id": "a/b:é"}))
        await store.create(a_document(provider="gate", job=None))
        assert await store.tasks_of_job("gate", "a/b:é") == [made["task_id"]]
        assert await store.tasks_of_job("gate", "nobody's") == []


async def test_it_is_found_by_the_index_also_in_an_older_store_with_broken_rows(folder: Path) -> None:
    async with opened(folder) as store:
        made, _ = await store.create(a_document(provider="gate", job={"job_id": "1"}))
        await store.create(a_document(provider="gate", job=None))
    with closing(sqlite3.connect(folder / "cache.db", isolation_level=None)) as connection:
        connection.execute("DROP INDEX rushes_job")
        connection.execute("UPDATE Cache SET value = 'junk' WHERE key != ?", (f"task:{made['task_id']}",))
    async with opened(folder) as store:
        assert await store.tasks_of_job("gate", "1") == [made["task_id"]]
    with closing(sqlite3.connect(folder / "cache.db")) as connection:
        assert connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'rushes_job'").fetchone()


async def test_a_job_that_another_task_has_cannot_be_claimed(folder: Path) -> None:
    async with opened(folder) as store:
        holder, _ = await store.create(a_document(provider="gate", job={"job_id": "1"}))
        seeker, _ = await store.create(a_document(provider="gate", job=None))
        with pytest.raises(JobTaken, match=str(holder["task_id"])):
            await store.replace({**seeker, "job": {"job_id": "1"}}, claims_job=True)
        assert (await store.get(str(seeker["task_id"]))) == seeker
        assert await store.replace({**seeker, "job": {"job_id": "2"}}, claims_job=True) is not None


async def test_a_final_state_goes_on_only_where_that_is_meant(folder: Path) -> None:
    async with opened(folder) as store:
        made, _ = await store.create(a_document(state="unknown", open=False))
        with pytest.raises(ValueError, match="cannot become"):
            await store.replace({**made, "state": "running"})
        assert await store.replace({**made, "state": "running"}, reopens=True) is not None
