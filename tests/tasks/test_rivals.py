"""Rivals of a submission whose answer was lost: found by index, however many tasks have come since."""

from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from rushes.cache.embedded.store import TaskStore
from rushes.domain.job import Job
from rushes.domain.record import SCHEMA
from rushes.tasks.clock import SystemClock
from rushes.tasks.ids import first_id, new_task_id
from rushes.tasks.journal import TaskJournal
from rushes.tasks.work.rivals import Rivals

from .makers import START, a_record

pytestmark = pytest.mark.anyio


def test_the_first_id_of_a_moment_comes_before_all_ids_from_then_on() -> None:
    before, after = new_task_id(START - timedelta(milliseconds=1)), new_task_id(START)
    assert before < first_id(START) <= after


async def test_a_rival_is_found_behind_any_number_of_newer_tasks(tmp_path: Path) -> None:
    async with TaskStore.opened(tmp_path, schema=SCHEMA) as store:
        journal, rivals_of = TaskJournal(store, "w1", SystemClock()), Rivals(store)
        lost = a_record(task_id=new_task_id(START), phase="reconciling")
        await journal.create(lost, force_new=True)
        assert await rivals_of.jobs_and_rivals(lost) == (set(), False)
        await journal.create(a_record(task_id=new_task_id(START - timedelta(minutes=30))), force_new=True)

        async def done_later(number: int) -> None:
            task_id = new_task_id(START + timedelta(seconds=number))
            job = Job(job_id=f"job-{number}", model="veo")
            record = a_record(task_id=task_id, job=job, state="succeeded", phase="done", open=False)
            await journal.create(record, force_new=True)

        async with anyio.create_task_group() as group:
            for number in range(600):
                group.start_soon(done_later, number)
        jobs, rivals = await rivals_of.jobs_and_rivals(lost)
        assert rivals
        assert jobs == {f"job-{number}" for number in range(600)}
        assert await rivals_of.others_without_job(lost)
