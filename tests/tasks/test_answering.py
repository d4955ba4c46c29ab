"""What a generating call answers when the store fails after the journal was written."""

from pathlib import Path

import anyio
import pytest

from rushes.cache.embedded.store import TaskStore
from rushes.domain.errors import StoreBusy
from rushes.domain.job import Job, Observation, Submission
from rushes.domain.principal import LOCAL

from .engines import a_wish, an_engine
from .scripted import ScriptedProvider

pytestmark = pytest.mark.anyio


class StoreThatCannotBeWatched(TaskStore):
    async def foreign_writes(self) -> tuple[int, int]:
        raise StoreBusy("another process held it for 5 s")


async def test_a_task_that_was_journaled_is_answered_although_the_store_fails_then(tmp_path: Path) -> None:
    job = Job(job_id="job:1", model="m1")
    gateway = ScriptedProvider(
        answers=[Submission(job=job, observation=Observation(state="queued"))], hold=anyio.Event()
    )
    async with an_engine(tmp_path, gateway, store_type=StoreThatCannotBeWatched) as engine:
        with anyio.fail_after(10):
            answer = await engine.generate(a_wish())
        assert (await engine.get(answer.record.task_id, principal=LOCAL)).task_id == answer.record.task_id
        assert gateway.hold is not None
        gateway.hold.set()

    assert (answer.record.state, answer.record.phase, answer.deduplicated) == ("queued", "submitting", False)
