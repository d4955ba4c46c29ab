"""Input media: what the agent gave becomes a URL or checked bytes, before anything is journaled or sent.

A medium is an https URL, a data URL, a local path inside the allowed roots, or an output of an earlier task
(`references.py`). One that its task has still to make is named only, and resolved again once it is there.
"""

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import anyio.to_thread

from ...domain.errors import RequestRefused, TaskNotFound
from ...domain.failure import clean_text
from ...domain.kept_media import Kept, KeptFileChanged
from ...domain.media_types import HEAD_BYTES, sniff_mime
from ...domain.picture_size import picture_size
from ...domain.principal import Principal
from ...domain.record import Output, TaskRecord
from ...domain.request import KIND_OF_ROLE, MediaInput, MediaRole
from ..journal import TaskJournal
from ..ports import Clock, Files
from ..service import MediaSource
from .frames import Frames
from .references import FORMS, Reference, is_reference_like, reference_of

MEDIA_BYTES_MAX = 10 * 1024 * 1024
URL_CHARACTERS_MAX = 4096
MEDIA_COUNT_MAX = 32
MEDIA_TOTAL_BYTES_MAX = 128 * 1024 * 1024
"""Of one request, held in memory at once; as base64 it is a third more."""

ROOTS_HINT = (
    "Nothing was sent. Copy the file into one of these folders, or ask the user to add its folder to "
    "`[inputs] roots = [...]` in rushes.toml."
)

WHOLE_PATH_HINT = (
    "Nothing was sent. Give the file's whole path. A folder that the host has open is looked into only if it is a "
    "project: neither a home folder nor one above it, nor one of the system's."
)

_DATA = re.compile(r"data:(?P<mime>[\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*;base64,(?P<body>.*)\Z", re.DOTALL | re.IGNORECASE)


