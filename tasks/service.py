"""The service: everything that tools and the command line can ask of rushes, in one narrow class."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pydantic import JsonValue

from ..domain.budget import Left
from ..domain.chosen import Chosen
from ..domain.film import FilmWish
from ..domain.model_facts import ModelFacts
from ..domain.money import Balance, Estimate, ExpectedTime, UnitPrice
from ..domain.principal import Principal
from ..domain.record import TaskRecord, TaskState
from ..domain.request import GenerationRequest, Kind, MediaRole

if TYPE_CHECKING:
    from .money.spend import By, Spend
    from .previews.glimpse import Glimpse, Grid


@dataclass(frozen=True)
class MediaSource:
    """An input medium as the agent gave it: https URL, data URL, local path, or an output of an earlier task."""

    role: MediaRole
    text: str


@dataclass(frozen=True)
class Wish:
    """A generation as asked for, before media are resolved and a provider is chosen."""

    request: GenerationRequest
    """Without media."""
    principal: Principal
    media: tuple[MediaSource, ...] = ()
    provider: str | None = None
    output_name: str | None = None
    output_dir: str | None = None
    """A folder of the person's project into which the kept files are copied too."""
    from_task: str | None = None
    """The task whose arguments it started from."""
    force_new: bool = False
    max_cost: Decimal | None = None
    """What costs more is refused; and it is the consent where that is asked."""
    max_cost_currency: str | None = None
    """By default that of the first provider to be tried of which a price is known."""
    local_files: bool = True
    """Whether local paths are allowed as media (stdio and command line only)."""
    host_roots: tuple[Path, ...] = ()
    """Folders that the host has open, beside those of the settings."""
    film: FilmWish | None = None
    """What is to be assembled, where nothing is to be generated."""


@dataclass(frozen=True)
class Answer:
    """A task, and whether it existed before the call."""

    record: TaskRecord
    deduplicated: bool


@dataclass(frozen=True)
class Preview:
    """What a call would send; nothing was written or sent."""

    provider: str
    model: str
    url: str
    """Where the POST would go, below the gateway's base URL; empty for the sandbox."""
    payload: dict[str, JsonValue]
    """The exact JSON body; base64 of media is shortened for reading."""
    warnings: tuple[str, ...]
    chosen: Chosen | None = None
    gives_urls: bool = True
    """Whether outputs have addresses; false where the media come in the answer itself."""
    estimate: Estimate | None = None
    """What it will probably cost; `None` where nobody knows, or where nothing is charged."""


