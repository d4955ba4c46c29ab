"""Records and observations for tests of the heart."""

from datetime import UTC, datetime, timedelta

from rushes.domain.failure import failure
from rushes.domain.job import Job, Observation, RemoteOutput, Submission
from rushes.domain.record import TaskRecord
from rushes.domain.request import GenerationRequest

from ..altered import altered

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def a_record(**changes: object) -> TaskRecord:
    """A freshly journaled video task."""
    record = TaskRecord(
        task_id="01KABCDEFGHJKMNPQRSTVWXYZ0",
        kind="video",
        request=GenerationRequest(kind="video", prompt="a red fox"),
        provider="gate",
        model="veo",
        worker="w1",
        created_at=START,
        updated_at=START,
        submitted_at=START,
        deadline_at=START + timedelta(hours=1),
        owner="local",
    )
    return altered(record, changes)


JOB = Job(job_id="job-1", model="veo")
QUEUED = Observation(state="queued")
RUNNING = Observation(state="running", progress=0.4)
SUCCEEDED = Observation(state="succeeded", outputs=(RemoteOutput(url="https://cdn.example/1.mp4"),))
FAILED = Observation(state="failed", failure=failure("content_violation", "refused by the filter", charged="no"))
CANCELLED = Observation(state="cancelled", failure=failure("cancelled", "cancelled there", charged="no"))
ACCEPTED = Submission(job=JOB, observation=QUEUED)


def polling(**changes: object) -> TaskRecord:
    """A task whose job the gateway has."""
    return a_record(phase="polling", job=JOB, **changes)