class MediaResolver:
    """Turns media sources into inputs. Local files are read only inside `roots`."""

    def __init__(
        self,
        journal: TaskJournal,
        files: Files,
        clock: Clock,
        frames: Frames,
        *,
        roots: Sequence[Path],
        bytes_max: int = MEDIA_BYTES_MAX,
    ) -> None:
        self._journal = journal
        self._files = files
        self._clock = clock
        self._frames = frames
        self._roots = tuple(roots)
        self._bytes_max = bytes_max
        self._total_max = max(MEDIA_TOTAL_BYTES_MAX, bytes_max)

    @property
    def roots(self) -> tuple[Path, ...]:
        """Folders in which local media may lie."""
        return self._roots

    async def resolve(
        self,
        sources: Sequence[MediaSource],
        *,
        principal: Principal,
        local_files: bool,
        host_roots: Sequence[Path] = (),
    ) -> tuple[MediaInput, ...]:
        """All media of a request. `host_roots` are folders that the host has opened, beside those of the settings.

        Raises:
            RequestRefused: `invalid_media`, with the medium and what is wrong with it.
        """
        if len(sources) > MEDIA_COUNT_MAX:
            raise _invalid(f"{len(sources)} input media are too many: at most {MEDIA_COUNT_MAX}.")
        media: list[MediaInput] = []
        for source in sources:
            media.append(await self._resolve(source, principal, tuple(host_roots) if local_files else None))
            if sum(medium.size_bytes or 0 for medium in media if medium.data is not None) > self._total_max:
                raise _invalid(f"The input media are over {_mib(self._total_max)} together.")
        return tuple(media)

    async def completed(
        self, media: Sequence[MediaInput], given: Mapping[str, bytes], *, principal: Principal
    ) -> tuple[MediaInput, ...] | None:
        """The media of a request that waits, with what was awaited; `None` while some of it is not there.

        Args:
            media: As they were resolved when the call came.
            given: Those that came as bytes, by their hash, as far as they are still at hand.
            principal: Whose they are.

        Raises:
            RequestRefused: `invalid_media`, where one will not come or is not what it was.
        """
        complete: list[MediaInput] = []
        for medium in media:
            found = await self._completed(medium, given, principal)
            if found.awaited:
                return None
            complete.append(found)
        return tuple(complete)

    async def again(self, media: Sequence[MediaInput], *, principal: Principal) -> tuple[MediaInput, ...]:
        """The media of a request that another process had, with the bytes of those that have no address.

        Raises:
            RequestRefused: `invalid_media`, where one came as mere bytes, is gone, or is not what it was.
        """
        found = [medium if medium.url is not None else await self._completed(medium, {}, principal) for medium in media]
        return tuple(found)

    async def _completed(self, medium: MediaInput, given: Mapping[str, bytes], principal: Principal) -> MediaInput:
        if medium.given is not None and (wanted := reference_of(medium.given)) is not None:
            return await self._of_task(medium.role, wanted, principal)
        if medium.sha256 is None:
            return medium
        if medium.sha256 in given:
            return medium.model_copy(update={"data": given[medium.sha256]})
        if medium.given is None:
            raise _invalid(f"{medium.source} came as bytes, and rushes was started anew meanwhile.")
        try:
            # By its hash: it was judged when the call came, and is that very file or none.
            kept = Kept(Path(medium.given), medium.size_bytes, medium.sha256)
            return medium.model_copy(update={"data": await self._files.read(kept, self._bytes_max)})
        except OSError as error:
            raise _invalid(f"{medium.source} is gone, or another file now.") from error

    async def _resolve(
        self, source: MediaSource, principal: Principal, host_roots: Sequence[Path] | None
    ) -> MediaInput:
        text = source.text.strip()
        if (wanted := _reference(text)) is not None:
            return await self._of_task(source.role, wanted, principal)
        scheme = text.split(":", 1)[0].lower() if ":" in text else ""
        match scheme:
            case "https":
                return MediaInput(role=source.role, source=_shown(text), url=_checked_url(text))
            case "http":
                raise _invalid(f"{_shown(text)} is not https; gateways fetch only https URLs.")
            case "data":
                return self._of_bytes(source.role, _data_of(text, self._bytes_max), shown="data URL")
            case _:
                return await self._of_file(source.role, text, host_roots)

    async def _of_task(self, role: MediaRole, wanted: Reference, principal: Principal) -> MediaInput:
        name = wanted.name
        output = await self._output(role, wanted, principal)
        if output is None:
            return MediaInput(role=role, source=name, given=name)
        if wanted.moment is not None:
            return self._of_bytes(role, await self._frames.frame(output, wanted), shown=name, given=name)
        data = await self._kept_bytes(output, name)
        if data is not None:
            medium = self._of_bytes(role, data, shown=name, given=name)
            return medium.model_copy(update={"url": self._live_url(output)})
        url = self._live_url(output)
        if url is None:
            raise _invalid(f"The output {name} has neither a file under {_mib(self._bytes_max)} nor a live https URL.")
        sha256 = output.kept and output.kept.sha256
        return MediaInput(role=role, source=name, given=name, url=url, mime_type=output.mime_type, sha256=sha256)

    async def _kept_bytes(self, output: Output, text: str) -> bytes | None:
        """The bytes that were kept; `None` where they are too many or the file is gone, so that the URL may serve."""
        media = output.kept
        if media is None:
            return None
        try:
            return await self._files.read(Kept(Path(media.path), media.bytes, media.sha256), self._bytes_max)
        except FileNotFoundError:
            return None
        except KeptFileChanged as error:
            raise _invalid(f"The file of {text} has changed since it was kept; name the file by its path.") from error
        except OSError as error:
            raise _invalid(f"The file of {text} is not what was kept ({error.strerror}).") from error

    async def _output(self, role: MediaRole, wanted: Reference, principal: Principal) -> Output | None:
        """The output that is named; `None` where its task may still make it."""
        try:
            record = await self._journal.read_owned(wanted.task_id, principal)
        except TaskNotFound as error:
            raise _invalid(error.message) from error
        count = len(record.outputs)
        if record.settled and count and not 1 <= wanted.number <= count:
            raise _invalid(f"Task {wanted.task_id} has {count} output(s), counted from 1: no #{wanted.number}.")
        if (problem := _of_wrong_kind(role, wanted, record)) is not None:
            raise problem
        if not record.settled:
            return None
        if record.final and 1 <= wanted.number <= len(record.outputs):
            output = record.outputs[wanted.number - 1]
            if output.pending and self._live_url(output) is None:
                return None
        if not record.outputs:
            raise _invalid(f"Task {wanted.task_id} has no output: it is {record.state}.")
        return record.outputs[wanted.number - 1]

    def _live_url(self, output: Output) -> str | None:
        expires_at = output.remote.expires_at
        return output.public_url if expires_at is None or expires_at > self._clock.now() else None

    async def _of_file(self, role: MediaRole, text: str, host_roots: Sequence[Path] | None) -> MediaInput:
        if host_roots is None:
            raise _invalid(f"{_shown(text)}: local files are taken only over stdio; give an https or data URL.")
        path = await anyio.to_thread.run_sync(found_in, text, host_roots)
        data = await _read_allowed(self._files, path, (*self._roots, *host_roots), self._bytes_max)
        return self._of_bytes(role, data, shown=str(path), given=str(path.absolute()))

    def _of_bytes(self, role: MediaRole, data: bytes, *, shown: str, given: str | None = None) -> MediaInput:
        if len(data) > self._bytes_max:
            raise _invalid(f"{_shown(shown)} is over {_mib(self._bytes_max)}.")
        mime_type = sniff_mime(data[:HEAD_BYTES])
        wanted = KIND_OF_ROLE[role]
        if mime_type is None or not mime_type.startswith(f"{wanted}/"):
            found = mime_type or "no known medium"
            raise _invalid(f"{_shown(shown)} is {found} by its first bytes, not {wanted}.")
        pixels = picture_size(data)
        return MediaInput(
            role=role,
            source=f"{_shown(shown)} ({mime_type}, {len(data)} bytes)",
            given=given,
            mime_type=mime_type,
            size_bytes=len(data),
            width=pixels and pixels[0],
            height=pixels and pixels[1],
            sha256=hashlib.sha256(data).hexdigest(),
            data=data,
        )


