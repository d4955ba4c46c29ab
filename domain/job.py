"""The gateway's side of a task: the plan of its one POST, the job, and what an observation of it says."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue

from .failure import Failure
from .money import USD, Amount, Currency
from .value import Value

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]

SUCCESS_WITHOUT_OUTPUT = "the gateway says the job succeeded, but shows no output yet"
"""A note on a *running* observation of such a job: some gateways fill the output a moment after the state.
Who polls counts these, and after a few gives the job up as `provider_error` with `charged: unknown`."""


ANSWERED_AT_ONCE = "answered-at-once"
"""In place of a job's id where a gateway answered the POST with the media and named none; nobody is shown it."""

KEY_STAND_IN = "KEY-NOT-SHOWN"
"""In an address that the gateway's key is part of: the key is put back only where it is fetched."""


class Cost(Value):
    """What the gateway says it charged."""

    amount: Amount
    currency: Currency = USD


class Plan(Value):
    """The one POST that a request becomes. Pure data: `dry_run` shows it, `submit` sends it.

    `body` is the exact JSON of the gateway. `details` is what polling needs besides the job's id. `accept` names what
    a synchronous endpoint answers with; a plan with `asynchronous` false gets its outputs in the answer to the POST.
    """

    provider: str
    model: str
    """The gateway's own id of the model."""
    path: str
    """Path below the base URL, already percent-encoded; empty for the sandbox."""
    query: dict[str, str] = Field(default_factory=dict)
    body: dict[str, JsonValue] = Field(repr=False)
    encoding: Literal["json", "multipart"] = "json"
    headers: dict[str, str] = Field(default_factory=dict)
    """Extra headers; never the key."""
    asynchronous: bool = True
    details: dict[str, JsonValue] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    instead: dict[str, JsonValue] = Field(default_factory=dict)
    """Inputs that `provider_options` set in the gateway's own fields, by the tools' names: the price may go by them."""
    callback: dict[str, JsonValue] = Field(default_factory=dict)
    """Fields beside the body's that ask the gateway to call back, with stand-ins (`domain/hooks.py`); not sent as they
    are."""
    callback_in: Literal["body", "query"] = "body"
    """Beside the fields of which these belong."""


class Job(Value):
    """A job that the gateway accepted: enough to poll it again from another process."""

    job_id: str
    """Opaque text of the gateway (it may hold a colon or a slash)."""
    model: str
    details: dict[str, JsonValue] = Field(default_factory=dict)
    title: str | None = None
    """How the prompt reads at a provider that takes some of its words for orders; `None`: as it is written."""


class PossibleJob(Job):
    """A job in a gateway's list of which nothing contradicts that it is the one looked for, and nothing proves it."""

    @property
    def itself(self) -> Job:
        """The job, once it is decided that it is the one."""
        return Job(job_id=self.job_id, model=self.model, details=self.details)


class RemoteOutput(Value):
    """One produced medium as the gateway offers it: at a URL, or as bytes in its answer."""

    url: str | None = None
    authenticated: bool = False
    """True where the URL is the gateway's own and wants the key (only ever sent to the gateway's host)."""
    fallback_url: str | None = None
    """The gateway's own address of the same medium, which wants the key: for when `url` (signed, brief) fails."""
    expires_at: datetime | None = None
    mime_type: str | None = None
    content: bytes | None = Field(default=None, exclude=True, repr=False)
    """The bytes, where they came in the answer and are few."""
    held: Path | None = Field(default=None, exclude=True)
    """An unfinished file with the bytes, where they came in the answer and went to its sink."""

    @property
    def delivered(self) -> bool:
        """Whether the bytes are here already and need not be fetched."""
        return self.content is not None or self.held is not None


LOGS_CHARACTERS_MAX = 2000
METRICS_MAX = 20


class Told(Value):
    """What a gateway tells beside the state of a job. It decides nothing, and is kept for whoever looks it up."""

    page: str | None = None
    """The job's own page at the gateway, for a person."""
    ids: dict[str, str] = Field(default_factory=dict)
    """Request and trace ids by the gateway's own names: what its support asks for."""
    submitted_at: datetime | None = None
    finished_at: datetime | None = None
    """When the job ended, by the gateway's clock."""
    logs: str | None = None
    """The end of the job's log, at most `LOGS_CHARACTERS_MAX` characters."""
    metrics: dict[str, float] = Field(default_factory=dict)
    revised_prompt: str | None = None
    """The prompt that the model was given instead of ours."""

    def joined(self, later: "Told") -> "Told":
        """This and what a later look told. Of the ids those of the first answer stay: they name the submission."""
        newer = {name: value for name, value in later if value}
        return self.model_copy(update={**newer, "ids": {**later.ids, **self.ids}})


class Observation(Value):
    """What one look at a job (or the answer to its submission) says, in our words."""

    state: JobState
    progress: float | None = None
    """0 to 1, where the gateway tells."""
    outputs: tuple[RemoteOutput, ...] = ()
    """Only with `succeeded`."""
    failure: Failure | None = None
    """Only with `failed` and `cancelled`."""
    cost: Cost | None = None
    started_at: datetime | None = None
    notes: tuple[str, ...] = ()
    """Oddities a person may want to know: an unknown status word, success without an output yet."""
    poll_after_seconds: float | None = None
    """The gateway's wish for the next look, where it told one."""
    told: Told = Field(default_factory=Told)
    answer: str | None = Field(default=None, exclude=True, repr=False)
    """The gateway's answer itself, as bounded JSON without keys; `None` where it was no JSON."""


class Submission(Value):
    """A definite answer to a submission: the job, and its first observation."""

    job: Job
    observation: Observation