@dataclass(frozen=True)
class TaskPage:
    """Newest first."""

    records: tuple[TaskRecord, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class ModelOffer:
    """One model by its canonical name, and the providers that offer it."""

    name: str
    kind: Kind
    offers: tuple[tuple[str, ModelFacts, bool], ...]
    """(provider, facts, usable now) in configured order."""
    stands_in: bool = False
    """Whether it only stands in for models, as those of free providers do."""


@dataclass(frozen=True)
class Fit:
    """A model at a provider that takes a request."""

    provider: str
    facts: ModelFacts
    usable: bool
    doubts: tuple[str, ...] = ()
    """What of the request could not be checked."""
    seconds: float | None = None
    """How long it usually takes, where that is known."""
    estimate: Estimate | None = None
    """What it would probably cost, where that is known."""


@dataclass(frozen=True)
class Fits:
    """Best first; and what the nearest takes, where none fits."""

    fits: tuple[Fit, ...]
    nearest: str | None = None


@dataclass(frozen=True)
class Seen:
    """A task, and a small picture of one of its outputs."""

    record: TaskRecord
    glimpse: "Glimpse"


@dataclass(frozen=True)
class Labelled:
    """An output, counted from 1, and what is to stand under its picture."""

    task_id: str
    index: int
    label: str


@dataclass(frozen=True)
class Lineage:
    """Ids of the tasks that a task was made from, and of those made from it, the earliest first."""

    parents: tuple[str, ...] = ()
    children: tuple[str, ...] = ()


class PriceGuide(Protocol):
    """What generations cost and how long they take, as far as it is known."""

    def unit_price(self, provider: str, facts: ModelFacts) -> UnitPrice | None: ...

    def expected_seconds(self, provider: str, model: str) -> ExpectedTime | None: ...


class Service(Protocol):
    """What tools may call. Raises `RequestRefused`, `TaskNotFound`, `StoreError` (all in `errors`)."""

    async def generate(self, wish: Wish, *, answer_within_seconds: float = 20.0) -> Answer:
        """Journal, submit once in the background, and answer when the gateway has accepted or refused, or time is up.

        The submission goes on by itself if the caller is cancelled or time is up.

        Raises:
            RequestRefused: among others `budget_exceeded`.
            ConfirmationNeeded: a person has to agree to the price: the same wish with `max_cost` says so.
        """
        ...

    async def preview(self, wish: Wish) -> Preview: ...

    async def get(self, task_id: str, *, principal: Principal) -> TaskRecord: ...

    async def lineage(self, record: TaskRecord) -> Lineage:
        """What the task comes from, and what was made from it, as far as they are the same owner's."""
        ...

    async def answer(self, task_id: str, *, principal: Principal) -> JsonValue:
        """The gateway's last answer about the task's job, as it was kept; `None` where there is none."""
        ...

    async def wait(
        self,
        task_id: str,
        *,
        seconds: float,
        principal: Principal,
        report: Callable[[TaskRecord], Awaitable[None]] | None = None,
    ) -> TaskRecord:
        """The record as soon as it is settled, or as it is when time is up.

        `report` is called at each change and at least every 5 s while waiting.
        """
        ...

    async def list_tasks(
        self,
        *,
        principal: Principal,
        state: TaskState | None = None,
        kind: Kind | None = None,
        query: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> TaskPage:
        """Newest first; `query` is for words of the prompt, the model, the provider or the file's name, each of which
        a task must have. Made at `since` or later, and before `until`."""
        ...

    async def cancel(self, task_id: str, *, principal: Principal, abandon: bool = False) -> TaskRecord:
        """Cancel at the gateway where it can be cancelled; otherwise say so in the record's warnings.

        With `abandon` the task becomes `cancelled` although the gateway goes on and may charge.
        """
        ...

    async def attach(self, task_id: str, job_id: str, *, principal: Principal) -> TaskRecord:
        """Hand a task the job that it lost, as found at the gateway; the task then goes on as any other.

        Raises:
            RequestRefused: it needs no job, another task has it, or the gateway does not show it.
        """
        ...

    async def take_up(self, task_id: str, *, principal: Principal) -> TaskRecord:
        """Go on with a task that was set aside, because processes died while they worked on it."""
        ...

    async def models(
        self, *, kind: Kind | None = None, provider: str | None = None, query: str | None = None
    ) -> Sequence[ModelOffer]: ...

    async def fitting(
        self, requests: Sequence[GenerationRequest], *, provider: str | None = None, query: str | None = None
    ) -> Fits:
        """The models that take one of these requests (their media may stand for others), usable ones first."""
        ...

    async def glimpse(self, task_id: str, index: int, *, principal: Principal, at_seconds: float | None = None) -> Seen:
        """A small picture of output `index`, counted from 1; with `at_seconds` the frame of a video at that moment."""
        ...

    async def grid(
        self, wanted: Sequence[Labelled], *, principal: Principal, at_seconds: float | None = None
    ) -> "Grid":
        """Small pictures of several outputs in one; of a video the middle frame, or the one at that moment."""
        ...

    async def content(self, task_id: str, index: int, *, principal: Principal, bytes_max: int) -> bytes:
        """The bytes of output `index`, counted from 1, if they are at most so many; else a small picture of it."""
        ...

    async def spend(self, *, principal: Principal, by: "By" = "day", since: datetime | None = None) -> "Spend":
        """What their tasks have cost since then, and what is reserved; an `admin` sees everybody's."""
        ...

    async def balances(self) -> Sequence[Balance]:
        """What is left at the gateways that tell it, as of at most a minute ago."""
        ...

    @property
    def prices(self) -> PriceGuide:
        """What is known of prices and times; pure once `models` or a generation has been asked for."""
        ...

    async def budgets_left(self, *, principal: Principal) -> Sequence[Left]:
        """What each budget leaves them now."""
        ...

    async def settle(
        self, task_id: str, amount: Decimal, currency: str | None = None, *, principal: Principal
    ) -> TaskRecord:
        """Say what a task has cost, where its gateway never did; 0 where it was not charged.

        Raises:
            RequestRefused: it still runs, or is free.
        """
        ...

    def poll_interval_seconds(self, record: TaskRecord) -> float | None:
        """When the next look at the gateway is due; `None` for a final record. For `next.after_seconds`."""
        ...