def parents_of(from_task: str | None, media: Sequence[MediaInput]) -> tuple[str, ...]:
    """Ids of the tasks that a request comes from: the one it repeats, then those whose outputs are its inputs."""
    named = (_reference(medium.given) for medium in media if medium.given is not None)
    inputs = (reference.task_id for reference in named if reference is not None)
    return tuple(dict.fromkeys((*((from_task,) if from_task else ()), *inputs)))


def _reference(text: str) -> Reference | None:
    try:
        wanted = reference_of(text)
    except ValueError as error:
        raise _invalid(f"{_shown(text)}: {error}; write @last or @2.5.") from error
    if wanted is None and is_reference_like(text):
        raise _invalid(f"{_shown(text)} is not an output: write {FORMS}.")
    return wanted


def _of_wrong_kind(role: MediaRole, wanted: Reference, record: TaskRecord) -> RequestRefused | None:
    """Why a task of this kind makes no such input, whatever comes of it; `None` where it may."""
    kind = KIND_OF_ROLE[role]
    if wanted.moment is not None:
        if record.kind == "video" and kind == "image":
            return None
        return _invalid(f"{wanted.name}: a frame is taken of a video for a picture; this is {record.kind} for {kind}.")
    if record.kind == kind:
        return None
    hint = (
        f"Name a frame of it: {wanted.name}@last, or @ and seconds."
        if (record.kind, kind) == ("video", "image")
        else None
    )
    return RequestRefused("invalid_media", f"{wanted.name} is {record.kind}, not {kind}.", hint=hint)


def _invalid(message: str) -> RequestRefused:
    return RequestRefused("invalid_media", message)


def _shown(text: str) -> str:
    return clean_text(text, 120)


