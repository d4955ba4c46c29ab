"""The task record: the durable account of one request, from journal to kept result (design §2 and §4)."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from .failure import Failure
from .job import Cost, Job
from .request import GenerationRequest, Kind

SCHEMA = 1
"""Version of the record's shape in the store; a change of shape needs a step in `migrations.py`."""

TaskState = Literal["queued", "running", "succeeded", "failed", "cancelled", "unknown"]
"""What the agent sees. The last four are final."""

FINAL: frozenset[TaskState] = frozenset({"succeeded", "failed", "cancelled", "unknown"})

Phase = Literal["submitting", "held", "reconciling", "polling", "keeping", "watching", "done"]
"""What rushes has still to do.

submitting   the journal is written and the one POST may be under way
held         the gateway definitely refused for now; nothing is under way, and the POST goes out once its time is over
reconciling  the POST's answer was lost; the gateway's list of jobs is searched for it
polling      the gateway has the job
keeping      the gateway is done and outputs are still to be downloaded
watching     cancelled here, but the gateway goes on: a late paid result is still kept
done         nothing
"""

Keeping = Literal["pending", "kept", "failed", "off"]


class Output(BaseModel):
    """One produced medium: where the gateway offers it, and the local file with its measured facts."""

    model_config = ConfigDict(frozen=True)

    url: str | None = None
    authenticated: bool = False
    fallback_url: str | None = None
    """The gateway's own address of the same medium, tried where `url` fails."""
    expires_at: datetime | None = None
    mime_type: str | None = None
    keeping: Keeping = "pending"
    keep_attempts: int = 0
    keep_after: datetime | None = None
    """Not tried again before this."""
    keep_problem: str | None = None
    path: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    frame_rate: float | None = None
    has_audio: bool | None = None


class Attempt(BaseModel):
    """A provider that definitely refused this request before another was tried."""

    model_config = ConfigDict(frozen=True)

    provider: str
    model: str
    failure: Failure


class Hold(BaseModel):
    """A request that a gateway refused for now, with the time after which it may come again."""

    model_config = ConfigDict(frozen=True)

    until: datetime
    tries: int = 0
    """How often the gateway has asked to wait."""
    seconds: float = 0.0
    """So long it was or is to be held, all times together."""
    why: str = ""


class TaskRecord(BaseModel):
    """One task. Immutable: transitions make new ones, and the store compares revisions before it takes one."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = Field(default=SCHEMA, alias="schema")
    revision: int = 0
    task_id: str
    """A ULID: sorts by time of creation, unguessable."""
    owner: str = "local"
    """The principal it belongs to."""
    kind: Kind
    state: TaskState = "queued"
    phase: Phase = "submitting"
    open: bool = True
    """False in phase `done`: an index of the store."""
    worker: str | None = None
    """The process that works on it (`cache/workers/leases.py`)."""

    request: GenerationRequest
    fingerprint: str | None = None
    output_name: str | None = None
    provider: str
    model: str
    """The gateway's own id of the model."""
    plan_path: str = ""
    plan_details: dict[str, JsonValue] = Field(default_factory=dict)
    job: Job | None = None
    reconciled: bool = False
    """The job was found in the gateway's list, because the answer to the submission was lost."""
    tried: tuple[Attempt, ...] = ()
    hold: Hold | None = None
    """In phase `held` what it waits for, afterwards how often and how long it waited."""

    progress: float | None = None
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None = None
    """When the POST was about to leave."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    deadline_at: datetime
    """After this the task is given up with `timeout`."""
    next_poll_at: datetime | None = None
    polls: int = 0
    poll_errors: int = 0
    """In a row."""
    empty_successes: int = 0
    """Looks in a row at which the gateway spoke of success without an output."""
    overdue_looks: int = 0
    """Looks in a row after which the deadline (or the end of watching) had passed."""
    cancel_requested_at: datetime | None = None

    outputs: tuple[Output, ...] = ()
    failure: Failure | None = None
    cost: Cost | None = None
    warnings: tuple[str, ...] = ()

    @property
    def final(self) -> bool:
        """Whether the state can no longer change."""
        return self.state in FINAL

    @property
    def settled(self) -> bool:
        """Final, and every output was kept, given up, or has met a first obstacle: nothing more comes soon."""
        return self.final and all(output.keeping != "pending" or output.keep_attempts > 0 for output in self.outputs)
