"""What a task made, as tools show it: where each output is, whether on disk, and what to do where it is not; pure.

What gateways tell is bounded: of very many outputs the first are shown, and a very long URL is left to the resource.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from ...domain.failure import clean_text, visible_url
from ...domain.media_types import MIME_TYPE
from ...domain.record import KeepingStatus, Output, TaskRecord
from ...domain.value import Value
from .uris import output_uri, task_uri

OUTPUTS_SHOWN = 10
"""As many as one call can ask for; what a gateway names beyond stands in the task's resource."""

URL_SHOWN = 2048
"""Characters of a URL that a result repeats; part of a URL would be of no use."""

PROBLEM_SHOWN = 200

KeepingWord = Literal["kept", "keeping", "lost", "off"]

KEEPING_WORDS: Mapping[KeepingStatus, KeepingWord] = {
    "pending": "keeping",
    "kept": "kept",
    "failed": "lost",
    "off": "off",
}

_NOT_DECODED_HERE = frozenset({"image/heic", "image/heif", "audio/pcm"})
"""Types that are kept without being measured."""


class TaskOutput(Value):
    """One produced medium: where the gateway offers it, and the kept file with its measured facts."""

    keeping: Annotated[KeepingWord, Field(exclude_if=lambda word: word == "kept")] = "kept"
    """`kept`: on disk, at `path`; an answer leaves the word out then. `keeping`: rushes is at it. `lost`: it is not on
    disk and rushes tries no more. `off`: keeping is turned off."""
    hint: str | None = None
    """What to do now, where the file is not simply there."""
    url: str | None = None
    expires_at: str | None = None
    path: str | None = None
    copied_to: str | None = None
    """The copy in `output_dir`; left out where none was asked for."""
    resource: str | None = None
    mime_type: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    frame_rate: float | None = None
    has_audio: bool | None = None


def timestamp(moment: datetime | None, *, precise: bool = True) -> str | None:
    """ISO 8601 in UTC: `2026-11-20T17:05:00.000Z`, and without the milliseconds where it is not to be `precise`."""
    if moment is None:
        return None
    timespec = "milliseconds" if precise else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def plainer(value: JsonValue) -> JsonValue:
    """The same JSON with whole numbers as such: `5`, where a measure is `5.0`."""
    match value:
        case float():
            return int(value) if value.is_integer() else value
        case list():
            return [plainer(each) for each in value]
        case dict():
            return {name: plainer(each) for name, each in value.items()}
        case _:
            return value


def shown_outputs(record: TaskRecord, now: datetime, *, whole: bool = False) -> tuple[TaskOutput, ...]:
    """The outputs as tools show them; `whole` for the resource, which leaves nothing out."""
    outputs = record.outputs if whole else record.outputs[:OUTPUTS_SHOWN]
    return tuple(_shown(record.task_id, index, output, now, whole=whole) for index, output in enumerate(outputs))


def _shown(task_id: str, index: int, output: Output, now: datetime, *, whole: bool) -> TaskOutput:
    remote, kept = output.remote, output.kept
    told = TaskOutput(
        keeping="kept" if kept is not None else KEEPING_WORDS[output.keeping.status],
        hint=_hint(task_id, output, now, whole=whole),
        url=shown_url(remote.url, len(remote.url or "")) if whole else shown_url(remote.url),
        expires_at=timestamp(remote.expires_at, precise=whole),
        mime_type=shown_mime(output),
    )
    if kept is None:
        return told
    return told.model_copy(
        update={
            "path": kept.path,
            "copied_to": kept.copied_to,
            "resource": output_uri(task_id, index + 1),
            "bytes": kept.bytes,
            "sha256": kept.sha256,
            "width": kept.width,
            "height": kept.height,
            "duration_seconds": kept.duration_seconds,
            "frame_rate": kept.frame_rate,
            "has_audio": kept.has_audio,
        }
    )


def shown_url(url: str | None, limit: int = URL_SHOWN) -> str | None:
    """A URL that can be seen whole, unless it is too long to be repeated in an answer."""
    return visible_url(url) if url is not None and len(url) <= limit else None


def shown_mime(output: Output) -> str | None:
    """The type, if what the gateway told is one."""
    mime_type = output.mime_type
    return mime_type if mime_type is not None and MIME_TYPE.fullmatch(mime_type) else None


def may_still_be_fetched(output: Output, now: datetime) -> bool:
    """Whether anybody may still find the medium at its URL."""
    expires_at = output.remote.expires_at
    gone = (output.keeping.problem or "").startswith("result_expired")
    return output.public_url is not None and not gone and (expires_at is None or expires_at > now)


def _hint(task_id: str, output: Output, now: datetime, *, whole: bool) -> str | None:
    if output.kept is not None:
        return "Look at it with view_output before you use it." if is_unreadable(output) else None
    if output.keeping.status == "off":
        return None
    where = "its url" if whole or shown_url(output.public_url) else f"its url, which stands in {task_uri(task_id)}"
    until = f" before {timestamp(output.remote.expires_at, precise=False)}" if output.remote.expires_at else ""
    if output.pending:
        return "rushes fetches it by itself: check_task says when it is on disk."
    if may_still_be_fetched(output, now):
        return f"Fetch it from {where}{until}: rushes tries no more."
    return (
        "Tell the user: it may still be found on the gateway's dashboard; generating it again (force_new: true) "
        "pays again."
    )


def is_unreadable(output: Output) -> bool:
    """Whether a kept file could not be decoded, so that nothing could be measured of it."""
    kept = output.kept
    if kept is None or kept.mime_type is None or kept.mime_type in _NOT_DECODED_HERE:
        return False
    is_picture = kept.mime_type.startswith("image/")
    return kept.width is None if is_picture else kept.has_audio is None and kept.duration_seconds is None


def output_warnings(record: TaskRecord, *, whole: bool = False) -> Iterator[str]:
    """What has to be said of the outputs that are shown."""
    shown = len(record.outputs) if whole else OUTPUTS_SHOWN
    for number, output in enumerate(record.outputs[:shown], start=1):
        yield from _warnings_of(number, output)
    hidden = len(record.outputs) - shown
    if hidden > 0:
        yield f"The first {shown} outputs are shown; {hidden} more stand in {task_uri(record.task_id)}."


def _warnings_of(number: int, output: Output) -> Iterator[str]:
    kept, remote = output.kept, output.remote
    why = clean_text(output.keeping.problem or "no reason known", PROBLEM_SHOWN).rstrip(".")
    if kept is not None:
        if kept.copy_problem is not None:
            yield f"Output {number} is kept, but was not copied into output_dir: {clean_text(kept.copy_problem, 200)}"
        if kept.cut_off:
            yield f"Output {number} is kept, but its own format says that its end is missing; the gateway gave no more."
        if kept.measure_problem is not None:
            yield f"Output {number} is kept, but could not be measured: it {clean_text(kept.measure_problem, 200)}."
        elif is_unreadable(output):
            size = f", {kept.bytes} bytes" if kept.bytes is not None else ""
            yield f"Output {number} is on disk, but could not be decoded ({kept.mime_type}{size}): it may be damaged."
    elif output.keeping.status == "failed":
        yield f"Output {number} is lost: it could not be kept ({why})."
    elif output.pending and output.keeping.attempts:
        yield f"Output {number} is not kept yet ({why}); rushes tries again."
    if remote.authenticated and remote.url and kept is None and not output.pending:
        yield f"The url of output {number} needs the gateway's API key."
