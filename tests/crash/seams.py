"""The injected parts of a engine, wrapped so that a process can end between any two of their steps.

Nothing in rushes knows of this: store, provider, media folder and HTTP transport are the seams that it has anyway.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Unpack, cast

import httpx
from pydantic import JsonValue

from rushes.cache.embedded.store import Document, TaskStore
from rushes.cache.media.folder import KeptFile, MediaFolder
from rushes.domain.document import Creating, Replacing
from rushes.domain.events import (
    Accepted,
    CancelAsked,
    Cancelled,
    Done,
    Event,
    Held,
    Looked,
    Lost,
    OutputsOffered,
    Submitted,
    TakenOver,
    events_between,
)
from rushes.domain.job import Job, Observation, Plan, RemoteOutput, Submission
from rushes.domain.model_facts import ModelFacts
from rushes.domain.record import TaskRecord
from rushes.domain.request import GenerationRequest, Kind
from rushes.providers.client.certificates import certificates
from rushes.providers.provider import AccountCheck, AnswerSink, OutputStream, Provider, Traits
from rushes.tasks.journal import from_document

from .fuse import Fuse

NEXT_LOOK_SECONDS = 0.02
"""What its gateways wish for, as far as tests of processes see them."""


def write_of(before: TaskRecord, after: TaskRecord) -> str:
    """What a write of a record is about: the name of its seam."""
    happened = {type(event): event for event in events_between(before, after)}
    for kind, seam in SEAMS.items():
        if kind in happened:
            found = happened[kind]
            return "found" if isinstance(found, Accepted) and found.searched else seam
    return "other"


SEAMS: Mapping[type[Event], str] = {
    TakenOver: "takeover",
    Accepted: "job-id",
    Lost: "lost",
    Cancelled: "cancelled",
    CancelAsked: "cancel-asked",
    Done: "final",
    OutputsOffered: "success",
    Looked: "poll",
    Held: "held",
    Submitted: "release",
}
"""What one write says, by what counts for most first."""


def dying_store(fuse: Fuse) -> type[TaskStore]:
    """A task store with seams `journal` and those of `write_of`, each `.before` and `.after` the write.

    A write that another one was faster than has not been made: it is made anew, and that one has an `.after`.
    """

    class DyingStore(TaskStore):
        async def create(self, document: Document, **how: Unpack[Creating]) -> tuple[Document, bool]:
            await fuse.at("journal.before")
            created = await super().create(document, **how)
            await fuse.at("journal.after")
            return created

        async def replace(
            self, document: Document, *, durable: bool = False, **how: Unpack[Replacing]
        ) -> Document | None:
            before = await self.get(str(document["task_id"]))
            seam = write_of(from_document(before), from_document(document)) if before is not None else "other"
            await fuse.at(f"{seam}.before")
            replaced = await super().replace(document, durable=durable, **how)
            if replaced is not None:
                await fuse.at(f"{seam}.after")
            return replaced

    return DyingStore


class DyingFolder(MediaFolder):
    """A media folder with seams `file` and `sidecar`."""

    def __init__(self, root: Path, fuse: Fuse) -> None:
        super().__init__(root)
        self._fuse = fuse

    async def keep(
        self,
        *,
        stem: str,
        chunks: AsyncIterator[bytes],
        kind: Kind,
        declared_mime: str | None,
        bytes_max: int,
        expected_bytes: int | None,
        even_cut_off: bool = False,
    ) -> KeptFile:
        await self._fuse.at("file.before")
        kept = await super().keep(
            stem=stem,
            chunks=chunks,
            kind=kind,
            declared_mime=declared_mime,
            bytes_max=bytes_max,
            expected_bytes=expected_bytes,
            even_cut_off=even_cut_off,
        )
        await self._fuse.at("file.after")
        return kept

    async def write_sidecar(self, path: Path, document: Mapping[str, JsonValue]) -> Path:
        written = await super().write_sidecar(path, document)
        await self._fuse.at("sidecar.after")
        return written


@dataclass(frozen=True)
class DyingStream:
    """An output's bytes, with seams `download.inside` after the first of them and `download.end` after the last."""

    stream: OutputStream
    fuse: Fuse

    @property
    def mime_type(self) -> str | None:
        return self.stream.mime_type

    @property
    def size_bytes(self) -> int | None:
        return self.stream.size_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self.stream:
            yield chunk
            await self.fuse.at("download.inside")
        await self.fuse.at("download.end")


