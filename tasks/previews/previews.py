"""What of kept outputs is shown: opened as what they were kept as, decoded in a process of its own."""

import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Literal, cast

import anyio.to_thread
from pydantic import ConfigDict, Field, JsonValue, ValidationError

from ...domain.errors import DecodingEnded, RequestRefused
from ...domain.kept_media import Bounds, Kept, KeptFileChanged
from ...domain.record import KeptMedia, Output, TaskRecord
from ...domain.value import Value
from ..ports import Decoder, Files
from .glimpse import Glimpse, Grid

logger = logging.getLogger(__name__)

CHANGED = "the file has changed since it was kept and measured"
GLIMPSING = Bounds(memory_bytes=768 * 2**20, processor_seconds=20, wall_seconds=40)
OPEN_IT = "Open the file itself."


class _Refused(Value):
    """What the process that decodes may refuse. It may have been taken over: nothing else passes."""

    model_config = ConfigDict(strict=True, extra="forbid")

    reason: Literal["invalid_input", "invalid_media", "unsupported"]
    message: str = Field(max_length=200)
    hint: str | None = Field(max_length=200)


class _Answer(Value):
    model_config = ConfigDict(strict=True, extra="forbid")

    shows: str = Field("", max_length=200)
    refused: _Refused | None = None
    unreadable: str | None = None


class Previews:
    """Shows kept outputs."""

    def __init__(self, files: Files, decoder: Decoder) -> None:
        self._files = files
        self._decoder = decoder

    async def glimpse(self, output: Output, at_seconds: float | None = None) -> Glimpse:
        """A picture: the image itself, a video's contact sheet or one frame, a sound's waveform.

        Raises:
            RequestRefused: nothing to look at is kept here, the file is gone or another, it cannot be decoded within
                bounds, or `at_seconds` is no moment of a video.
        """
        media = _kept(output)
        mime_type = media.mime_type or ""
        if at_seconds is not None and not mime_type.startswith("video/"):
            raise RequestRefused("invalid_input", "at_seconds is for videos; this output is none.")
        try:
            file, unchanged = await self._files.open(_identity(media))
        except OSError as error:
            raise _not_opened(media, output, error) from error
        with file:
            question = {"do": "glimpse", "mime_type": mime_type, "duration_seconds": media.duration_seconds}
            said = f"{Path(media.path).name} ({mime_type})"
            return await self._decoded(file, said, {**question, "at_seconds": at_seconds}, unchanged)

    async def frame(self, output: Output, at_seconds: float | None) -> bytes:
        """A JPEG of one frame of a kept video in its full size; without a moment of the last one.

        Raises:
            RequestRefused: as for `glimpse`; also where the file is not what was kept, for this is sent on.
        """
        media = _kept(output)
        try:
            file, unchanged = await self._files.open(_identity(media))
        except OSError as error:
            raise _not_opened(media, output, error) from error
        with file:
            said = f"{Path(media.path).name} ({media.mime_type})"
            if not unchanged:
                raise RequestRefused("invalid_media", f"{said}: {CHANGED}.", hint="Name the file by its path.")
            question: dict[str, JsonValue] = {
                "do": "frame",
                "mime_type": media.mime_type,
                "duration_seconds": media.duration_seconds,
                "at_seconds": at_seconds,
            }
            return (await self._decoded(file, said, question, unchanged)).jpeg

    async def several(self, wanted: Sequence[tuple[Output, str]], at_seconds: float | None = None) -> Grid:
        """One picture of each output, with its label: of a video the middle frame, or the one at that moment.

        Raises:
            RequestRefused: none of them can be shown, or they could not be put together.
        """
        cells: list[tuple[bytes, str]] = []
        problems: dict[int, str] = {}
        for place, (output, label) in enumerate(wanted):
            try:
                cells.append(((await self.glimpse(output, _moment(output, at_seconds))).jpeg, label))
            except RequestRefused as refusal:
                if len(problems) == len(wanted) - 1:
                    raise
                problems[place] = refusal.message
                cells.append((b"", label))
        return Grid(await self._grid(cells), problems)

    async def _grid(self, cells: Sequence[tuple[bytes, str]]) -> bytes:
        """Looks side by side in one JPEG, each with its label; one without bytes is left blank."""
        sizes: list[JsonValue] = [[len(jpeg), label] for jpeg, label in cells]
        with await anyio.to_thread.run_sync(_joined, [jpeg for jpeg, _ in cells]) as file:
            return (await self._decoded(file, "the grid", {"do": "grid", "cells": sizes}, unchanged=True)).jpeg

    async def content(self, output: Output, bytes_max: int) -> bytes:
        """The kept bytes where they are few, else the picture of `glimpse`.

        Raises:
            RequestRefused: as for `glimpse`, or the bytes are not the ones that were kept.
        """
        media = _kept(output)
        try:
            data = await self._files.read(_identity(media), bytes_max)
        except KeptFileChanged as error:
            raise RequestRefused("invalid_media", f"{Path(media.path).name}: {CHANGED}.", hint=OPEN_IT) from error
        except OSError as error:
            raise _not_opened(media, output, error) from error
        return data if data is not None else (await self.glimpse(output)).jpeg

    async def _decoded(self, file: BinaryIO, name: str, question: Mapping[str, JsonValue], unchanged: bool) -> Glimpse:
        try:
            found = await self._decoder.ask(question, file, GLIMPSING)
            answer = _Answer.model_validate(found.document)
        except DecodingEnded as error:
            said = f"{name} could not be decoded: it {error.message}."
            raise RequestRefused("invalid_media", said, hint=OPEN_IT) from error
        except ValidationError as error:
            raise RequestRefused("invalid_media", f"{name} could not be decoded.", hint=OPEN_IT) from error
        if answer.refused is not None:
            raise RequestRefused(answer.refused.reason, answer.refused.message, hint=answer.refused.hint)
        if answer.unreadable is not None:
            logger.warning("output could not be looked at", extra={"file": name, "problem": answer.unreadable})
            why = "" if unchanged else f": {CHANGED}"
            raise RequestRefused("invalid_media", f"{name} could not be decoded{why}.", hint=OPEN_IT)
        return Glimpse(found.data, answer.shows if unchanged else f"{answer.shows} ({CHANGED})")


