"""The search for a lost job in the gateway's list takes none that may be another task's."""

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from rushes.domain.errors import SubmissionLost
from rushes.domain.job import Job, Observation, Plan, PossibleJob, Submission
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.providers.provider import Traits
from rushes.tasks.engine import Engine

from .engines import a_wish, an_engine
from .scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

RUNNING = Observation(state="running")
FAILED = Observation(state="failed")
JOB = Job(job_id="job-1", model="m1")
LOST = SubmissionLost("the connection broke")
FINDS = Traits(finds_jobs=True)


async def _over(engine: Engine, task_id: str) -> TaskRecord:
    with anyio.fail_after(20):
        while not (record := await engine.wait(task_id, seconds=1, principal=LOCAL)).final:
            pass
    return record


async def test_a_job_that_may_be_the_lost_one_is_taken_where_nothing_else_is_missing(tmp_path: Path) -> None:
    possible = PossibleJob(job_id="job-1", model="m1", details={"a": 1})
    gateway = ScriptedProvider(traits=FINDS, answers=[LOST], listed=[possible], looks=[FAILED])
    async with an_engine(tmp_path, gateway) as engine:
        record = await _over(engine, (await engine.generate(a_wish())).record.task_id)
    assert (record.state, record.job, type(record.job)) == (
        "failed",
        Job(job_id="job-1", model="m1", details={"a": 1}),
        Job,
    )


class _ListsOfTwo(ScriptedProvider):
    """It lists nothing before a second request has come: one that is lost alone is rightly found."""

    async def find_job(self, plan: Plan, age: timedelta, *, known: Collection[str] = ()) -> Job | None:
        return await super().find_job(plan, age, known=known) if len(self.plans) > 1 else None


async def test_it_is_left_alone_where_another_submission_may_have_become_it(tmp_path: Path) -> None:
    possible = PossibleJob(job_id="job-1", model="m1")
    gateway = _ListsOfTwo(traits=FINDS, answers=[LOST], listed=[possible] * 500, looks=[RUNNING])
    async with an_engine(tmp_path, gateway) as engine:
        ids = [(await engine.generate(a_wish(prompt))).record.task_id for prompt in ("a fox", "a bear")]
        ended = [await _over(engine, task_id) for task_id in ids]
    assert [(record.state, record.job) for record in ended] == [("unknown", None)] * 2


async def test_the_job_of_another_task_is_never_taken_however_old_that_is(tmp_path: Path) -> None:
    gateway = ScriptedProvider(
        traits=FINDS,
        answers=[Submission(job=JOB, observation=RUNNING), LOST],
        listed=[JOB, None] * 300,
        looks=[RUNNING],
    )
    async with an_engine(tmp_path, gateway) as engine:
        first = (await engine.generate(a_wish("a fox"))).record
        assert first.job == JOB
        lost = await _over(engine, (await engine.generate(a_wish("a bear"))).record.task_id)
    assert (lost.state, lost.job) == ("unknown", None)
