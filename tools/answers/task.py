"""`Task`: what every generating tool, `check_task` and `cancel_task` answer, made from a record; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import JsonValue

from ...domain.chosen import Chosen
from ...domain.failure import Failure, clean_text, shown_id
from ...domain.film import FILM_PROVIDER
from ...domain.job import ANSWERED_AT_ONCE
from ...domain.money import Estimate
from ...domain.record import TaskRecord, TaskState
from ...domain.request import Kind
from ...domain.value import Value
from ...tasks.life import DEATHS_MAX
from ...tasks.life.fingerprint import may_be_charged
from ...tasks.service import Lineage
from .again import TEXT_CHARACTERS, call_again, shortened
from .amounts import CostShown, EstimateShown, chosen_shown, cost_shown, estimate_shown, failure_shown, settled_shown
from .next_step import NextStep, next_step
from .outputs import TaskOutput, output_warnings, plainer, shown_outputs, shown_url, timestamp

PROMPT_SHOWN = 80
"""Characters of the prompt that a result repeats: its reader wrote it, and `arguments` have the whole."""


class JobShown(Value):
    """The gateway's side of a task: its own id, and its page where it names one."""

    id: str
    url: str | None = None


@dataclass(frozen=True)
class Origin:
    """Where a task comes from, and how much is said of it."""

    lineage: Lineage
    text_characters: int = TEXT_CHARACTERS
    """Of each text among its arguments."""

    def arguments_of(self, record: TaskRecord) -> tuple[dict[str, JsonValue], tuple[str, ...]]:
        """The call that makes it again, and what has to be said of that."""
        return shortened(call_again(record), self.text_characters)


class Task(Value):
    """One task as tools show it. A call refused before a task existed has `task_id` null and says why in `failure`."""

    task_id: str | None = None
    kind: Kind | None = None
    state: TaskState
    provider: str | None = None
    model: str | None = None
    prompt: str | None = None
    """At most `PROMPT_SHOWN` characters."""
    progress: float | None = None
    """0 to 1; none where the gateway does not tell, nor once it has ended."""
    created_at: str | None = None
    updated_at: str | None = None
    """None once nothing more comes: `finished_at` tells of that."""
    finished_at: str | None = None
    outputs: tuple[TaskOutput, ...] = ()
    failure: Failure | None = None
    warnings: tuple[str, ...] = ()
    cost: CostShown | None = None
    estimate: EstimateShown | None = None
    job: JobShown | None = None
    arguments: dict[str, JsonValue] | None = None
    """The call that makes it again; `check_task` only."""
    parents: tuple[str, ...] | None = None
    """Tasks that it was made from; left out where there are none, as `children` are."""
    children: tuple[str, ...] | None = None
    chosen: Chosen | None = None
    """Where the choice was left to rushes: in the answer of the call that asked, and in the task's resource."""
    deduplicated: bool = False
    next: NextStep | None = None

    def document(self) -> dict[str, JsonValue]:
        """What stands in an answer: nothing that is null or empty, and nothing that another field says as well."""
        shown: dict[str, JsonValue] = self.model_dump(mode="json", exclude_none=True)
        if self.chosen is not None:
            shown["chosen"] = chosen_shown(self.chosen)
        return {name: plainer(value) for name, value in shown.items() if value != [] and value is not False}


class DryRun(Value):
    """What a generating tool would send; nothing was written or sent."""

    dry_run: Literal[True] = True
    provider: str
    model: str
    kind: Kind
    prompt: str
    url: str = ""
    """None where nothing is posted."""
    payload: dict[str, JsonValue]
    estimate: EstimateShown | None = None
    warnings: tuple[str, ...] = ()
    chosen: Chosen | None = None

    def document(self) -> dict[str, JsonValue]:
        """What stands in an answer. The payload is what would be sent to the letter, nulls and all."""
        shown: dict[str, JsonValue] = self.model_dump(mode="json", exclude={"chosen"})
        if self.chosen is not None:
            shown["chosen"] = chosen_shown(self.chosen)
        return {name: value for name, value in shown.items() if name == "payload" or value not in ("", [], None)}