def _joined(pieces: Sequence[bytes]) -> BinaryIO:
    """An unnamed file of these bytes one after the other; a question carries one file along. Blocks."""
    file = cast("BinaryIO", tempfile.NamedTemporaryFile())  # noqa: SIM115 - the caller closes it
    try:
        file.writelines(pieces)
        file.flush()
    except BaseException:
        file.close()
        raise
    return file


def check_index(record: TaskRecord, index: int) -> None:
    """See that the task has this output, counted from 1.

    Raises:
        RequestRefused: it has not.
    """
    count = len(record.outputs)
    if not count:
        hint = "Call check_task to see why." if record.final else "Call check_task to wait for it."
        raise RequestRefused("invalid_input", f"Task {record.task_id} is {record.state} and has no output.", hint=hint)
    if not 1 <= index <= count:
        has = "1 output" if count == 1 else f"{count} outputs"
        raise RequestRefused("invalid_input", f"Task {record.task_id} has {has}, counted from 1; there is no {index}.")


def _moment(output: Output, at_seconds: float | None) -> float | None:
    """The moment of a video that stands for it; `None` for what is none."""
    media = output.kept
    if media is None or not (media.mime_type or "").startswith("video/"):
        return None
    return at_seconds if at_seconds is not None else (media.duration_seconds or 0.0) / 2


def _kept(output: Output) -> KeptMedia:
    if output.kept is None or output.kept.mime_type is None:
        raise _not_kept(output)
    return output.kept


def _identity(media: KeptMedia) -> Kept:
    return Kept(Path(media.path), media.bytes, media.sha256)


def _not_opened(media: KeptMedia, output: Output, error: OSError) -> RequestRefused:
    if isinstance(error, FileNotFoundError):
        alive = "Open its url instead, if it is still alive."
        hint = alive if output.remote.url else "Generate it again if it is wanted."
        return RequestRefused("not_found", f"The kept file is gone: {media.path}", hint=hint)
    said = f"What lies at {media.path} is not the file that was kept, or cannot be read"
    return RequestRefused("invalid_media", f"{said} ({error.strerror}).", hint="See what was put in its place.")


def _not_kept(output: Output) -> RequestRefused:
    said = "This output is not kept on this machine"
    if output.pending:
        hint = "It is still to be fetched: call check_task, then look again."
        return RequestRefused("invalid_input", f"{said} yet.", hint=hint)
    problem = output.keeping.problem
    alive = ", if it still works" if problem else ""
    hint = f"Open its url instead{alive}." if output.remote.url else "Call check_task to see what became of it."
    why = f": {problem.rstrip('.')}" if problem else ""
    return RequestRefused("invalid_input", f"{said}{why}.", hint=hint)