def _mib(size: int) -> str:
    return f"{size / 1048576:g} MB"


def path_of(text: str) -> Path:
    """The path that a text names: plain, beginning with `~`, or as a file URL.

    Raises:
        RequestRefused: it is no path of this machine.
    """
    try:
        if not text.lower().startswith("file:"):
            return Path(text).expanduser()
        parts = urlsplit(text)
        if parts.netloc.lower() not in {"", "localhost"}:
            raise _invalid(f"{_shown(text)} is a file of another machine; give a path of this one.")
        return Path(unquote(parts.path)).expanduser()
    except (ValueError, RuntimeError) as error:
        # A file URL that is none; the home folder of somebody who is not there.
        raise _invalid(f"{_shown(text)} is not a path: {error}.") from error


def found_in(text: str, host_roots: Sequence[Path]) -> Path:
    """Where a path leads: one that is not absolute into the first of the host's folders that has it, or the current
    one. What it may lead to is judged where it is opened. Blocks.

    Raises:
        RequestRefused: it is no path of this machine, or is in none of these folders.
    """
    path = path_of(text)
    if path.is_absolute():
        return path
    here = Path.cwd()
    places = [*(root / path for root in host_roots), here / path if host_roots else path]
    found = next((place for place in places if os.path.lexists(place)), places[0])
    try:
        found.lstat()
    except FileNotFoundError as error:
        shown = ", ".join(_shown(str(folder)) for folder in dict.fromkeys((*host_roots, here)))
        message = f"There is no file {_shown(str(path))} in the folders where it was looked for: {shown}."
        raise RequestRefused("invalid_media", message, hint=WHOLE_PATH_HINT) from error
    except (OSError, ValueError):
        # Whoever opens it says what is wrong with it.
        return found
    return found


def _checked_url(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise _invalid(f"{_shown(text)} is not a URL: {error}.") from error
    if len(text) > URL_CHARACTERS_MAX or not parts.hostname or parts.username or any(c.isspace() for c in text):
        raise _invalid(f"{_shown(text)} is not a plain https URL of at most {URL_CHARACTERS_MAX} characters.")
    return text


def _data_of(text: str, bytes_max: int) -> bytes:
    match = _DATA.match(text)
    if match is None:
        raise _invalid("The data URL is not of the form data:image/png;base64,….")
    if len(match["body"]) > bytes_max * 3 // 2:
        raise _invalid(f"The data URL is over {_mib(bytes_max)}.")
    try:
        return base64.b64decode("".join(match["body"].split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid("The data URL's base64 cannot be decoded.") from error


async def _read_allowed(files: Files, path: Path, roots: Sequence[Path], bytes_max: int) -> bytes:
    """At most one byte more than allowed, so that a growing file cannot fill the memory."""

    def read() -> bytes:
        with open_allowed(files, path, roots) as file:
            return file.read(bytes_max + 1)

    return await anyio.to_thread.run_sync(read)


def open_allowed(files: Files, path: Path, roots: Sequence[Path]) -> BinaryIO:
    """A file inside the folders that may be read. Blocks.

    Raises:
        RequestRefused: it is outside of them, or cannot be read.
    """
    try:
        real = path.resolve()
        inside = [resolved for root in roots if real.is_relative_to(resolved := root.resolve())]
        if not inside:
            shown = ", ".join(str(root) for root in roots) or "none"
            message = f"{_shown(str(path))} is outside the folders that rushes may read ({shown})."
            raise RequestRefused("invalid_media", message, hint=ROOTS_HINT)
        # From here on no link is followed: what was judged to be inside is what is opened, or nothing.
        return files.open_inside(inside[0], real)
    except FileNotFoundError as error:
        raise _invalid(f"There is no file {_shown(str(path))}.") from error
    except OSError as error:
        raise _invalid(f"{_shown(str(path))} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        # Paths hold no NUL and nothing that their encoding lacks.
        raise _invalid(f"{_shown(str(path))} is not a path.") from error
