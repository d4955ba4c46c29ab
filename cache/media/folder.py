"""The folder of kept outputs: each streamed to a temporary file, checked, and given its name in one step."""

import glob
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar

import anyio
import anyio.to_thread
from pydantic import JsonValue

from ...domain.errors import OutputUnavailable, StoreError
from ...domain.kept_media import Kept, KeptFileChanged, Measured, MediaFacts
from ...domain.media_types import EXTENSIONS, HEAD_BYTES, sniff_mime
from ...domain.request import Kind
from ..files import make_folder
from ..shared import Shared
from ..store_faults import translated
from .answers import AnswerParts
from .kept_files import KeptFiles
from .measuring import not_measured
from .names import safe_stem
from .opening import open_inside
from .room import Place, check_room, probe
from .sidecars import read_sidecar, write_sidecar
from .temporary import FoundPart, Part, Written, parts_of, place, sweep, tasks_of_parts
from .truncation import is_cut_off
from .type_check import accepted_mime, check_size, settled_mime

__all__ = ["KeptFile", "MediaFacts", "MediaFolder", "safe_stem"]

T = TypeVar("T")

Measure = Callable[[BinaryIO, str], Awaitable[Measured]]
"""Measures an open file whose type was told by its bytes."""

PartsOf = Literal["needed", "done", "unknown"]
"""Whether the parts of an answer to a task are still needed; `unknown` where no such task is known."""

_WRITE_BYTES = 2**20


@dataclass(frozen=True)
class KeptFile:
    """A kept output."""

    path: Path
    size_bytes: int
    sha256: str
    mime_type: str
    """Told by the bytes."""
    facts: MediaFacts
    measure_problem: str | None = None
    """Why it was not measured; the end of a sentence that begins with the file."""
    cut_off: bool = False
    """Its own format says that its end is missing, though all that was sent has come."""


@dataclass(frozen=True)
class _Whole:
    path: Path
    size_bytes: int
    sha256: str


