"""`Task`: what every generating tool, `check_task` and `cancel_task` answer (design §3), made from a record; pure."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from ..domain.failure import Failure, clean_text
from ..domain.job import Cost
from ..domain.record import Output, TaskRecord, TaskState
from ..domain.request import Kind
from .next_step import NextStep, next_step
from .uris import output_uri

PROMPT_SHOWN = 200
"""Characters of the prompt that a result repeats."""


class TaskOutput(BaseModel):
    """One produced medium: where the gateway offers it, and the kept file with its measured facts."""

    model_config = ConfigDict(frozen=True)

    url: str | None = None
    expires_at: str | None = None
    path: str | None = None
    resource: str | None = None
    mime_type: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None


class JobShown(BaseModel):
    """The gateway's side of a task: its own id, and its page where it names one."""

    model_config = ConfigDict(frozen=True)

    id: str
    url: str | None = None


class Task(BaseModel):
    """One task as tools show it. A call refused before a task existed has `task_id` null and says why in `failure`."""

    model_config = ConfigDict(frozen=True)

    task_id: str | None = None
    kind: Kind | None = None
    state: TaskState
    provider: str | None = None
    model: str | None = None
    prompt: str | None = None
    """At most `PROMPT_SHOWN` characters."""
    progress: float | None = None
    """0 to 1, or null where the gateway does not tell."""
    created_at: str | None = None
    updated_at: str | None = None
    finished_at: str | None = None
    outputs: tuple[TaskOutput, ...] = ()
    failure: Failure | None = None
    warnings: tuple[str, ...] = ()
    cost: Cost | None = None
    job: JobShown | None = None
    deduplicated: bool = False
    next: NextStep | None = None


class DryRun(BaseModel):
    """What a generating tool would send; nothing was written or sent."""

    model_config = ConfigDict(frozen=True)

    dry_run: Literal[True] = True
    provider: str
    model: str
    kind: Kind
    prompt: str
    url: str
    payload: dict[str, JsonValue]
    warnings: tuple[str, ...] = ()


def task_of(record: TaskRecord, *, deduplicated: bool = False, poll_interval_seconds: float | None = None) -> Task:
    """The record as tools show it. `poll_interval_seconds` is when the next look at the gateway is due."""
    return Task(
        task_id=record.task_id,
        kind=record.kind,
        state=record.state,
        provider=record.provider,
        model=record.model,
        prompt=clean_text(record.request.prompt, PROMPT_SHOWN),
        progress=record.progress,
        created_at=timestamp(record.created_at),
        updated_at=timestamp(record.updated_at),
        finished_at=timestamp(record.ended_at),
        outputs=tuple(_output(record, index) for index in range(len(record.outputs))),
        failure=record.failure,
        warnings=tuple(_warnings(record)),
        cost=record.cost,
        job=JobShown(id=record.job.job_id, url=record.told.page) if record.job else None,
        deduplicated=deduplicated,
        next=next_step(record, poll_interval_seconds),
    )


def refused_task(failure: Failure, *, kind: Kind | None = None, next_tool: NextStep | None = None) -> Task:
    """A call that was refused before anything was journaled, in the shape of a task."""
    return Task(kind=kind, state="failed", failure=failure, next=next_tool)


def timestamp(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the millisecond: `2026-11-20T17:05:00.000Z`."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _output(record: TaskRecord, index: int) -> TaskOutput:
    output = record.outputs[index]
    told = TaskOutput(url=output.remote.url, expires_at=timestamp(output.remote.expires_at), mime_type=output.mime_type)
    kept = output.kept
    if kept is None:
        return told
    return told.model_copy(
        update={
            "path": kept.path,
            "resource": output_uri(record.task_id, index + 1),
            "bytes": kept.bytes,
            "sha256": kept.sha256,
            "width": kept.width,
            "height": kept.height,
            "duration_seconds": kept.duration_seconds,
        }
    )


def _warnings(record: TaskRecord) -> Iterator[str]:
    yield from record.warnings
    if record.phase == "reconciling":
        yield (
            f"The answer to the submission was lost, and {record.provider} may have the job and charge for it: "
            "rushes looks for it in the gateway's list."
        )
    if record.phase == "held" and record.hold is not None:
        yield (
            f"{record.provider} takes no request now ({clean_text(record.hold.why, PROMPT_SHOWN)}). This one is held, "
            f"unsent and unpaid, and goes out by itself at {timestamp(record.hold.until)}; do not call again."
        )
    for attempt in record.tried:
        said = f"{attempt.failure.reason}: {attempt.failure.message}"
        yield f"{attempt.provider} refused this first ({clean_text(said, PROMPT_SHOWN)}); nothing was charged there."
    for number, output in enumerate(record.outputs, start=1):
        yield from _keeping_warning(number, output)


def _keeping_warning(number: int, output: Output) -> Iterator[str]:
    remote = output.remote
    why = clean_text(output.keeping.problem or "no reason known", PROMPT_SHOWN)
    until = f" before {timestamp(remote.expires_at)}" if remote.expires_at else ""
    if output.keeping.status == "failed":
        rest = f" Its url may still work{until}." if remote.url and not remote.authenticated else ""
        yield f"Output {number} could not be kept: {why}.{rest}"
    elif output.pending and output.keeping.attempts:
        yield f"Output {number} is not kept yet ({why}); rushes tries again."
    if output.kept is not None and output.kept.measure_problem is not None:
        problem = clean_text(output.kept.measure_problem, PROMPT_SHOWN)
        yield f"Output {number} is kept, but could not be measured: it {problem}."
    if remote.authenticated and remote.url and output.kept is None and not output.pending:
        yield f"The url of output {number} needs the gateway's API key."
