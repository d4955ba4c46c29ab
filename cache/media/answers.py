"""Media that come inside a gateway's answer, each in an unfinished file of its own from its first byte on.

The bytes exist nowhere else and are paid for. So a folder that fills up or fails midway is left for the next one, and
what had come by then goes along; a process that dies leaves files whose names tell the task and whether they are whole.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread

from ...domain.errors import OutputRejected, StoreError
from ..files import make_folder, sync_folder
from ..store_faults import translated
from .temporary import Part, answer_name, mark_whole
from .type_check import check_size

logger = logging.getLogger(__name__)

T = TypeVar("T")

_WRITE_BYTES = 2**20
_MEDIA_MAX = 256
"""More than any call can ask for, and few enough files for one folder."""

_NUMBERS_MAX = 10_000


class AnswerParts:
    """The unfinished files of one answer. One medium is written at a time: `begin`, `write` …, then `end` or `drop`.

    Whoever makes one calls `close` in the end.
    """

    def __init__(self, folders: Sequence[Path], task_id: str, bytes_max: int) -> None:
        self._folders = list(folders)
        self._task_id = task_id
        self._bytes_max = bytes_max
        self._begun = 0
        self._part: Part | None = None
        self._number = 0
        self._buffer = bytearray()
        self._whole: list[tuple[Path, Part]] = []

    async def begin(self) -> None:
        """A medium begins.

        Raises:
            OutputRejected: there are more media than any task has.
            StoreError: no folder can be written.
        """
        self._begun += 1
        if self._begun > _MEDIA_MAX:
            raise OutputRejected(f"The answer holds more than {_MEDIA_MAX} media.")
        self._buffer.clear()
        self._part = await self._written(self._new_part)

    async def write(self, data: bytes) -> None:
        """More bytes of the medium.

        Raises:
            OutputRejected: it is larger than the limit on outputs.
            StoreError: no folder can be written.
        """
        self._buffer += data
        check_size(self._current().size_bytes + len(self._buffer), self._bytes_max)
        if len(self._buffer) >= _WRITE_BYTES:
            await self._flush()

    async def end(self) -> Path:
        """The medium is whole: its file, on the disk and marked as whole.

        Raises:
            StoreError: no folder can be written.
        """
        await self._flush()
        path = await self._written(self._finish)
        self._whole.append((path, self._current()))
        self._part = None
        return path

    async def drop(self) -> None:
        """What began is no medium."""
        part, self._part = self._part, None
        if part is not None:
            await anyio.to_thread.run_sync(part.discard)

    async def close(self, *, discard: bool) -> None:
        """Let go of what has not got its name; with `discard` nobody wants it any more, so it is deleted."""
        with suppress(StoreError), anyio.CancelScope(shield=True):
            if self._buffer and self._part is not None and not discard:
                await self._flush()
        if self._part is not None or self._whole:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(partial(self._let_go, discard))

    def _let_go(self, discard: bool) -> None:
        for path, part in self._whole:
            if discard:
                path.unlink(missing_ok=True)
            part.release()
        if self._part is not None:
            self._part.discard() if discard or not self._part.size_bytes else self._part.release()
        self._whole.clear()
        self._part = None

    async def _flush(self) -> None:
        data = bytes(self._buffer)
        self._buffer.clear()

        def write() -> None:
            self._current().write(data)

        if data:
            await self._written(write)

    def _new_part(self) -> Part:
        folder = self._folders[0]
        make_folder(folder)
        while self._number < _NUMBERS_MAX:
            self._number += 1
            with suppress(FileExistsError):  # an earlier attempt of this task left it
                part = Part(folder, answer_name(self._task_id, self._number))
                # Before the first byte: whoever takes the task over must find it.
                sync_folder(folder)
                return part
        raise StoreError(f"There are too many unfinished files in {folder}.")

    def _current(self) -> Part:
        if self._part is None:
            raise AssertionError("a medium begins before its bytes come")
        return self._part

    def _finish(self) -> Path:
        self._current().sync()
        path = mark_whole(self._current().path)
        sync_folder(path.parent)
        return path

    async def _written(self, work: Callable[[], T]) -> T:
        """Do `work`; where its folder cannot be written, go on in the next one."""

        def attempt() -> T:
            while True:
                try:
                    with translated(self._folders[0], "folder of outputs"):
                        return work()
                except StoreError as error:
                    if len(self._folders) == 1:
                        raise
                    logger.warning("an answer goes on in the next folder", extra={"problem": error})
                    self._folders.pop(0)
                    self._move()

        return await anyio.to_thread.run_sync(attempt)

    def _move(self) -> None:
        """Take what has come of the medium under way along to the next folder."""
        old = self._part
        if old is None:
            return
        with translated(self._folders[0], "folder of outputs"):
            self._part = self._new_part()
            with old.path.open("rb") as file:
                left = old.size_bytes
                while left > 0 and (data := file.read(min(left, _WRITE_BYTES))):
                    self._part.write(data)
                    left -= len(data)
        old.discard()
