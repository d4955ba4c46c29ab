"""The heart works over anything that has the shape of its ports, and what stands in `cache/` has it."""

import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import anyio
import pytest
from pydantic import JsonValue

from rushes.cache.embedded.store import TaskStore
from rushes.cache.media.decoder import Decoder as ChildDecoder
from rushes.cache.media.folder import MediaFolder
from rushes.cache.media.kept_files import KeptFiles
from rushes.cache.receipts import Receipts
from rushes.cache.workers.leases import ProcessLease
from rushes.cache.workers.timers import Scheduler, queue_in_memory
from rushes.domain.document import EVERYTHING, Counting, Creating, Document, Line, Replacing, Selection
from rushes.domain.job import Job, Observation, RemoteOutput, Submission
from rushes.domain.money import Bound
from rushes.domain.principal import LOCAL
from rushes.providers.client.upload_client import UploadClient
from rushes.tasks.clock import SystemClock
from rushes.tasks.engine import Engine, Limits, Parts
from rushes.tasks.intake.routing import Configured
from rushes.tasks.ports import (
    Clock,
    Decoder,
    Files,
    Journal,
    Lane,
    Lease,
    Ledger,
    MakesQueue,
    MediaStore,
    ReceiptFile,
    SideValues,
    Uploader,
    WordIndex,
    WorkQueue,
)

from ..previews.here import DecoderHere, measure_here
from .engines import a_wish
from .scripted import ScriptedProvider
from .test_engine import PNG

pytestmark = pytest.mark.anyio

if TYPE_CHECKING:

    def what_stands_fits(  # pyright: ignore[reportUnusedFunction]
        store: TaskStore,
        folder: MediaFolder,
        files: KeptFiles,
        lease: ProcessLease,
        queue: Scheduler,
        decoder: ChildDecoder,
        receipts: Receipts,
        uploader: UploadClient,
    ) -> tuple[
        Journal,
        SideValues,
        Ledger,
        WordIndex,
        MediaStore,
        Files,
        Lease,
        WorkQueue,
        Decoder,
        ReceiptFile,
        Uploader,
        Clock,
        MakesQueue,
    ]:
        """Read by the type checkers."""
        return (
            store,
            store,
            store,
            store,
            folder,
            files,
            lease,
            queue,
            decoder,
            receipts,
            uploader,
            SystemClock(),
            queue_in_memory,
        )