class DyingProvider:
    """A provider with seams `submit`, `poll`, `cancel`, `search` (`.before` and `.after`) and `download`.

    It also wishes for quick looks, so that a test does not wait for the cadence of real generations.
    """

    def __init__(self, real: Provider, fuse: Fuse) -> None:
        self._real = real
        self._fuse = fuse

    @property
    def name(self) -> str:
        return self._real.name

    @property
    def traits(self) -> Traits:
        return self._real.traits

    def models(self) -> Sequence[ModelFacts]:
        return self._real.models()

    def default_model(self, kind: Kind) -> str | None:
        return self._real.default_model(kind)

    def unlisted_model(self, name: str, kind: Kind) -> ModelFacts | None:
        return self._real.unlisted_model(name, kind)

    async def refresh_models(self) -> Sequence[ModelFacts] | None:
        return await self._real.refresh_models()

    def add_models(self, live: Sequence[ModelFacts]) -> None:
        self._real.add_models(live)

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        return self._real.plan(request, facts)

    async def submit(self, plan: Plan, *, sink: AnswerSink | None = None) -> Submission:
        await self._fuse.at("submit.before")
        answer = await self._real.submit(plan, sink=sink)
        await self._fuse.at("submit.after")
        return answer.model_copy(update={"observation": _soon(answer.observation)})

    async def poll(self, job: Job, *, sink: AnswerSink | None = None) -> Observation:
        await self._fuse.at("poll.before-look")
        seen = await self._real.poll(job, sink=sink)
        await self._fuse.at("poll.looked")
        return _soon(seen)

    async def cancel(self, job: Job) -> Observation:
        await self._fuse.at("cancel.before")
        seen = await self._real.cancel(job)
        await self._fuse.at("cancel.after")
        return _soon(seen)

    async def find_job(self, plan: Plan, age: timedelta, *, known: Collection[str] = ()) -> Job | None:
        await self._fuse.at("search.before")
        job = await self._real.find_job(plan, age, known=known)
        await self._fuse.at("search.after")
        return job

    @asynccontextmanager
    async def open_output(self, output: RemoteOutput) -> AsyncGenerator[OutputStream]:
        await self._fuse.at("download.before")
        async with self._real.open_output(output) as stream:
            yield DyingStream(stream, self._fuse)

    async def check_account(self) -> AccountCheck:
        return await self._real.check_account()

    async def aclose(self) -> None:
        await self._real.aclose()


def _soon(seen: Observation) -> Observation:
    return seen.model_copy(update={"poll_after_seconds": NEXT_LOOK_SECONDS})


class DyingTransport(httpx.AsyncHTTPTransport):
    """The real HTTP transport, with two more seams in a submission: `request.written` and `answer.head`."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__(verify=certificates())
        self._fuse = fuse

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "POST" or request.url.path.endswith("/cancel"):
            return await super().handle_async_request(request)
        request.stream = _Written(cast("httpx.AsyncByteStream", request.stream), self._fuse)
        response = await super().handle_async_request(request)
        await self._fuse.at("answer.head")
        return response


@dataclass(frozen=True)
class _Written(httpx.AsyncByteStream):
    stream: httpx.AsyncByteStream
    fuse: Fuse

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self.stream:
            yield chunk
        # Asked for more only after the last chunk was written to the socket.
        await self.fuse.at("request.written")
