"""A film made in the process that decodes: its files are opened here once more, and handed over with the work."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import BinaryIO, Protocol

from pydantic import ConfigDict, Field, JsonValue, ValidationError

from ...domain.errors import DecodingEnded, FailureError
from ...domain.failure import clean_text
from ...domain.film import Clip, Film, Rendered
from ...domain.kept_media import Bounds
from ...domain.value import Value
from ..ports import Decoded, Files

logger = logging.getLogger(__name__)

MEMORY_BYTES = 1536 * 2**20
"""For two decoders of pictures and one encoder at 4k; at 720p a tenth of it is used."""
_SECONDS_AT_LEAST, _SECONDS_A_SECOND = 120, 20
"""Processor time of a film, and of each of its seconds at 720p: some fifty times what it takes."""
_PIXELS_720P = 1280 * 720
_BUSY = 4
"""Wall time for each second of processor time."""

_AGAIN = "Call assemble again with other clips; nothing was charged."


class _Refused(Value):
    model_config = ConfigDict(extra="ignore")

    message: str = Field(max_length=300)


class _Made(Value):
    """What the process that decodes may answer. It may have been taken over: nothing else passes."""

    model_config = ConfigDict(extra="forbid")

    loudness_before_lufs: float | None = Field(None, ge=-200, le=100)
    gain_db: float = Field(0.0, ge=-200, le=200)
    notes: list[str] = Field(default=[], max_length=10)
    refused: _Refused | None = None
    unreadable: str | None = None


class Workshop(Protocol):
    """The port `Decoder` for work that takes long, needs several files, and writes the first of them."""

    async def work(
        self,
        question: Mapping[str, JsonValue],
        files: Sequence[BinaryIO],
        bounds: Bounds,
        tell: Callable[[dict[str, JsonValue]], object],
    ) -> Decoded:
        """The answer; `tell` hears how far the work is. Ended where its caller is cancelled.

        Raises:
            DecodingEnded: as for `Decoder.ask`.
        """
        ...


class FilmRenderer:
    """Renders films, one at a time. `bytes_max` bounds the file."""

    def __init__(self, files: Files, workshop: Workshop, *, bytes_max: int) -> None:
        self._files = files
        self._workshop = workshop
        self._bytes_max = bytes_max

    async def render(self, film: Film, into: BinaryIO, report: Callable[[float], object]) -> Rendered:
        """Write the film into an open file.

        Raises:
            FailureError: a clip is gone or another file now, or cannot be decoded within bounds; nothing is charged.
        """

        def tell(document: dict[str, JsonValue]) -> None:
            done = document.get("progress")
            if isinstance(done, (int, float)):
                report(min(max(float(done), 0.0), 1.0))

        with ExitStack() as opened:
            paths: list[JsonValue] = []
            files = [into]
            for clip in {clip.path: clip for clip in (*film.shots, *film.sounds)}.values():
                files.append(opened.enter_context(await self._opened(clip)))
                paths.append(clip.path)
            question: dict[str, JsonValue] = {"do": "assemble", "film": film.model_dump(mode="json"), "paths": paths}
            try:
                answer = await self._workshop.work(question, files, self._bounds(film), tell)
            except DecodingEnded as error:
                raise _failed(f"Making the film {error.message}.") from error
        return _rendered(answer.document)

    def _bounds(self, film: Film) -> Bounds:
        share = max(1.0, film.width * film.height / _PIXELS_720P)
        processor_seconds = round(_SECONDS_AT_LEAST + _SECONDS_A_SECOND * film.seconds * share)
        return Bounds(MEMORY_BYTES, processor_seconds, float(_BUSY * processor_seconds), self._bytes_max)

    async def _opened(self, clip: Clip) -> BinaryIO:
        said = clean_text(clip.given, 120)
        try:
            file, unchanged = await self._files.open(clip.kept)
        except OSError as error:
            raise FailureError(
                "invalid_media", f"The file of {said} cannot be read: {error.strerror}.", charged="no", hint=_AGAIN
            ) from error
        if not unchanged:
            file.close()
            raise FailureError(
                "invalid_media", f"The file of {said} has changed since it was chosen.", charged="no", hint=_AGAIN
            )
        return file


def _rendered(document: Mapping[str, JsonValue]) -> Rendered:
    try:
        made = _Made.model_validate(document)
    except ValidationError as error:
        raise _failed("The process that makes films answered with nonsense.") from error
    if made.refused is not None:
        raise _failed(clean_text(made.refused.message))
    if made.unreadable is not None:
        logger.warning("film not made", extra={"problem": made.unreadable})
        raise _failed(f"The film could not be made: {clean_text(made.unreadable, 200)}.")
    notes = tuple(clean_text(note, 300) for note in made.notes)
    return Rendered(made.loudness_before_lufs, made.gain_db, notes)


def _failed(message: str) -> FailureError:
    return FailureError("invalid_media", message, charged="no", hint=_AGAIN)