class JournalInMemory:
    """Documents in a dictionary: nothing of it is a database, and nothing survives."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._answers: dict[str, str] = {}

    async def create(self, document: Document, **how: Unpack[Creating]) -> tuple[Document, bool]:
        fingerprint = how.get("fingerprint")
        if fingerprint is not None and not how.get("anew"):
            equal = await self.equal(fingerprint, how.get("counting"))
            if equal is not None:
                return equal, False
        new = self._documents[str(document["task_id"])] = {**document, "revision": 1}
        return new, True

    async def equal(self, fingerprint: str, counting: Counting | None = None) -> Document | None:
        equal = (each for each in self._documents.values() if each["fingerprint"] == fingerprint)
        return next((each for each in equal if counting is None or counting.counts(each)), None)

    async def lines(self, book: str, *, after: str = "", limit: int = 1000) -> list[Line]:
        del book, after, limit
        return []

    async def last_lines(self, book: str, *, limit: int, true: str | None = None) -> list[Line]:
        del book, limit, true
        return []

    async def add_lines(self, lines: Sequence[Line]) -> None: ...

    async def tasks_without_line(self, book: str, *, after: str = "", limit: int = 1000) -> list[str]:
        del book, after, limit
        return []

    async def used(self, bound: Bound) -> Decimal:
        del bound
        return Decimal(0)

    async def get(self, task_id: str) -> Document | None:
        return self._documents.get(task_id)

    async def replace(self, document: Document, *, durable: bool = False, **how: Unpack[Replacing]) -> Document | None:
        del durable, how
        stored = self._documents[str(document["task_id"])]
        revision = stored["revision"]
        assert isinstance(revision, int)
        if document["revision"] != revision:
            return None
        new = self._documents[str(document["task_id"])] = {**document, "revision": revision + 1}
        return new

    async def restore(self, document: Document, *, unsound: int | None = None, lines: Sequence[Line] = ()) -> bool:
        raise NotImplementedError

    async def index_words(self, before: str) -> bool:
        del before
        return False

    async def recount_words(self) -> None:
        return None

    async def children(self, task_id: str, *, limit: int = 100) -> list[str]:
        made = [key for key, each in self._documents.items() if task_id in str(each["parents"])]
        return made[:limit]

    async def tasks_of_job(self, provider: str, job_id: str) -> list[str]:
        del provider, job_id
        return []

    async def jobs_since(self, provider: str, first_id: str) -> list[str]:
        del provider, first_id
        return []

    async def without_job(self, provider: str, first_id: str) -> list[Document]:
        del provider, first_id
        return []

    async def missing(self, task_ids: Collection[str]) -> list[str]:
        return [each for each in task_ids if each not in self._documents]

    async def answer(self, task_id: str) -> JsonValue:
        return self._answers.get(task_id)

    async def open_documents(self, *, limit: int = 1000, after: str | None = None) -> list[Document]:
        del after
        return [each for each in self._documents.values() if each["open"]][:limit]

    async def open_workers(self) -> list[str | None]:
        return ["alone"] if await self.open_documents() else []

    async def open_ids(self, worker: str | None, *, limit: int = 1000, after: str | None = None) -> list[str]:
        del worker
        return [str(each["task_id"]) for each in await self.open_documents(limit=limit, after=after)]

    async def foreign_writes(self) -> object:
        return None

    async def page(self, selection: Selection = EVERYTHING, *, limit: int = 20) -> list[Document]:
        del selection
        return list(self._documents.values())[:limit]

    async def get_value(self, key: str) -> tuple[JsonValue, datetime] | None:
        del key
        return None

    async def set_value(self, key: str, value: JsonValue) -> None: ...

    async def get_values(self, prefix: str) -> dict[str, JsonValue]:
        del prefix
        return {}


class Alone:
    """A lease where there is one process."""

    worker_id = "alone"

    async def dead(self, worker_ids: Collection[str], /) -> set[str]:
        return set(worker_ids)

    async def died_in(self, worker_id: str, /) -> set[str]:
        del worker_id
        return set()

    def step_begun(self, task_id: str, /) -> None: ...

    def step_ended(self, task_id: str, /) -> None: ...


class OneAfterTheOther:
    """A queue that keeps no plan: what was scheduled is stepped at once, in a row."""

    def __init__(self, step: Callable[[str], Awaitable[float | None]]) -> None:
        self._step = step
        self._send, self._receive = anyio.create_memory_object_stream[str](1000)
        self._planned: set[str] = set()

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._planned

    def schedule(self, task_id: str, after_seconds: float = 0.0) -> None:
        del after_seconds
        self._planned.add(task_id)
        self._send.send_nowait(task_id)

    def due_in(self, task_id: str) -> float | None:
        return 0.0 if task_id in self._planned else None

    async def run(self) -> None:
        with self._send, self._receive:
            async for task_id in self._receive:
                self._planned.discard(task_id)
                if await self._step(task_id) is not None:
                    self.schedule(task_id)


def one_after_the_other(
    step: Callable[[str], Awaitable[float | None]],
    clock: Clock,
    *,
    at_once: Mapping[str, int],
    shares: Collection[str],
    lane_of: Callable[[str], Lane],
) -> OneAfterTheOther:
    del clock, at_once, shares, lane_of
    return OneAfterTheOther(step)


@asynccontextmanager
async def over_other_adapters(home: Path, provider: ScriptedProvider) -> AsyncGenerator[Engine]:
    parts = Parts(
        store=JournalInMemory(),
        lease=Alone(),
        queue=one_after_the_other,
        media=MediaFolder(home, measure_here),
        decoder=DecoderHere(),
        providers=[Configured(provider)],
        limits=Limits(shutdown_grace_seconds=0.1, takeover_seconds=60),
        clock=SystemClock(),
    )
    async with Engine.opened(parts) as engine:
        yield engine


async def test_a_task_lives_its_whole_life_over_another_journal_and_another_queue(tmp_path: Path) -> None:
    job = Job(job_id="job:1", model="m1")
    done = Observation(state="succeeded", outputs=(RemoteOutput(url="https://cdn.example/1.png"),))
    gateway = ScriptedProvider(
        answers=[Submission(job=job, observation=Observation(state="queued"))],
        looks=[Observation(state="running"), done],
        downloads=[PNG],
    )
    with anyio.fail_after(20):
        async with over_other_adapters(tmp_path, gateway) as engine:
            answer = await engine.generate(a_wish(kind="image"))
            record = await engine.wait(answer.record.task_id, seconds=10, principal=LOCAL)
            again = await engine.generate(a_wish(kind="image"))
    assert (record.state, record.phase) == ("succeeded", "done")
    assert [output.keeping.status for output in record.outputs] == ["kept"]
    assert again.deduplicated


def test_the_heart_can_be_imported_where_nothing_of_the_adapters_is() -> None:
    code = """
import sys
sys.modules["rushes.cache"] = None
import rushes.tasks.engine, rushes.tasks.work.rebuild, rushes.tasks.previews.child
assert not [name for name in sys.modules if name.startswith("rushes.cache.")]
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
