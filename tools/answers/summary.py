"""Tasks in short, for lists; the names are those of `Task`, and what is null is left out."""

from pydantic import JsonValue

from ...domain.errors import Charged, FailureReason
from ...domain.failure import clean_text
from ...domain.record import Output, TaskRecord, TaskState
from ...domain.request import Kind
from ...domain.value import Value
from .again import telling
from .amounts import CostShown, cost_shown
from .outputs import KEEPING_WORDS, KeepingWord, shown_mime, shown_url, timestamp

OUTPUTS_LISTED = 4
PROMPT_LISTED = 80
"""Characters of each prompt in a list."""


class OutputSummary(Value):
    keeping: KeepingWord | None = None
    """Left out where it is `kept`."""
    path: str | None = None
    url: str | None = None
    mime_type: str | None = None


class FailureSummary(Value):
    reason: FailureReason
    charged: Charged


class TaskSummary(Value):
    """One line of a list of tasks."""

    task_id: str
    kind: Kind
    state: TaskState
    provider: str
    model: str
    prompt: str
    arguments: dict[str, JsonValue] | None = None
    """The telling ones."""
    progress: float | None = None
    created_at: str | None = None
    finished_at: str | None = None
    outputs: tuple[OutputSummary, ...] | None = None
    outputs_total: int | None = None
    """Where there are more than are listed."""
    failure: FailureSummary | None = None
    cost: CostShown | None = None
    """As the gateway told it."""


class TaskList(Value):
    """A page of tasks, newest first."""

    tasks: tuple[TaskSummary, ...]
    next_cursor: str | None = None
    """For the next page; left out on the last one."""


def summary_of(record: TaskRecord) -> TaskSummary:
    told = record.failure
    return TaskSummary(
        task_id=record.task_id,
        kind=record.kind,
        state=record.state,
        provider=record.provider,
        model=record.model,
        prompt=clean_text(record.request.prompt, PROMPT_LISTED),
        arguments=telling(record),
        progress=None if record.final else record.progress,
        created_at=timestamp(record.created_at, precise=False),
        finished_at=timestamp(record.ended_at, precise=False),
        outputs=tuple(_output(output) for output in record.outputs[:OUTPUTS_LISTED]) or None,
        outputs_total=len(record.outputs) if len(record.outputs) > OUTPUTS_LISTED else None,
        failure=FailureSummary(reason=told.reason, charged=told.charged) if told else None,
        cost=cost_shown(record.cost),
    )


def _output(output: Output) -> OutputSummary:
    if output.path is not None:
        return OutputSummary(path=output.path, mime_type=shown_mime(output))
    keeping = KEEPING_WORDS[output.keeping.status]
    return OutputSummary(keeping=keeping, url=shown_url(output.remote.url), mime_type=shown_mime(output))
