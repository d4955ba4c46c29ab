"""The provider: a configured gateway, or the built-in sandbox, as the rest of rushes sees it."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Protocol, runtime_checkable

from pydantic import ConfigDict, Field, JsonValue, SecretStr

from ..domain.hooks import HookReading, HookRequest
from ..domain.job import Job, Observation, Plan, RemoteOutput, Submission
from ..domain.model_facts import ModelFacts
from ..domain.request import GenerationRequest, Kind
from ..domain.value import Value


class ProviderSettings(Value):
    """One configured provider: an instance of a format at a base URL with a key."""

    model_config = ConfigDict(extra="forbid")

    name: str
    wire: str
    base_url: str | None = None
    """Scheme, host and prefix (if any) in front of the documented paths, without a slash at the end."""
    api_key: SecretStr | None = None
    api_key_env: str | None = None
    """Where the key is read from, for messages."""
    options: dict[str, JsonValue] = Field(default_factory=dict)
    """Switches of the format, such as `seconds = "string"`."""
    timeout_seconds: float = 60.0
    """Limit on one read (poll, list). A submission may take longer."""
    keyless: bool = False
    """It needs neither a key nor a base URL."""
    work_folder: Path | None = None
    """Where it may keep what its unfinished jobs need after a restart; `None`: that ends with the process."""
    requests_max: int = 16
    """Bound on reads under way at once at this gateway, and on submissions."""
    result_origins: tuple[str, ...] = ()
    """Places inside the user's network from which its results may be fetched, such as `http://127.0.0.1:9000`."""
    requests_per_minute: int | None = None
    """Rate to keep inside of; `None` for what the gateway documents, where it does."""
    public_url: str | None = None
    """Where the gateway reaches this rushes to call back; without a slash at the end."""
    webhook_secret: SecretStr | None = None
    """By which the gateway signs all its hooks, `whsec_…`; only where its format has such a signature."""


class Traits(Value):
    """What a provider can do besides generating."""

    cancels: bool = False
    """The gateway can cancel a job."""
    finds_jobs: bool = False
    """The gateway can list its jobs, so that a lost answer can be reconciled."""
    repeatable: bool = False
    """A submission found in flight may be sent again, because it costs nothing and has no effect of its own."""
    free: bool = False
    """It costs nothing and makes no real media: it is chosen by name, or where no other provider has a key."""
    streams: bool = False
    """`submit` and `poll` take a `sink`, for media inside an answer."""
    requests_per_minute: int | None = None
    """Looks and submissions together that the gateway takes in any minute; `None` where no rate is known."""
    calls_back: bool = False
    """Its plans may ask the gateway to call back (`Plan.callback`), and it is a `ReadsHooks`."""


class AccountCheck(Value):
    """What the cheapest documented read says about key and base URL; it spends nothing."""

    ok: bool
    message: str
    checked: bool = True
    """False where the gateway has no such read, so that nothing is known of the key."""
    balance: Decimal | None = None
    currency: str | None = None


class OutputStream(Protocol):
    """An opened output."""

    @property
    def mime_type(self) -> str | None: ...

    @property
    def size_bytes(self) -> int | None: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class AnswerSink(Protocol):
    """Where media inside an answer go while it comes, one after the other. Raises `StoreError`, `OutputRejected`."""

    async def begin(self) -> None:
        """A medium begins."""
        ...

    async def write(self, data: bytes, /) -> None:
        """More of its bytes."""
        ...

    async def end(self) -> Path:
        """It is whole; the unfinished file that holds it."""
        ...

    async def drop(self) -> None:
        """What began is no medium."""
        ...


class Provider(Protocol):
    """One gateway. `plan` is pure; the rest does I/O and raises only what `errors` names."""

    @property
    def name(self) -> str: ...

    @property
    def traits(self) -> Traits: ...

    def models(self) -> Sequence[ModelFacts]:
        """What is known about this provider's models (data file, joined by what `refresh_models` brought)."""
        ...

    def default_model(self, kind: Kind) -> str | None:
        """The id that `auto` stands for, or `None` where the provider has nothing of this kind."""
        ...

    def unlisted_model(self, name: str, kind: Kind) -> ModelFacts | None:
        """What to go by for a model that the data does not know; `None` where no other model can exist."""
        ...

    async def refresh_models(self) -> Sequence[ModelFacts] | None:
        """The gateway's live list of models; `None` where it has none.

        Raises:
            GatewayUnavailable: the list could not be read.
        """
        ...

    def add_models(self, live: Sequence[ModelFacts]) -> None:
        """Join a live list to what `models` answers; a documented row wins over a live one of the same id."""
        ...

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        """The exact POST that this request becomes; pure.

        Raises:
            RequestRefused: the gateway could not do what is asked; nothing was sent.
        """
        ...

    async def submit(self, plan: Plan, *, sink: AnswerSink | None = None) -> Submission:
        """Send the plan once. Long media in the answer go to `sink`, which is given only where `traits.streams`.

        Raises:
            SubmissionRefused: the gateway definitely did not accept it.
            SubmissionLost: the gateway may have accepted it.
            StoreError, OutputRejected: the gateway answered with media, which the sink could not take.
        """
        ...

    async def poll(self, job: Job, *, sink: AnswerSink | None = None) -> Observation:
        """One look at a job; `sink` as in `submit`.

        Raises:
            GatewayUnavailable: the look failed, which says nothing about the job.
        """
        ...

    async def cancel(self, job: Job) -> Observation:
        """Ask the gateway to cancel a job; only where `traits.cancels`.

        Raises:
            GatewayUnavailable: the gateway did not take the request.
        """
        ...

    async def find_job(self, plan: Plan, age: timedelta, *, known: Collection[str] = ()) -> Job | None:
        """The job that a lost submission became, by model, input and time; only where `traits.finds_jobs`.

        `age` is the time that has passed since the submission was journaled: not a time of day, because the clock by
        which that was named may have been set meanwhile. `known` are the ids of jobs that other tasks hold; none of
        them is an answer.

        Raises:
            GatewayUnavailable: the list could not be read.
        """
        ...

    def open_output(self, output: RemoteOutput) -> AbstractAsyncContextManager[OutputStream]:
        """Open an output's URL for streaming.

        Raises:
            OutputUnavailable, OutputExpired, OutputRejected: see `errors`.
        """
        ...

    async def check_account(self) -> AccountCheck: ...

    async def aclose(self) -> None: ...


@runtime_checkable
class ReadsHooks(Protocol):
    """A provider that can tell whether a hook comes from its gateway."""

    def read_hook(self, hook: HookRequest, secret: str, now: datetime) -> HookReading | None:
        """What a hook says; `None` where its signature is missing, wrong or too old.

        `secret` is the one that the gateway was given with the task, where it takes one.
        """
        ...
