"""The task record: the durable account of one request, from journal to kept result."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self, TypedDict

from pydantic import BeforeValidator, Field, JsonValue, ValidationError
from typing_extensions import TypeIs

from .chosen import Chosen
from .errors import IllegalTransition
from .failure import Failure
from .job import KEY_STAND_IN, Cost, Job, RemoteOutput, Told
from .money import Allowance, Amount, Currency, Estimate, Measure
from .request import GenerationRequest, Kind
from .value import Value

SCHEMA = 3
"""Version of the record's shape in the store; a change of shape needs a step in `migrations.py`."""

FinalState = Literal["succeeded", "failed", "cancelled", "unknown"]
TaskState = Literal["queued", "running", "succeeded", "failed", "cancelled", "unknown"]
"""What the agent sees. The last four are final."""

FINAL: frozenset[TaskState] = frozenset({"succeeded", "failed", "cancelled", "unknown"})

OpenPhase = Literal["waiting", "submitting", "held", "reconciling", "polling"]
Phase = Literal[OpenPhase, "keeping", "watching", "done"]
"""What rushes has still to do. As long as the state can change it is in an open phase, or it would never end.

waiting      an input is the output of a task that has still to make it; nothing is at any gateway
submitting   the journal is written and the one POST may be under way
held         the gateway definitely refused for now; nothing is under way, and the POST goes out once its time is over
reconciling  the POST's answer was lost; the gateway's list of jobs is searched for it
polling      the gateway has the job
keeping      the gateway is done and outputs are still to be downloaded
watching     cancelled here, but the gateway goes on: a late paid result is still kept
done         nothing
"""

KeepingStatus = Literal["pending", "kept", "failed", "off"]


CLOCKS_APART = timedelta(minutes=10)
"""A gateway's clock may differ from ours by this much before its times are not believed."""


def _readable_cost(value: object) -> object:
    """Before amounts were exact any number was taken for a cost; no record is lost for one that is none."""
    try:
        return value if value is None else Cost.model_validate(value)
    except ValidationError:
        return None


class Keeping(Value):
    """How far the download of one output is."""

    status: KeepingStatus = "pending"
    attempts: int = 0
    after: datetime | None = None
    """Not tried again before this."""
    problem: str | None = None


class KeptMedia(Value):
    """The local file of an output, and what was measured of it."""

    path: str
    mime_type: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    frame_rate: float | None = None
    has_audio: bool | None = None
    measure_problem: str | None = None
    """Why the kept file was not measured; the end of a sentence that begins with it."""
    cut_off: bool = False
    """Its own format says that its end is missing, though all that the gateway gave is there."""
    copied_to: str | None = None
    """Where its copy lies in the person's project."""
    copy_problem: str | None = None
    """Why there is no copy, though one was asked for."""


class Output(Value):
    """One produced medium: where the gateway offers it, the local file, and what lies between the two."""

    remote: RemoteOutput = Field(default_factory=RemoteOutput)
    """Without the bytes that may have come with it."""
    kept: KeptMedia | None = None
    keeping: Keeping = Field(default_factory=Keeping)

    @property
    def mime_type(self) -> str | None:
        """As measured, else as the gateway told."""
        return (self.kept and self.kept.mime_type) or self.remote.mime_type

    @property
    def path(self) -> str | None:
        """Where the kept file lies on this machine."""
        return None if self.kept is None else self.kept.path

    @property
    def pending(self) -> bool:
        """Whether it is still to be downloaded."""
        return self.keeping.status == "pending"

    @property
    def public_url(self) -> str | None:
        """The address where anybody can fetch it: https, and without the gateway's key."""
        url = self.remote.url
        if url is None or not url.startswith("https://") or self.remote.authenticated or KEY_STAND_IN in url:
            return None
        return url


class Attempt(Value):
    """A provider that definitely refused this request before another was tried."""

    provider: str
    model: str
    failure: Failure


class Hold(Value):
    """A request that a gateway refused for now, with the time after which it may come again."""

    until: datetime
    tries: int = 0
    """How often the gateway has asked to wait."""
    seconds: float = 0.0
    """So long it was or is to be held, all times together."""
    why: str = ""


class Settlement(Value):
    """What a person said that a task has cost, because no gateway did."""

    amount: Amount
    currency: Currency
    at: datetime
    told: Cost | None = None
    """What the gateway had told then; what it tells later counts for more than the person's word."""


