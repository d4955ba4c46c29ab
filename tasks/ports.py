"""What the heart needs of the world beside gateways, as ports: adapters fit by shape, and `server/assembly.py` chooses.

The rooms under `cache/` fit for one machine; a shared database or an object store fits in their place.
"""

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Mapping,
    Sequence,
)
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, Protocol, Unpack

from pydantic import JsonValue

from ..domain.document import Counting, Creating, Document, Line, Replacing, Selection
from ..domain.kept_media import Bounds, Kept, MediaFacts
from ..domain.request import Kind
from .side_ports import Ledger as Ledger
from .side_ports import SideValues as SideValues
from .side_ports import WordIndex as WordIndex


class Clock(Protocol):
    """Two times that must not be mixed up, and a wait by the second of them."""

    def now(self) -> datetime:
        """The time of day, in UTC. It may jump either way: a person or a time server sets it, a machine resumes."""
        ...

    def elapsed(self) -> float:
        """Seconds since some moment of this process. Never goes back, and means nothing to another process."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for that much of `elapsed`."""
        ...


class Journal(Protocol):
    """Durable documents with compare-and-set, shared by any number of processes.

    Every method raises a `StoreError` where it cannot be used, and one that writes OverBudget where it would go beyond
    a bound. A write that was called is done, also where its caller is cancelled.
    """

    async def create(self, document: Document, **how: Unpack[Creating]) -> tuple[Document, bool]:
        """Keep a new document, proof against a power cut, unless an earlier one of its fingerprint counts:
        (document, True), or (the earlier one, False). One transaction, so that equal calls at once make one."""
        ...

    async def equal(self, fingerprint: str, counting: Counting | None = None) -> Document | None:
        """What `create` would answer with instead of a new one."""
        ...

    async def get(self, task_id: str) -> Document | None: ...

    async def replace(self, document: Document, *, durable: bool = False, **how: Unpack[Replacing]) -> Document | None:
        """Write it with the next revision if its own is the stored one; `None` where somebody else was quicker, and
        nothing was written. With `durable` it survives a power cut.

        Raises:
            JobTaken: with `claims_job`, where another task has the job.
        """
        ...

    async def restore(self, document: Document, *, unsound: int | None = None, lines: Sequence[Line] = ...) -> bool:
        """Keep a document again that was lost; false where there is a sound one of its task. The one of the revision
        `unsound` is none, as its reader found."""
        ...

    async def children(self, task_id: str, *, limit: int = ...) -> list[str]:
        """Ids of the documents that name this task among their `parents`, the earliest first."""
        ...

    async def tasks_of_job(self, provider: str, job_id: str) -> list[str]:
        """Ids of the tasks that hold this job, newest first; by an index."""
        ...

    async def jobs_since(self, provider: str, first_id: str) -> list[str]:
        """Ids of the jobs of this provider's tasks from this task id on, and so from its time on."""
        ...

    async def without_job(self, provider: str, first_id: str) -> list[Document]:
        """Documents of this provider's tasks from this task id on that have no job, and are `open` or `unknown`; by an
        index."""
        ...

    async def missing(self, task_ids: Sequence[str]) -> list[str]: ...

    async def answer(self, task_id: str) -> JsonValue:
        """The gateway's answer that `replace` kept last."""
        ...

    async def open_documents(self, *, limit: int = ..., after: str | None = None) -> list[Document]:
        """Documents with `open` true, oldest first."""
        ...

    async def open_workers(self) -> list[str | None]:
        """Whom documents with `open` true name as their worker, each once."""
        ...

    async def open_ids(self, worker: str | None, *, limit: int = ..., after: str | None = None) -> list[str]:
        """Ids of this worker's documents with `open` true, oldest first."""
        ...

    async def foreign_writes(self) -> object:
        """Something that is equal as long as no other process has written. It is asked often, so it must be cheap."""
        ...

    async def page(self, selection: Selection = ..., *, limit: int = ...) -> list[Document]:
        """The newest documents of a selection."""
        ...


class Store(Journal, SideValues, Ledger, WordIndex, Protocol):
    """All in one place."""


class Lease(Protocol):
    """Who is alive among the processes that share a journal, and in which tasks' steps the dead ones were."""

    @property
    def worker_id(self) -> str:
        """The name of this process in the records that it works on."""
        ...

    async def dead(self, worker_ids: Collection[str], /) -> set[str]:
        """Those that work on nothing any more."""
        ...

    async def died_in(self, worker_id: str, /) -> set[str]: ...

    def step_begun(self, task_id: str, /) -> None: ...

    def step_ended(self, task_id: str, /) -> None: ...


class Lane(NamedTuple):
    """What a step takes a slot for."""

    kind: str = ""
    """Kinds have slots of their own."""
    share: str = ""
    """Whose work it is: a provider's name."""


class WorkQueue(Protocol):
    """Says when a task's next step is due, and nothing else: whose task it is stays with the record."""

    def __contains__(self, task_id: str, /) -> bool: ...

    def schedule(self, task_id: str, after_seconds: float = 0.0) -> None:
        """Make the next step due; an earlier time than the one planned wins."""
        ...

    def due_in(self, task_id: str) -> float | None: ...

    async def run(self) -> None:
        """Call each task's step when it is due, never twice at once, until cancelled."""
        ...


