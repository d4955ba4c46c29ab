"""What is said of the gateway's job: its own id and none of ours, and how a lost one is handed back."""

import pytest

from rushes.domain.failure import failure
from rushes.domain.job import ANSWERED_AT_ONCE, Job
from rushes.server.commands.words import for_people
from rushes.tools import task_of

from .fake_service import NOW, record


@pytest.mark.parametrize(("job_id", "shown"), [("job-1", "job-1"), (ANSWERED_AT_ONCE, None)])
def test_only_an_id_that_the_gateway_gave_is_shown(job_id: str, shown: str | None) -> None:
    job = task_of(record(job=Job(job_id=job_id, model="fox-1"))).job
    assert (None if job is None else job.id) == shown


def test_a_lost_answer_says_how_its_job_is_handed_back() -> None:
    lost = failure("outcome_unknown", "the answer broke off", charged="unknown")
    told = task_of(record(state="unknown", phase="done", open=False, finished_at=NOW, failure=lost)).failure
    assert told is not None
    assert "check_task with its id as job_id" in told.hint
    assert "run `rushes attach` with its id" in for_people(told.hint)
    assert "job_id" not in for_people(told.hint)