def task_of(
    record: TaskRecord,
    *,
    deduplicated: bool = False,
    poll_interval_seconds: float | None = None,
    now: datetime | None = None,
    whole: bool = False,
    said: Sequence[str] = (),
    tells_choice: bool = False,
    origin: Origin | None = None,
) -> Task:
    """The record as tools show it.

    Args:
        record: The task.
        said: What this call has to tell beside it, first among the warnings.
        deduplicated: Whether it existed before the call.
        poll_interval_seconds: When the next look at the gateway is due.
        now: For what has expired; by default this moment.
        whole: For the resource: with all outputs and whole URLs.
        tells_choice: For the answer of the generating tool: with what was chosen, and why.
        origin: What it was made with and from, where that is to be shown.
    """
    arguments, cut = origin.arguments_of(record) if origin is not None else (None, ())
    return Task(
        task_id=record.task_id,
        kind=record.kind,
        state=record.state,
        provider=record.provider,
        model=record.model,
        prompt=clean_text(record.request.prompt, PROMPT_SHOWN),
        progress=None if record.final and not whole else record.progress,
        created_at=timestamp(record.created_at, precise=whole),
        updated_at=None if record.final and record.settled and not whole else timestamp(record.updated_at),
        finished_at=timestamp(record.ended_at, precise=whole),
        outputs=shown_outputs(record, now or datetime.now(UTC), whole=whole),
        failure=failure_shown(record),
        warnings=(*said, *_warnings(record, whole=whole, deduplicated=deduplicated), *cut),
        cost=cost_shown(record.cost),
        estimate=estimate_shown(record.estimate),
        job=_job(record),
        arguments=arguments,
        parents=(origin.lineage.parents or None) if origin is not None else None,
        children=(origin.lineage.children or None) if origin is not None else None,
        chosen=record.chosen if (tells_choice or whole) and not record.tried else None,
        deduplicated=deduplicated,
        next=next_step(record, poll_interval_seconds),
    )


def _job(record: TaskRecord) -> JobShown | None:
    if record.job is None or record.job.job_id == ANSWERED_AT_ONCE:
        return None
    return JobShown(id=shown_id(record.job.job_id), url=shown_url(record.told.page))


def refused_task(
    failure: Failure,
    *,
    kind: Kind | None = None,
    estimate: Estimate | None = None,
    next_tool: NextStep | None = None,
) -> Task:
    """A call to generate that was refused before anything was journaled, in the shape of a task."""
    return Task(kind=kind, state="failed", failure=failure, estimate=estimate_shown(estimate), next=next_tool)


def _awaited(record: TaskRecord) -> str:
    return " and ".join(medium.source for medium in record.request.media if medium.awaited)


def _warnings(record: TaskRecord, *, whole: bool, deduplicated: bool) -> Iterator[str]:
    if deduplicated and may_be_charged(record):
        yield (
            "No new task was made: an equal call made this one, and nobody knows whether it was charged. "
            "Use force_new: true only if a second charge is acceptable."
        )
    elif deduplicated and record.provider == FILM_PROVIDER:
        yield "No new film was begun: an equal call made this one."
    elif deduplicated and record.free:
        yield "No new task was made: an equal call made this one. force_new: true makes another."
    elif deduplicated:
        yield (
            "No new task was made, and nothing paid again: an equal call made this one. "
            "force_new: true pays for another."
        )
    yield from record.warnings
    if record.by_hand is not None and record.failure is None:
        yield settled_shown(record.by_hand)
    if record.phase == "reconciling":
        yield (
            f"The answer to the submission was lost, and {record.provider} may have the job and charge for it: "
            "rushes looks for it in the gateway's list."
        )
    if record.phase == "waiting":
        yield f"Waits, unsent and unpaid, for {_awaited(record)}; it goes out by itself then, do not call again."
    if record.phase == "held" and record.hold is not None:
        yield (
            f"{record.provider} takes no request now ({clean_text(record.hold.why)}). This one is held, "
            f"unsent and unpaid, and goes out by itself at {timestamp(record.hold.until)}; do not call again."
        )
    if record.set_aside_at is not None:
        yield (
            f"Set aside since {timestamp(record.set_aside_at)}: {DEATHS_MAX} processes of rushes died working on it, "
            f"so none does now. Its job at {record.provider} may go on and be charged; do not make it again. "
            f"`rushes check {record.task_id} --resume` takes it up once more, as check_task with its job_id does."
        )
    for attempt in record.tried:
        said = f"{attempt.failure.reason}: {attempt.failure.message}"
        # The one that makes it now was asked again, so what it charged is another matter.
        asked_again = attempt.provider == record.provider
        first, money = ("at first", "for that") if asked_again else ("first", "there")
        yield f"{attempt.provider} refused this {first} ({clean_text(said)}); nothing was charged {money}."
    yield from output_warnings(record, whole=whole)