class MediaFolder:
    """Kept outputs and their sidecars in one flat folder.

    `fallback` takes them where `root` cannot be written. Downloads leave `free_bytes_min` free on the disk.
    """

    def __init__(
        self, root: Path, measure: Measure = not_measured, *, fallback: Path | None = None, free_bytes_min: int = 0
    ) -> None:
        self.root = root
        self._measure = measure
        self._free_bytes_min = free_bytes_min
        self._roots = tuple(dict.fromkeys(folder for folder in (root, fallback) if folder is not None))
        self._place = Shared(self._find_place)

    @property
    def files(self) -> KeptFiles:
        """Opens what is kept here, or was where the record says."""
        return KeptFiles(self.root)

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
        """Keep an output under `<stem>.<extension>`, or `<stem>-2.<extension>` where another file has that name.

        A file with the same name and the same content is that output already, and is returned. What `chunks` raises
        comes through; nothing is left behind then. What ends early by its own format is refused unless `even_cut_off`
        says that no more can be had; `KeptFile.cut_off` tells of it.

        Raises:
            OutputRejected: it is empty, text, another kind of medium, of no known type, or larger than `bytes_max`.
            OutputUnavailable: it ended early.
            StoreFull, StoreReadOnly, StoreError: it could not be written.
        """
        check_size(expected_bytes or 0, bytes_max)
        part = await self._new_part(expected_bytes or 0)
        try:
            mime_type = await self._fill(part, chunks, kind, declared_mime, bytes_max, expected_bytes)
            file, cut_off = await self._run(partial(_finished, part, mime_type, even_cut_off))
            return await self._named(part, file, safe_stem(stem), kind, mime_type, cut_off)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(part.discard)

    async def _fill(
        self,
        part: Part,
        chunks: AsyncIterator[bytes],
        kind: Kind,
        declared_mime: str | None,
        bytes_max: int,
        expected_bytes: int | None,
    ) -> str:
        """Write all chunks; returns the type, which is told before more than the head is fetched."""
        buffer = bytearray()
        mime_type: str | None = None
        async for chunk in chunks:
            buffer += chunk
            check_size(part.size_bytes + len(buffer), bytes_max)
            if mime_type is None and len(buffer) >= HEAD_BYTES:
                mime_type = accepted_mime(bytes(buffer[:HEAD_BYTES]), kind, declared_mime)
            if len(buffer) >= _WRITE_BYTES:
                await self._run(partial(self._write_leaving_room, part, bytes(buffer)))
                buffer.clear()
        total = part.size_bytes + len(buffer)
        if expected_bytes is not None and total != expected_bytes:
            raise OutputUnavailable(f"The output ended after {total} of {expected_bytes} bytes.")
        if mime_type is None:
            mime_type = accepted_mime(bytes(buffer[:HEAD_BYTES]), kind, declared_mime)
        await self._run(partial(part.write, bytes(buffer)))
        return mime_type

    def _write_leaving_room(self, part: Part, data: bytes) -> None:
        check_room(part.path.parent, len(data), self._free_bytes_min)
        part.write(data)

    async def _new_part(self, size_bytes: int) -> Part:
        """An unfinished file in the first folder that can be written and has room for so many bytes."""
        faults: list[StoreError] = []
        for root in self._roots:

            def made(root: Path = root) -> Part:
                part = Part(root)
                try:
                    check_room(root, size_bytes, self._free_bytes_min)
                except StoreError:
                    part.discard()
                    raise
                return part

            try:
                return await self._run(made, root)
            except StoreError as error:
                faults.append(error)
        raise faults[0]

    async def find_place(self) -> Place:
        """The first folder that is proven to be writable (a file is written and synced) and has the room to be left.
        Of many calls at once those share a proof that came before it began.

        Raises:
            StoreFull, StoreReadOnly, StoreError: there is none; tells of the folder that was asked for.
        """
        return await self._place.fresh()

    async def _find_place(self) -> Place:
        faults: list[StoreError] = []
        for root in self._roots:
            try:
                await self._run(partial(probe, root, self._free_bytes_min), root)
            except StoreError as error:
                faults.append(error)
            else:
                return Place(root, faults[0].message if faults else None)
        raise faults[0]

    def answer_parts(self, task_id: str, bytes_max: int) -> AnswerParts:
        """Unfinished files for the media in one answer, which may use all the room there is: they are paid for."""
        return AnswerParts(self._roots, task_id, bytes_max)

    async def parts_of(self, task_id: str, elsewhere: Path | None = None) -> list[FoundPart]:
        """Media of an answer to this task that came, or began to come, and have not got their names yet.

        `elsewhere` is looked through too: the folder may have been another when they came.
        """
        roots = dict.fromkeys((*self._roots, elsewhere or self.root))
        return [part for root in roots for part in await self._run(partial(parts_of, root, task_id), root)]

    async def measured(self, path: Path, kind: Kind) -> KeptFile:
        """The facts of a file that has its name already, of which no record tells.

        Raises:
            OutputRejected: it is no medium of this kind.
            StoreError: it cannot be read.
        """
        file, whole, mime_type = await self._run(partial(_opened_whole, path, kind, None), path.parent)
        with file:
            measured = await self._measure(file, mime_type)
        settled = settled_mime(mime_type, kind, measured)
        return KeptFile(path, whole.size_bytes, whole.sha256, settled, measured.facts, measured.problem)

    async def _named(
        self, part: Written, file: BinaryIO, stem: str, kind: Kind, mime_type: str, cut_off: bool
    ) -> KeptFile:
        with file:
            measured = await self._measure(file, mime_type)
        mime_type = settled_mime(mime_type, kind, measured)
        path = await self._run(partial(place, part, stem, EXTENSIONS.get(mime_type, "bin")), part.path.parent)
        return KeptFile(path, part.size_bytes, part.sha256, mime_type, measured.facts, measured.problem, cut_off)

    async def keep_part(self, path: Path, *, stem: str, kind: Kind, declared_mime: str | None) -> KeptFile:
        """Keep a medium that came whole inside an answer, as `keep` does. One that seems cut off is kept all the same:
        all that the gateway sent of it is there, and it will not be sent again.

        Raises:
            OutputRejected: it is text, another kind of medium, or of no known type.
            StoreError: it could not be given its name.
        """
        file, whole, mime_type = await self._run(partial(_opened_whole, path, kind, declared_mime), path.parent)
        cut_off = await self._run(partial(is_cut_off, path, mime_type), path.parent)
        kept = await self._named(whole, file, safe_stem(stem), kind, mime_type, cut_off)
        await self._run(partial(path.unlink, missing_ok=True))  # a file of that name had the same content
        return kept

    async def set_aside(self, path: Path, *, stem: str) -> Path:
        """Give what came of a medium before its answer broke off a name that says so: `<stem>.incomplete.<extension>`.

        Raises:
            StoreError: it could not be given its name.
        """
        return await self._run(partial(_set_aside, path, safe_stem(stem)), path.parent)

    async def write_sidecar(self, path: Path, document: Mapping[str, JsonValue]) -> Path:
        """Write (or replace, in one step) the provenance of the kept file `path`: `<file>.json` beside it.

        Raises:
            StoreFull, StoreReadOnly, StoreError: it could not be written.
        """
        return await self._run(partial(write_sidecar, path, dict(document)))

    async def sidecars(self, *, of: str = "") -> AsyncGenerator[tuple[Path, dict[str, JsonValue]]]:
        """Every readable sidecar with the path of the file it belongs to (which may be gone); junk is passed over.

        With `of`, only those whose names hold it.
        """
        for sidecar in await self._names(f"*{glob.escape(of)}*.json" if of else "*.json"):
            document = await self._run(partial(read_sidecar, sidecar))
            if document is not None:
                yield sidecar.with_suffix(""), document

    async def copy_into(self, kept: Kept, folder: Path) -> Path:
        """Copy a kept file into another folder; the path of the copy, also of an equal one that was there already.

        Raises:
            StoreFull, StoreReadOnly, StoreError: it could not be written, or the folder is reached by a link now.
            OSError: the kept file cannot be read, or is another one now.
        """
        file, unchanged = await self.files.open(kept)
        with file:
            if not unchanged:
                raise KeptFileChanged(kept.path)
            return await self._run(partial(_copied, file, kept.path, folder), folder)

    async def find(self, stem_prefix: str) -> list[Path]:
        """The kept files whose names begin with `stem_prefix`, sorted by name; no sidecars, no unfinished files."""
        return [
            path
            for path in await self._names("*")
            if path.name.startswith(stem_prefix) and path.suffix != ".json" and not path.name.startswith(".")
        ]

    async def sweep(
        self, owner_state: Callable[[str], Awaitable[PartsOf]], *, older_than_seconds: float = 86_400
    ) -> int:
        """Delete unfinished files that killed processes left; returns how many. Never one that a process works on.

        `owner_state` tells of a task whose answer left parts whether they are needed.
        """
        count = 0
        for root in self._roots:
            states = {task: await owner_state(task) for task in await self._run(partial(tasks_of_parts, root), root)}
            spared = {task for task, state in states.items() if state == "needed"}
            unknown = {task for task, state in states.items() if state == "unknown"}
            swept = partial(sweep, root, spared=spared, unknown=unknown, older_than_seconds=older_than_seconds)
            count += await self._run(swept, root)
        return count

    async def _names(self, pattern: str) -> list[Path]:
        return [path for root in self._roots for path in await self._run(partial(_names_sorted, root, pattern), root)]

    async def _run(self, work: Callable[[], T], root: Path | None = None) -> T:
        def translated_work() -> T:
            with translated(root or self.root, "folder of outputs"):
                return work()

        return await anyio.to_thread.run_sync(translated_work)


