"""The clips of a film, found: kept outputs and files of this machine, unchanged, of a known type, and looked into.

Nothing is fetched here, and nothing is journaled before all of them are there.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import anyio.to_thread
from pydantic import ConfigDict, Field, ValidationError

from ...domain.errors import DecodingEnded, RequestRefused, TaskNotFound
from ...domain.failure import clean_text
from ...domain.film import FILM_MODEL, ClipWish, FilmWish, Role
from ...domain.kept_media import CONTAINERS, PILLOW_FORMATS, Bounds, Kept, MediaFacts
from ...domain.media_types import HEAD_BYTES, sniff_mime
from ...domain.principal import Principal
from ...domain.record import Output, TaskRecord
from ...domain.request import GenerationRequest, MediaInput, MediaRole
from ...domain.value import Value
from ..intake.input_media import found_in, open_allowed
from ..intake.references import Reference, is_reference_like, reference_of
from ..intake.routing import Configured, Route, route
from ..journal import TaskJournal
from ..ports import Decoder, Files
from ..service import Wish
from .planning import FoundFile, planned

logger = logging.getLogger(__name__)

PROBING = Bounds(memory_bytes=768 * 2**20, processor_seconds=20, wall_seconds=40)

_HINT = "Give task:<task_id>#1 of a kept output, or the path of a file (over stdio)."


class _Facts(Value):
    model_config = ConfigDict(strict=True)

    width: int | None = Field(ge=1, le=65_535)
    height: int | None = Field(ge=1, le=65_535)
    duration_seconds: float | None = Field(ge=0, le=10 * 86_400, allow_inf_nan=False)
    frame_rate: float | None = Field(gt=0, le=100_000, allow_inf_nan=False)
    has_audio: bool | None


class _Probed(Value):
    """What the process that decodes may answer. It may have been taken over: nothing else passes."""

    model_config = ConfigDict(strict=True, extra="forbid")

    facts: _Facts | None = None
    holds: str | None = None
    unreadable: str | None = None


class FilmSources:
    """Finds the clips of films. Local files are read only inside `roots`."""

    def __init__(self, journal: TaskJournal, files: Files, decoder: Decoder, *, roots: Sequence[Path]) -> None:
        self._journal = journal
        self._files = files
        self._decoder = decoder
        self._roots = tuple(roots)

    async def routed(self, wish: Wish, configured: Sequence[Configured]) -> tuple[GenerationRequest, Route]:
        """The request of a film, and the one way on which it is made.

        Raises:
            RequestRefused: as for `resolve`.
        """
        request, warnings = await self._resolved(wish)
        return request, replace(route(request, configured, None), warnings=warnings)

    async def completed(
        self, record: TaskRecord, owner: Principal, configured: Sequence[Configured]
    ) -> tuple[GenerationRequest, Route]:
        """The same for a film that waits, from what there is now. Local files are those that were judged at first.

        Raises:
            RequestRefused: as for `routed`, or what was waited for will not come.
        """
        request = record.request
        wish = Wish(request=request, principal=owner, film=request.film_wish)
        found, warnings = await self._resolved(wish, known=request.media)
        return found, replace(route(found, configured, None), warnings=warnings)

    async def _resolved(
        self, wish: Wish, known: Sequence[MediaInput] = ()
    ) -> tuple[GenerationRequest, tuple[str, ...]]:
        """The request of a film with everything that decides it, and what the agent should know of it; one that waits
        where a clip is still being made.

        Raises:
            RequestRefused: a clip is not there any more, is another file now, cannot be decoded, or its part is not in
                it; nothing was journaled.
        """
        asked = wish.film
        if asked is None:
            raise RequestRefused("invalid_input", "No film is asked for.")
        media: list[MediaInput] = []
        found: list[FoundFile] = []
        for place, (role, number, clip) in enumerate(_numbered(asked)):
            name = f"{role.capitalize()} {number} ({clean_text(clip.given, 120)})"
            file = await self._found(clip, name, wish, found, known[place] if known else None)
            media.append(_medium(role, clip, file))
            found += [file] if file is not None else []
        if any(medium.awaited for medium in media):
            waiting = {"prompt": asked.title, "model": FILM_MODEL, "film_wish": asked, "media": tuple(media)}
            return wish.request.model_copy(update=waiting), tuple(_still_made(media))
        plan = planned(asked, found[: len(asked.shots)], found[len(asked.shots) :])
        decided = {"prompt": plan.film.title, "model": FILM_MODEL, "film": plan.film, "media": tuple(media)}
        request = wish.request.model_copy(update={**decided, "film_wish": None})
        return request, plan.warnings

    async def _found(
        self, clip: ClipWish, name: str, wish: Wish, before: Sequence[FoundFile], known: MediaInput | None
    ) -> FoundFile | None:
        """The file; `None` while its task may still make it."""
        wanted = _reference(clip.source, name)
        if wanted is not None:
            output = await self._output(wanted, name, wish)
            if output is None:
                return None
            file, kept = await self._opened_kept(output, name)
        elif known is not None:
            file, kept = await self._opened_again(known, name)
        else:
            file, kept = await self._opened_file(clip.source, name, wish)
        with file:
            same = next((each for each in before if (each.path, each.sha256) == (str(kept.path), kept.sha256)), None)
            return same or await self._looked_into(file, kept, name)

    async def _output(self, wanted: Reference, name: str, wish: Wish) -> Output | None:
        """The output that is named; `None` where its task may still make it, or is bringing it here."""
        task_id, number = wanted.task_id, wanted.number
        try:
            record = await self._journal.read_owned(task_id, wish.principal)
        except TaskNotFound as error:
            raise _invalid(f"{name}: {error.message}", error.hint) from error
        if not record.settled:
            return None
        if not record.outputs:
            raise _invalid(f"{name}: task {task_id} is {record.state} and has no output.")
        if not 1 <= number <= len(record.outputs):
            raise _invalid(f"{name}: task {task_id} has {len(record.outputs)} output(s), counted from 1: no #{number}.")
        output = record.outputs[number - 1]
        return None if output.pending else output

    async def _opened_again(self, known: MediaInput, name: str) -> tuple[BinaryIO, Kept]:
        kept = Kept(Path(known.given or ""), known.size_bytes, known.sha256)
        try:
            file, unchanged = await self._files.open(kept)
        except OSError as error:
            raise _invalid(f"{name} is gone, or cannot be read.") from error
        if not unchanged:
            file.close()
            raise _invalid(f"{name} has changed since it was chosen.")
        return file, kept

    async def _opened_kept(self, output: Output, name: str) -> tuple[BinaryIO, Kept]:
        media = output.kept
        if media is None:
            hint = "Download it, and give the path of the file."
            raise _invalid(f"{name} is not kept on this disk, and films are made of files that are.", hint)
        kept = Kept(Path(media.path), media.bytes, media.sha256)
        try:
            file, unchanged = await self._files.open(kept)
        except FileNotFoundError as error:
            raise _invalid(f"{name}: the kept file is gone: {media.path}.", "Generate it again.") from error
        except OSError as error:
            raise _invalid(f"{name}: the kept file cannot be read ({error.strerror}).") from error
        if not unchanged:
            file.close()
            raise _invalid(f"{name}: the file has changed since it was kept.", f"Name it by its path: {media.path}.")
        return file, kept

    async def _opened_file(self, text: str, name: str, wish: Wish) -> tuple[BinaryIO, Kept]:
        scheme = text.partition(":")[0].lower() if ":" in text else ""
        if scheme in {"http", "https", "data"}:
            raise _invalid(f"{name} is an address: films are made of kept outputs and files, and nothing is fetched.")
        if not wish.local_files:
            raise _invalid(f"{name}: local files are taken only over stdio.", "Give task:<task_id>#1 of a kept output.")
        roots = (*self._roots, *wish.host_roots)
        path = await anyio.to_thread.run_sync(found_in, text, wish.host_roots)
        return await anyio.to_thread.run_sync(partial(self._opened_and_hashed, path, roots))

    def _opened_and_hashed(self, path: Path, roots: Sequence[Path]) -> tuple[BinaryIO, Kept]:
        try:
            file = open_allowed(self._files, path, roots)
        except RequestRefused as error:
            # The hint of an input for a gateway names an address, and none is fetched for a film.
            raise _invalid(error.message, error.hint) from error
        try:
            size, sha256 = _identity(file)
        except BaseException:
            file.close()
            raise
        return file, Kept(path.resolve(), size, sha256)

    async def _looked_into(self, file: BinaryIO, kept: Kept, name: str) -> FoundFile:
        mime_type = sniff_mime(await anyio.to_thread.run_sync(partial(_head, file))) or ""
        if mime_type not in PILLOW_FORMATS and mime_type not in CONTAINERS:
            raise _invalid(f"{name} is no video, still or sound that can be decoded here ({mime_type or 'unknown'}).")
        try:
            told = await self._decoder.ask({"do": "probe", "mime_type": mime_type}, file, PROBING)
            probed = _Probed.model_validate(told.document)
        except DecodingEnded as error:
            raise _invalid(f"{name} cannot be used: decoding it {error.message}.") from error
        except ValidationError as error:
            raise _invalid(f"{name} could not be decoded.") from error
        if probed.facts is None or probed.holds is None:
            logger.warning("clip not decoded", extra={"file": str(kept.path), "problem": probed.unreadable})
            raise _invalid(f"{name} could not be decoded.")
        if probed.holds == "audio" and mime_type.startswith("video/"):
            mime_type = mime_type.replace("video/", "audio/")
        facts = MediaFacts(**probed.facts.model_dump())
        return FoundFile(str(kept.path), mime_type, kept.size_bytes or 0, kept.sha256 or "", facts)


def _numbered(wish: FilmWish) -> Iterator[tuple[Role, int, ClipWish]]:
    for number, shot in enumerate(wish.shots, start=1):
        yield "shot", number, shot
    for number, sound in enumerate(wish.sounds, start=1):
        yield "sound", number, sound


def _still_made(media: Sequence[MediaInput]) -> Iterator[str]:
    names = [medium.source for medium in media if medium.awaited]
    if names:
        yield f"{', '.join(names)} still being made: the film begins once it is all there."


def _medium(role: MediaRole, clip: ClipWish, file: FoundFile | None) -> MediaInput:
    wanted = reference_of(clip.source)
    if file is None:
        return MediaInput(
            role=role, source=clip.source if wanted is None else wanted.name, given=wanted and wanted.name
        )
    return MediaInput(
        role=role,
        source=clean_text(clip.source, 120) if wanted is None else wanted.name,
        given=file.path if wanted is None else wanted.name,
        mime_type=file.mime_type,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
    )


def _reference(source: str, name: str) -> Reference | None:
    try:
        wanted = reference_of(source)
    except ValueError as error:
        raise _invalid(f"{name}: {error}.") from error
    if wanted is None and is_reference_like(source):
        raise _invalid(f"{name} is not an output: write task:<task_id>#<number from 1>.")
    if wanted is not None and wanted.moment is not None:
        raise _invalid(f"{name} is one frame: name the video, and its part in brackets, such as [2.5-4].")
    return wanted


def _identity(file: BinaryIO) -> tuple[int, str]:
    import hashlib

    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    return file.tell(), digest


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(HEAD_BYTES)


def _invalid(message: str, hint: str | None = None) -> RequestRefused:
    return RequestRefused("invalid_media", message, hint=hint or _HINT)