class MakesQueue(Protocol):
    """Makes the queue of a process. `step` answers with the seconds until the next, or `None` where nothing is left;
    `at_once` bounds each kind of lane, of which `shares` are sure of a part."""

    def __call__(
        self,
        step: Callable[[str], Awaitable[float | None]],
        clock: Clock,
        *,
        at_once: Mapping[str, int],
        shares: Collection[str],
        lane_of: Callable[[str], Lane],
    ) -> WorkQueue: ...


class Files(Protocol):
    """Files of this machine, opened once and without following a link that somebody put in the way."""

    async def open(self, kept: Kept, /) -> tuple[BinaryIO, bool]:
        """A kept file, and whether it still is what was kept.

        Raises:
            OSError: it is gone, cannot be read, or is no regular file.
        """
        ...

    async def read(self, kept: Kept, bytes_max: int, /) -> bytes | None:
        """The bytes that were kept; `None` where there are more.

        Raises:
            KeptFileChanged: they are others now.
            OSError: as for `open`.
        """
        ...

    def open_inside(self, folder: Path, path: Path, /) -> BinaryIO:
        """A regular file inside a trusted folder. Blocks.

        Raises:
            OSError, ValueError: there is none, or a link stands on the way to it.
        """
        ...


class KeptFile(Protocol):
    """An output that has its file."""

    @property
    def path(self) -> Path: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def mime_type(self) -> str: ...
    @property
    def facts(self) -> MediaFacts: ...
    @property
    def measure_problem(self) -> str | None: ...
    @property
    def cut_off(self) -> bool: ...


class FoundPart(Protocol):
    """A medium out of an answer that was lost, as it lies on the disk."""

    @property
    def path(self) -> Path: ...
    @property
    def number(self) -> int: ...
    @property
    def whole(self) -> bool: ...


class Place(Protocol):
    """Where outputs can be kept now, and what keeps the folder that was asked for from being it."""

    @property
    def root(self) -> Path: ...
    @property
    def problem(self) -> str | None: ...


class AnswerParts(Protocol):
    """Where media go that come inside an answer, one at a time: `begin`, `write` …, then `end` or `drop`."""

    async def begin(self) -> None: ...
    async def write(self, data: bytes) -> None: ...
    async def end(self) -> Path: ...
    async def drop(self) -> None: ...
    async def close(self, *, discard: bool) -> None: ...


PartsOf = Literal["needed", "done", "unknown"]
"""Whether the parts of an answer to a task are still needed; `unknown` where no such task is known."""


class MediaStore(Protocol):
    """Kept outputs and their sidecars. A method raises a `StoreError` where nothing can be written, and an
    `OutputError` where what came is no output."""

    @property
    def root(self) -> Path: ...

    @property
    def files(self) -> Files: ...

    async def find_place(self) -> Place: ...

    def answer_parts(self, task_id: str, bytes_max: int) -> AnswerParts: ...

    async def parts_of(self, task_id: str, elsewhere: Path | None = None) -> Sequence[FoundPart]: ...

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
        """Stream an output to its file; nothing is left behind where that fails."""
        ...

    async def keep_part(self, path: Path, *, stem: str, kind: Kind, declared_mime: str | None) -> KeptFile: ...

    async def set_aside(self, path: Path, *, stem: str) -> Path:
        """Give a medium that is cut off a name that says so."""
        ...

    async def measured(self, path: Path, kind: Kind) -> KeptFile: ...

    async def write_sidecar(self, path: Path, document: Mapping[str, JsonValue]) -> Path: ...

    def sidecars(self, *, of: str = "") -> AsyncGenerator[tuple[Path, dict[str, JsonValue]]]: ...

    async def copy_into(self, kept: Kept, folder: Path) -> Path: ...

    async def find(self, stem_prefix: str) -> list[Path]: ...

    async def sweep(
        self, owner_state: Callable[[str], Awaitable[PartsOf]], *, older_than_seconds: float = ...
    ) -> int: ...


class Decoded(Protocol):
    """What decoding a file brought: a document, and bytes."""

    @property
    def document(self) -> dict[str, JsonValue]: ...
    @property
    def data(self) -> bytes: ...


class Decoder(Protocol):
    """Bytes of strangers meet C code there, and never in this process."""

    async def ask(self, question: Mapping[str, JsonValue], file: BinaryIO, bounds: Bounds) -> Decoded:
        """The answer to a question about an open file.

        Raises:
            DecodingEnded: it took more than its bounds, crashed, or could not be started.
        """
        ...


Receipt = dict[str, JsonValue]


class ReceiptFile(Protocol):
    """Receipts of accepted jobs, kept beside the journal so that what happens to that spares them."""

    async def prepare(self) -> None: ...
    async def keep(self, receipt: Receipt, /) -> None: ...
    async def read(self) -> dict[str, Receipt]: ...
    async def tidy(self, needed: Callable[[Sequence[str]], Awaitable[Collection[str]]], now: datetime, /) -> int: ...


class Uploader(Protocol):
    """Gives media a URL, for a gateway that takes them by URL only."""

    @property
    def host(self) -> str: ...

    def expected_url(self, sha256: str, mime_type: str) -> str: ...

    async def upload(self, data: bytes, *, sha256: str, mime_type: str) -> str:
        """The URL under which a gateway finds the file.

        Raises:
            RequestRefused: it could not be uploaded; nothing was sent to a gateway.
        """
        ...
