"""What a worker process is told to do, and what it says when it is done."""

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self, cast

from pydantic import BaseModel, JsonValue, SecretStr, TypeAdapter, field_serializer

from rushes.domain.money import Price
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.domain.request import GenerationRequest, Kind
from rushes.tasks.limits import Limits
from rushes.tasks.service import Wish

from .fuse import Burn

REPORT = "report.json"


class Reached(BaseModel):
    """A gateway, and how it is reached."""

    gateway: str
    """A provider's name; `sandbox` needs no address."""
    base_url: str | None = None
    api_key: SecretStr | None = None

    @field_serializer("api_key")
    def _shown(self, key: SecretStr | None) -> str | None:
        return key.get_secret_value() if key is not None else None


class Further(BaseModel):
    """A call for something else than an order's own."""

    gateway: str
    kind: Kind = "video"
    prompt: str
    asked: dict[str, JsonValue] = {}

    @property
    def wish(self) -> Wish:
        request = GenerationRequest.model_validate({"kind": self.kind, "prompt": self.prompt, **self.asked})
        return Wish(request, provider=self.gateway, principal=LOCAL)


class Order(Reached):
    """One life of one process over a home that others may share."""

    order: str
    """Name of this life, unique in a run."""
    home: Path
    further: tuple[Reached, ...] = ()
    """Gateways that it knows besides the one that its calls go to."""

    kind: Kind = "video"
    prompt: str = "a red fox"
    asked: dict[str, JsonValue] = {}
    """Further fields of the request."""
    calls: int = 0
    """Equal calls at once, at the beginning."""
    besides: tuple[Further, ...] = ()
    """Calls for other things, made at the same time."""
    follows: Further | None = None
    """A call that takes the output of the first call's task for its image, made once that one was answered."""
    on_signal: bool = False
    """The calls are made when SIGUSR1 comes."""
    cancel: Literal["no", "ask", "abandon"] = "no"
    """Cancel the task of the calls once it was looked at."""
    call_again: bool = False
    """Make the call once more when everything is at rest."""
    until: Literal["rest", "told"] = "rest"
    """End when nothing is left to do, or only on SIGTERM."""

    notes: Path | None = None
    """Where its log and its fault are written, if not in its home: on a disk that is full they would not be whole."""
    prices: dict[str, Price] | None = None
    """As a person configured them; by default the same for each default model."""
    public_url: str | None = None
    """Where gateways are asked to call back."""
    receipts: bool = False
    """Note accepted jobs beside the store, as servers do."""
    takes_up: bool = False
    """At rest take up the tasks that were set aside, as a person would."""

    fuse: Burn = Burn()
    clock_ahead_seconds: float = 0.0
    clock_file: Path | None = None
    """A file with further seconds by which the clock is ahead: the clock of one machine, for all who are told of it."""
    beat_seconds: float = 30.0
    silent_seconds: float = 120.0
    """After this another process's silence counts, once it is confirmed."""
    takeover_seconds: float = 0.1
    download_bytes_max: int = Limits.download_bytes_max
    longest_seconds: float = 60.0

    @property
    def wish(self) -> Wish:
        return Further(gateway=self.gateway, kind=self.kind, prompt=self.prompt, asked=self.asked).wish

    @property
    def report(self) -> Path:
        return self.home / f"{self.order}-{REPORT}"

    @property
    def log(self) -> Path:
        return (self.notes or self.home) / f"{self.order}.log"

    @property
    def fault(self) -> Path:
        return (self.notes or self.home) / f"{self.order}.fault"


class Fault(BaseModel):
    """What a life raised that did not end well."""

    errors: list[list[str]]
    """Each error, groups taken apart: the names of its class and of those that it was raised from."""
    text: str
    """The whole traceback."""

    @classmethod
    def of(cls, error: BaseException) -> Self:
        return cls(errors=list(_apart(error)), text="".join(traceback.format_exception(error)))


def _apart(error: BaseException) -> Iterator[list[str]]:
    if isinstance(error, BaseExceptionGroup):
        for each in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from _apart(each)
        return
    names: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        names.append(type(cause).__name__)
        cause = cause.__cause__
    yield names


class Called(BaseModel):
    """One answered call."""

    task_id: str
    deduplicated: bool
    state: str


class Report(BaseModel):
    """What a life ended with: its calls in order, and every record of the home."""

    calls: list[Called]
    records: list[TaskRecord]
    ledger: dict[str, JsonValue] = {}
    """What the ledger's line of each task says."""
    peak_bytes: int = 0
    """The most memory that the process held."""


ORDER: TypeAdapter[Order] = TypeAdapter(Order)
