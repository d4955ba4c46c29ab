"""A provider that answers by a script: the heart's tests drive it where a gateway would stand."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import anyio

from rushes.domain.errors import OutputUnavailable, RushesError
from rushes.domain.job import Job, Observation, Plan, RemoteOutput, Submission
from rushes.domain.model_facts import ModelFacts
from rushes.domain.request import GenerationRequest, Kind
from rushes.providers.provider import AccountCheck, AnswerSink, Traits

Answer = Submission | RushesError | Exception
Look = Observation | RushesError
T = TypeVar("T")


@dataclass(frozen=True)
class Bytes:
    """An opened output."""

    content: bytes
    mime_type: str | None = None
    size_bytes: int | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.content), 1000):
            yield self.content[start : start + 1000]


@dataclass
class ScriptedProvider:
    """`answers` and `looks` are used in order; the last one repeats."""

    name: str = "gate"
    traits: Traits = field(default_factory=Traits)
    kinds: tuple[Kind, ...] = ("video", "image", "audio")
    model_id: str = "m1"
    model_name: str = "model-one"
    facts_changes: dict[str, object] = field(default_factory=dict[str, object])
    answers: list[Answer] = field(default_factory=list[Answer])
    looks: list[Look] = field(default_factory=list[Look])
    listed: list[Job | RushesError | None] = field(default_factory=list[Job | RushesError | None])
    downloads: list[bytes | RushesError] = field(default_factory=list[bytes | RushesError])
    requests: list[GenerationRequest] = field(default_factory=list[GenerationRequest])
    plans: list[Plan] = field(default_factory=list[Plan])
    live: tuple[ModelFacts, ...] | RushesError | None = None
    added: tuple[ModelFacts, ...] = ()
    refreshes: int = 0
    polls: int = 0
    cancels: int = 0
    cancel_answer: Observation | RushesError | None = None
    hold: anyio.Event | None = None
    """A submission waits for this before it answers."""
    holds_looks: anyio.Event | None = None
    """So does a look."""
    submitted: Callable[[], None] = lambda: None

    def models(self) -> Sequence[ModelFacts]:
        base = ModelFacts(id=self.model_id, name=self.model_name, kind="video", source="a test")
        rows = [base.model_copy(update={"kind": kind, **self.facts_changes}) for kind in self.kinds]
        return (*rows, *self.added)

    def default_model(self, kind: Kind) -> str | None:
        return self.model_id if kind in self.kinds else None

    def unlisted_model(self, name: str, kind: Kind) -> ModelFacts | None:
        return None if self.traits.free else ModelFacts(id=name, name=name, kind=kind, source="a test")

    async def refresh_models(self) -> Sequence[ModelFacts] | None:
        self.refreshes += 1
        if isinstance(self.live, Exception):
            raise self.live
        return self.live

    def add_models(self, live: Sequence[ModelFacts]) -> None:
        self.added = tuple(live)

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        self.requests.append(request)
        return Plan(provider=self.name, model=facts.id, path="/jobs", body={"prompt": request.prompt})

    async def submit(self, plan: Plan, *, sink: AnswerSink | None = None) -> Submission:
        self.plans.append(plan)
        self.submitted()
        if self.hold is not None:
            await self.hold.wait()
        answer = _next(self.answers, len(self.plans) - 1)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def poll(self, job: Job, *, sink: AnswerSink | None = None) -> Observation:
        self.polls += 1
        if self.holds_looks is not None:
            await self.holds_looks.wait()
        look = _next(self.looks, self.polls - 1)
        if isinstance(look, Exception):
            raise look
        return look

    async def cancel(self, job: Job) -> Observation:
        self.cancels += 1
        if isinstance(self.cancel_answer, Exception):
            raise self.cancel_answer
        return self.cancel_answer or Observation(state="cancelled")

    async def find_job(self, plan: Plan, age: timedelta, *, known: Collection[str] = ()) -> Job | None:
        found = self.listed.pop(0) if self.listed else None
        if isinstance(found, Exception):
            raise found
        return found

    def open_output(self, output: RemoteOutput) -> AbstractAsyncContextManager[Bytes]:
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[Bytes]:
        content = self.downloads.pop(0) if self.downloads else OutputUnavailable("nothing there")
        if isinstance(content, Exception):
            raise content
        yield Bytes(content, size_bytes=len(content))

    async def check_account(self) -> AccountCheck:
        return AccountCheck(ok=True, message="fine")

    async def aclose(self) -> None:
        return None


def _next(script: list[T], index: int) -> T:
    return script[min(index, len(script) - 1)]
