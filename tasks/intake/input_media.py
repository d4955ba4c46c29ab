"""Input media: what the agent gave becomes a URL or checked bytes, before anything is journaled or sent.

A medium is an https URL, a data URL, a local path inside the allowed roots, or `task:<task_id>#<n>` for output n
(counted from 1) of an earlier task.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import anyio.to_thread

from ...domain.errors import RequestRefused, TaskNotFound
from ...domain.failure import clean_text
from ...domain.kept_media import Kept, KeptFileChanged
from ...domain.media_types import HEAD_BYTES, sniff_mime
from ...domain.picture_size import picture_size
from ...domain.principal import Principal
from ...domain.record import Output
from ...domain.request import MediaInput, MediaRole
from ..journal import TaskJournal
from ..ports import Clock, Files
from ..service import MediaSource

MEDIA_BYTES_MAX = 10 * 1024 * 1024
URL_CHARACTERS_MAX = 4096
MEDIA_COUNT_MAX = 32
MEDIA_TOTAL_BYTES_MAX = 128 * 1024 * 1024
"""Of one request, held in memory at once; as base64 it is a third more."""

_TASK = re.compile(r"task:(?P<task_id>[0-9A-Za-z]{1,64})(?:#(?P<number>[0-9]{1,4}))?\Z")
_DATA = re.compile(r"data:(?P<mime>[\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*;base64,(?P<body>.*)\Z", re.DOTALL | re.IGNORECASE)
_KIND_OF_ROLE: dict[MediaRole, str] = {"reference_video": "video", "reference_audio": "audio"}


class MediaResolver:
    """Turns media sources into inputs. Local files are read only inside `roots`."""

    def __init__(
        self,
        journal: TaskJournal,
        files: Files,
        clock: Clock,
        *,
        roots: Sequence[Path],
        bytes_max: int = MEDIA_BYTES_MAX,
    ) -> None:
        self._journal = journal
        self._files = files
        self._clock = clock
        self._roots = tuple(roots)
        self._bytes_max = bytes_max
        self._total_max = max(MEDIA_TOTAL_BYTES_MAX, bytes_max)

    async def resolve(
        self, sources: Sequence[MediaSource], *, principal: Principal, local_files: bool
    ) -> tuple[MediaInput, ...]:
        """All media of a request.

        Raises:
            RequestRefused: `invalid_media`, with the medium and what is wrong with it.
        """
        if len(sources) > MEDIA_COUNT_MAX:
            raise _invalid(f"{len(sources)} input media are too many: at most {MEDIA_COUNT_MAX}.")
        media: list[MediaInput] = []
        for source in sources:
            media.append(await self._resolve(source, principal, local_files))
            if sum(medium.size_bytes or 0 for medium in media if medium.data is not None) > self._total_max:
                raise _invalid(f"The input media are over {_mib(self._total_max)} together.")
        return tuple(media)

    async def _resolve(self, source: MediaSource, principal: Principal, local_files: bool) -> MediaInput:
        text = source.text.strip()
        scheme = text.split(":", 1)[0].lower() if ":" in text else ""
        match scheme:
            case "https":
                return MediaInput(role=source.role, source=_shown(text), url=_checked_url(text))
            case "http":
                raise _invalid(f"{_shown(text)} is not https; gateways fetch only https URLs.")
            case "data":
                return self._of_bytes(source.role, _data_of(text, self._bytes_max), shown="data URL")
            case "task":
                return await self._of_task(source.role, text, principal)
            case _:
                return await self._of_file(source.role, text, local_files)

    async def _of_task(self, role: MediaRole, text: str, principal: Principal) -> MediaInput:
        match = _TASK.match(text)
        if match is None:
            raise _invalid(f"{_shown(text)} is not task:<task_id> or task:<task_id>#<number from 1>.")
        output = await self._output(match["task_id"], int(match["number"] or 1), principal)
        data = await self._kept_bytes(output, text)
        if data is not None:
            medium = self._of_bytes(role, data, shown=text)
            return medium.model_copy(update={"url": self._live_url(output)})
        url = self._live_url(output)
        if url is None:
            raise _invalid(f"The output {text} has neither a file under {_mib(self._bytes_max)} nor a live https URL.")
        return MediaInput(
            role=role, source=text, url=url, mime_type=output.mime_type, sha256=output.kept and output.kept.sha256
        )

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

    async def _output(self, task_id: str, number: int, principal: Principal) -> Output:
        try:
            record = await self._journal.read_owned(task_id, principal)
        except TaskNotFound as error:
            raise _invalid(error.message) from error
        if not record.outputs:
            raise _invalid(f"Task {task_id} has no output: it is {record.state}.")
        if not 1 <= number <= len(record.outputs):
            raise _invalid(f"Task {task_id} has {len(record.outputs)} output(s), counted from 1: no #{number}.")
        return record.outputs[number - 1]

    def _live_url(self, output: Output) -> str | None:
        expires_at = output.remote.expires_at
        return output.public_url if expires_at is None or expires_at > self._clock.now() else None

    async def _of_file(self, role: MediaRole, text: str, local_files: bool) -> MediaInput:
        if not local_files:
            raise _invalid(f"{_shown(text)}: local files are taken only over stdio; give an https or data URL.")
        path = _path_of(text)
        data = await _read_allowed(self._files, path, self._roots, self._bytes_max)
        return self._of_bytes(role, data, shown=str(path))

    def _of_bytes(self, role: MediaRole, data: bytes, *, shown: str) -> MediaInput:
        if len(data) > self._bytes_max:
            raise _invalid(f"{_shown(shown)} is over {_mib(self._bytes_max)}.")
        mime_type = sniff_mime(data[:HEAD_BYTES])
        wanted = _KIND_OF_ROLE.get(role, "image")
        if mime_type is None or not mime_type.startswith(f"{wanted}/"):
            found = mime_type or "no known medium"
            raise _invalid(f"{_shown(shown)} is {found} by its first bytes, not {wanted}.")
        pixels = picture_size(data)
        return MediaInput(
            role=role,
            source=f"{_shown(shown)} ({mime_type}, {len(data)} bytes)",
            mime_type=mime_type,
            size_bytes=len(data),
            width=pixels and pixels[0],
            height=pixels and pixels[1],
            sha256=hashlib.sha256(data).hexdigest(),
            data=data,
        )


def _invalid(message: str) -> RequestRefused:
    return RequestRefused("invalid_media", message)


def _shown(text: str) -> str:
    return clean_text(text, 120)


def _mib(size: int) -> str:
    return f"{size / 1048576:g} MB"


def _path_of(text: str) -> Path:
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
        real = path.resolve()
        inside = [resolved for root in roots if real.is_relative_to(resolved := root.resolve())]
        if not inside:
            shown = ", ".join(str(root) for root in roots) or "none"
            raise _invalid(f"{_shown(str(path))} is outside the folders that rushes may read ({shown}).")
        # From here on no link is followed: what was judged to be inside is what is opened, or nothing.
        with files.open_inside(inside[0], real) as file:
            return file.read(bytes_max + 1)

    try:
        return await anyio.to_thread.run_sync(read)
    except FileNotFoundError as error:
        raise _invalid(f"There is no file {_shown(str(path))}.") from error
    except OSError as error:
        raise _invalid(f"{_shown(str(path))} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        # Paths hold no NUL and nothing that their encoding lacks.
        raise _invalid(f"{_shown(str(path))} is not a path.") from error
