"""What rushes makes by itself, free and on this machine: films from kept shots and sounds.

It is a provider so that a film is a task like any other: journaled, followed, cancelled, kept. It offers no model, so
that no request is ever routed to it, and needs no key. A film begins anew in the process that takes its task over.
"""

import logging
import os
import secrets
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from pydantic import JsonValue, ValidationError

from ..domain.errors import FailureError, OutputExpired, RequestRefused
from ..domain.failure import Failure, failure, failure_of
from ..domain.film import FILM_MODEL, FILM_PROVIDER, Film, Rendered
from ..domain.job import Job, Observation, Plan, RemoteOutput, Submission, Told
from ..domain.model_facts import ModelFacts
from ..domain.request import GenerationRequest, Kind
from .own_work import OwnWork
from .provider import AnswerSink, OutputStream, Traits

logger = logging.getLogger(__name__)

FILM_FACTS = ModelFacts(id=FILM_MODEL, name=FILM_MODEL, kind="video", source="made here", deadline_seconds=86_400.0)
"""A film that waits for others has a day; how long the work itself may take is bounded where it is done."""

LOOK_AFTER_SECONDS = 0.3
_ENDED_KEPT = 2
"""So many files are kept for another look after one has told their end; an older film would be made again."""
_COPY_BYTES = 2**20
_STALE_SECONDS = 86_400.0


class Renders(Protocol):
    """Makes films."""

    async def render(self, film: Film, into: BinaryIO, report: Callable[[float], object]) -> Rendered:
        """Write the film into an open file; `report` hears of progress, 0 to 1.

        Raises:
            FailureError: it could not be made; nothing is charged.
        """
        ...


class _Work:
    """One film being made."""

    def __init__(self, film: Film) -> None:
        self.film = film
        self.scope = anyio.CancelScope()
        self.progress: float | None = None
        """`None` until its turn has come."""
        self.path: Path | None = None
        self.rendered: Rendered | None = None
        self.error: FailureError | None = None
        self.begun = self.cancelled = self.told = False


