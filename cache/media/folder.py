"""The folder of kept outputs: each streamed to a temporary file, checked, and given its name in one step."""

import glob
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import anyio
import anyio.to_thread
from pydantic import JsonValue

from ...domain.errors import OutputUnavailable
from ..store_faults import translated
from .measure import Measured, MediaFacts
from .measuring import not_measured
from .names import safe_stem
from .opening import open_inside
from .sidecars import read_sidecar, write_sidecar
from .sniff import EXTENSIONS, HEAD_BYTES, MediaKind
from .temporary import Part, place, sweep
from .truncation import is_cut_off
from .type_check import accepted_mime, check_size, settled_mime

__all__ = ["KeptFile", "MediaFacts", "MediaFolder", "safe_stem"]

T = TypeVar("T")

Measure = Callable[[BinaryIO, str], Awaitable[Measured]]
"""Measures an open file whose type was told by its bytes."""

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


class MediaFolder:
    """Kept outputs and their sidecars in one flat folder."""

    def __init__(self, root: Path, measure: Measure = not_measured) -> None:
        self.root = root
        self._measure = measure

    async def keep(
        self,
        *,
        stem: str,
        chunks: AsyncIterator[bytes],
        kind: MediaKind,
        declared_mime: str | None,
        bytes_max: int,
        expected_bytes: int | None,
    ) -> KeptFile:
        """Keep an output under `<stem>.<extension>`, or `<stem>-2.<extension>` where another file has that name.

        A file with the same name and the same content is that output already, and is returned. What `chunks` raises
        comes through; nothing is left behind then.

        Raises:
            OutputRejected: it is empty, text, another kind of medium, of no known type, or larger than `bytes_max`.
            OutputUnavailable: it ended early.
            StoreFull, StoreReadOnly, StoreError: it could not be written.
        """
        check_size(expected_bytes or 0, bytes_max)
        part = await self._run(partial(Part, self.root))
        try:
            mime_type = await self._fill(part, chunks, kind, declared_mime, bytes_max, expected_bytes)
            file = await self._run(partial(_finished, part, mime_type, expected_bytes is None))
            with file:
                measured = await self._measure(file, mime_type)
            mime_type = settled_mime(mime_type, kind, measured)
            return await self._run(partial(_named, part, safe_stem(stem), mime_type, measured))
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(part.discard)

    async def _fill(
        self,
        part: Part,
        chunks: AsyncIterator[bytes],
        kind: MediaKind,
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
                await self._run(partial(part.write, bytes(buffer)))
                buffer.clear()
        total = part.size_bytes + len(buffer)
        if expected_bytes is not None and total != expected_bytes:
            raise OutputUnavailable(f"The output ended after {total} of {expected_bytes} bytes.")
        if mime_type is None:
            mime_type = accepted_mime(bytes(buffer[:HEAD_BYTES]), kind, declared_mime)
        await self._run(partial(part.write, bytes(buffer)))
        return mime_type

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
        for sidecar in await self._run(
            partial(_names_sorted, self.root, f"*{glob.escape(of)}*.json" if of else "*.json")
        ):
            document = await self._run(partial(read_sidecar, sidecar))
            if document is not None:
                yield sidecar.with_suffix(""), document

    async def find(self, stem_prefix: str) -> list[Path]:
        """The kept files whose names begin with `stem_prefix`, sorted by name; no sidecars, no unfinished files."""
        names = await self._run(partial(_names_sorted, self.root, "*"))
        return [
            path
            for path in names
            if path.name.startswith(stem_prefix) and path.suffix != ".json" and not path.name.startswith(".")
        ]

    async def sweep(self, *, older_than_seconds: float = 86_400) -> int:
        """Delete unfinished files that a killed process left; returns how many.

        Age is told by the file system's own clock, so a wrong clock of this machine deletes nothing.
        """
        return await self._run(partial(sweep, self.root, older_than_seconds))

    async def _run(self, work: Callable[[], T]) -> T:
        def translated_work() -> T:
            with translated(self.root, "folder of outputs"):
                return work()

        return await anyio.to_thread.run_sync(translated_work)


def _finished(part: Part, mime_type: str, check_end: bool) -> BinaryIO:
    part.sync()
    if check_end and is_cut_off(part.path, mime_type):
        raise OutputUnavailable(f"The output ended early, after {part.size_bytes} bytes.")
    return open_inside(part.path.parent, part.path)


def _named(part: Part, stem: str, mime_type: str, measured: Measured) -> KeptFile:
    path = place(part, stem, EXTENSIONS.get(mime_type, "bin"))
    return KeptFile(path, part.size_bytes, part.sha256, mime_type, measured.facts, measured.problem)


def _names_sorted(root: Path, pattern: str) -> list[Path]:
    return sorted(path for path in root.glob(pattern) if path.is_file()) if root.is_dir() else []