class TaskRecord(Value):
    """One task. Immutable: transitions make new ones, and the store compares revisions before it takes one."""

    schema_version: int = Field(default=SCHEMA, alias="schema")
    revision: int = 0
    task_id: str
    """A ULID: sorts by time of creation, unguessable."""
    owner: str
    """The name of the principal it belongs to."""
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
    output_dir: str | None = None
    """A folder of the person's project into which kept files are copied too."""
    named_provider: str | None = None
    """The one that the call named."""
    parents: tuple[str, ...] = ()
    """Ids of the tasks that it comes from: the one it repeats first, then those whose outputs are its inputs."""
    provider: str
    model: str
    """The gateway's own id of the model."""
    chosen: Chosen | None = None
    """Where the choice of the model was left to rushes: why the first one that was tried, and what else would do."""
    plan_path: str = ""
    plan_details: dict[str, JsonValue] = Field(default_factory=dict)
    hook: str | None = None
    """SHA-256 (hex) of the token in the address at which the gateway was asked to call back."""
    answer_folder: str | None = None
    """The folder in which the media of the answer are written as they come, as unfinished files with the task's id in
    their names; only where the POST is answered with the media themselves."""
    job: Job | None = None
    told: Told = Field(default_factory=Told)
    """What the gateway told beside the job's state."""
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
    """When rushes saw the end; `ended_at` is when the job ended."""
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

    deaths_in_step: int = 0
    """Processes in a row that died while they were in a step of this task."""
    set_aside_at: datetime | None = None
    """Since then no process goes on with it by itself, because too many died of it."""

    outputs: tuple[Output, ...] = ()
    failure: Failure | None = None
    cost: Annotated[Cost | None, BeforeValidator(_readable_cost)] = None
    estimate: Estimate | None = None
    """What it was to cost at this provider, as it was known before the POST."""
    allowed: Allowance | None = None
    """What it may cost at most, where its caller or a person said so: it counts until the POST is sent."""
    measure: Measure | None = None
    """What the price goes by; `None` in records of an older rushes."""
    free: bool = False
    """The provider takes no money."""
    settlement: Settlement | None = None
    warnings: tuple[str, ...] = ()

    @property
    def final(self) -> bool:
        """Whether the state can no longer change."""
        return self.state in FINAL

    @property
    def ended_at(self) -> datetime | None:
        """When the job ended: the gateway's time where it told one that can be, else when rushes saw it."""
        told, seen = self.told.finished_at, self.finished_at
        if told is None or seen is None or self.state not in ("succeeded", "failed"):
            return seen
        return told if self.created_at - CLOCKS_APART <= told <= seen + CLOCKS_APART else seen

    @property
    def by_hand(self) -> Settlement | None:
        """What a person said of its cost, as long as that is the last word: no gateway has told one since."""
        return self.settlement if self.settlement is not None and self.settlement.told == self.cost else None

    @property
    def settled(self) -> bool:
        """Nothing more comes soon: it is final, and every output was kept, given up, or has met a first obstacle; or it
        is set aside."""
        if self.set_aside_at is not None:
            return True
        return self.final and all(not output.pending or output.keeping.attempts > 0 for output in self.outputs)

    def model_copy(self, *, update: None = None, deep: bool = False) -> Self:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """A plain copy. Changes go through `tasks/life`, which checks them; pydantic would take any.

        Raises:
            IllegalTransition: with `update`, from a caller who got past the type checker.
        """
        if update:
            raise IllegalTransition("a task's record is changed by the functions of tasks/life only")
        return super().model_copy(deep=deep)


class UnfinishedRecord(TaskRecord):
    """For type checkers: a record whose state can still change. Nothing is of this class; `unfinished` tells."""


def unfinished(record: TaskRecord) -> TypeIs[UnfinishedRecord]:
    """Whether the record's state can still change."""
    return not record.final


class Changes(TypedDict, total=False):
    """What a step in a task's life may set beside its state and phase. All else stays, or follows."""

    worker: str | None
    request: GenerationRequest
    answer_folder: str | None
    chosen: Chosen | None
    hook: str | None
    provider: str
    model: str
    plan_path: str
    plan_details: dict[str, JsonValue]
    job: Job | None
    hold: Hold | None
    told: Told
    reconciled: bool
    tried: tuple[Attempt, ...]
    progress: float | None
    submitted_at: datetime | None
    started_at: datetime | None
    deadline_at: datetime
    next_poll_at: datetime | None
    polls: int
    poll_errors: int
    empty_successes: int
    overdue_looks: int
    cancel_requested_at: datetime | None
    deaths_in_step: int
    set_aside_at: datetime | None
    outputs: tuple[Output, ...]
    failure: Failure | None
    cost: Cost | None
    estimate: Estimate | None
    measure: Measure | None
    free: bool
    settlement: Settlement | None
    warnings: tuple[str, ...]