class LocalProvider(OwnWork):
    """Use `async with LocalProvider.opened(renders, folder)`."""

    name = FILM_PROVIDER
    traits = Traits(cancels=True, finds_jobs=False, repeatable=True, free=True, streams=True)

    def __init__(self, renders: Renders, folder: Path, group: TaskGroup) -> None:
        self._renders = renders
        self._folder = folder
        self._group = group
        self._works: dict[str, _Work] = {}
        self._one_at_a_time = anyio.Lock()

    @classmethod
    @asynccontextmanager
    async def opened(cls, renders: Renders, folder: Path) -> AsyncGenerator["LocalProvider"]:
        """The provider; films that are being made at the end of the block are given up, and their files deleted.

        Args:
            renders: What makes a film.
            folder: For films that are not kept yet; only what other processes left there long ago is deleted.
        """
        async with anyio.create_task_group() as group:
            provider = cls(renders, folder, group)
            try:
                yield provider
            finally:
                group.cancel_scope.cancel()
                await provider.aclose()

    def models(self) -> Sequence[ModelFacts]:
        """None: nothing is generated here."""
        return ()

    def default_model(self, kind: Kind) -> str | None:  # noqa: ARG002
        """None."""
        return None

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        """The film as data; while a shot of it is still being made, what there is of a plan.

        Raises:
            RequestRefused: the request is for no film.
        """
        if request.film is None and request.film_wish is None:
            raise RequestRefused("unsupported", f"{self.name} assembles films, and generates nothing.")
        film = None if request.film is None else request.film.model_dump(mode="json")
        body: dict[str, JsonValue] = {"film": film}
        return Plan(provider=self.name, model=facts.id, path="", body=body)

    async def submit(self, plan: Plan, *, sink: AnswerSink | None = None) -> Submission:  # noqa: ARG002
        """Accept the film; the work begins with the first look."""
        job = Job(job_id=f"film_{secrets.token_hex(8)}", model=plan.model, details=plan.body)
        return Submission(job=job, observation=Observation(state="queued", poll_after_seconds=0.1))

    async def poll(self, job: Job, *, sink: AnswerSink | None = None) -> Observation:
        """One look; the first one in a process, also after a restart, begins the work. The film goes into `sink`."""
        work = self._work(job)
        if work is None:
            return Observation(state="failed", failure=_unreadable())
        if not work.begun:
            work.begun = True
            self._group.start_soon(self._make, work, name=f"film {job.job_id}")
        if work.cancelled:
            return _cancelled()
        if work.error is not None:
            return self._told(work, Observation(state="failed", failure=failure_of(work.error)))
        if work.rendered is None or work.path is None:
            state = "queued" if work.progress is None else "running"
            return Observation(state=state, progress=work.progress, poll_after_seconds=LOOK_AFTER_SECONDS)
        output = await _delivered(work.path, sink)
        return self._told(work, _succeeded(work.rendered, output))

    async def cancel(self, job: Job) -> Observation:
        """End the work; what is made already stays."""
        work = self._work(job)
        if work is not None and (work.rendered is not None or work.error is not None):
            return await self._ended(job)
        if work is not None:
            work.cancelled = work.begun = True
            work.scope.cancel()
        return _cancelled()

    def open_output(self, output: RemoteOutput) -> AbstractAsyncContextManager[OutputStream]:  # noqa: ARG002
        """Raises `OutputExpired`: films have no address."""
        raise OutputExpired("A film has no address.")

    async def aclose(self) -> None:
        """Forget all films that are not kept."""
        for work in self._works.values():
            work.scope.cancel()
            _forget_file(work)
        self._works.clear()

    def _work(self, job: Job) -> _Work | None:
        work = self._works.get(job.job_id)
        if work is None:
            try:
                film = Film.model_validate(job.details.get("film"))
            except ValidationError:
                return None
            work = self._works[job.job_id] = _Work(film)
        return work

    async def _ended(self, job: Job) -> Observation:
        """How a film ended that is to be cancelled too late; the next look delivers it."""
        work = self._works[job.job_id]
        if work.error is not None:
            return Observation(state="failed", failure=failure_of(work.error))
        return Observation(state="succeeded")

    def _told(self, work: _Work, seen: Observation) -> Observation:
        work.told = True
        ended = [job_id for job_id, each in self._works.items() if each.told]
        for job_id in ended[:-_ENDED_KEPT]:
            _forget_file(self._works.pop(job_id))
        return seen

    async def _make(self, work: _Work) -> None:
        """The boundary of a work: whatever ends it becomes the film's failure."""
        try:
            with work.scope:
                async with self._one_at_a_time:
                    work.progress = 0.0
                    work.path = await anyio.to_thread.run_sync(partial(_new_file, self._folder))
                    with work.path.open("r+b") as into:
                        work.rendered = await self._renders.render(work.film, into, partial(_advanced, work))
        except FailureError as error:
            work.error = error
        except OSError as error:
            said = f"The film could not be written: {error.strerror or error}."
            work.error = FailureError("internal", said, charged="no", hint="Free disk space, then assemble it again.")
        except Exception:
            logger.exception("a film could not be made")
            work.error = FailureError("internal", "A fault in rushes ended the work on the film.", charged="no")
        finally:
            if work.rendered is None:
                _forget_file(work)


def _advanced(work: _Work, progress: float) -> None:
    work.progress = max(work.progress or 0.0, min(progress, 0.99))


def _succeeded(rendered: Rendered, output: RemoteOutput) -> Observation:
    metrics = {"gain_db": round(rendered.gain_db, 1)}
    if rendered.loudness_before_lufs is not None:
        metrics["loudness_before_lufs"] = rendered.loudness_before_lufs
    return Observation(
        state="succeeded", progress=1.0, outputs=(output,), notes=rendered.notes, told=Told(metrics=metrics)
    )


async def _delivered(path: Path, sink: AnswerSink | None) -> RemoteOutput:
    if sink is None:
        return RemoteOutput(mime_type="video/mp4", content=await anyio.Path(path).read_bytes())
    await sink.begin()
    async with await anyio.open_file(path, "rb") as file:
        while chunk := await file.read(_COPY_BYTES):
            await sink.write(chunk)
    return RemoteOutput(mime_type="video/mp4", held=await sink.end())


def _cancelled() -> Observation:
    stopped = failure("cancelled", "The film was cancelled. Nothing is charged.", charged="no")
    return Observation(state="cancelled", failure=stopped)


def _unreadable() -> Failure:
    return failure("not_found", "The film of this task cannot be read.", charged="no")


def _new_file(folder: Path) -> Path:
    """An empty file for a film. What killed processes left in the folder is deleted after a day."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("film-*.part"):
        # Another process may delete it at the same time.
        with suppress(OSError):
            if old.stat().st_mtime < time.time() - _STALE_SECONDS:
                old.unlink()
    handle, name = tempfile.mkstemp(prefix="film-", suffix=".part", dir=folder)
    os.close(handle)
    return Path(name)


def _forget_file(work: _Work) -> None:
    if work.path is not None:
        with suppress(OSError):
            work.path.unlink(missing_ok=True)
        work.path = None