def _finished(part: Part, mime_type: str, even_cut_off: bool) -> tuple[BinaryIO, bool]:
    part.sync()
    cut_off = is_cut_off(part.path, mime_type)
    if cut_off and not even_cut_off:
        raise OutputUnavailable(f"The output ended early, after {part.size_bytes} bytes.")
    return open_inside(part.path.parent, part.path), cut_off


def _opened_whole(path: Path, kind: Kind, declared_mime: str | None) -> tuple[BinaryIO, _Whole, str]:
    """A whole file with its size and hash, and the type that its bytes tell."""
    file = open_inside(path.parent, path)
    try:
        mime_type = accepted_mime(file.read(HEAD_BYTES), kind, declared_mime)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size_bytes = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file, _Whole(path, size_bytes, sha256), mime_type


def _copied(file: BinaryIO, source: Path, folder: Path) -> Path:
    """It was judged when the call came; a link that somebody has put on the way since leads elsewhere."""
    make_folder(folder)
    if folder.resolve() != folder:
        raise StoreError(f"{folder} is reached by a link now.")
    if folder == source.parent.resolve():
        return source
    part = Part(folder)
    try:
        file.seek(0)
        while data := file.read(_WRITE_BYTES):
            part.write(data)
        part.sync()
        return place(part, source.stem, source.suffix.removeprefix("."))
    finally:
        part.discard()


def _set_aside(path: Path, stem: str) -> Path:
    with open_inside(path.parent, path) as file:
        mime_type = sniff_mime(file.read(HEAD_BYTES))
        file.seek(0)
        whole = _Whole(path, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    return place(whole, stem, f"incomplete.{EXTENSIONS.get(mime_type or '', 'bin')}")


def _names_sorted(root: Path, pattern: str) -> list[Path]:
    return sorted(path for path in root.glob(pattern) if path.is_file()) if root.is_dir() else []
