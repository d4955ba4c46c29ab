"""The generating tools: submit, answer when the gateway has accepted or refused, and wait only if asked to."""

import anyio

from ..domain.record import TaskRecord
from ..tasks.service import Answer, Wish
from .answers.links import output_links
from .answers.result import ToolResult
from .answers.task import DryRun, task_of
from .context import ToolContext
from .inputs import GenerateInput
from .progress import ProgressMeter, with_beats
from .wishes import Generate, wish_of

ANSWER_WITHIN_SECONDS = 20.0
"""The submission goes on by itself after that."""


async def generate(context: ToolContext, arguments: Generate) -> ToolResult:
    """Make one generation, or show what would be sent.

    Raises:
        RequestRefused, StoreError: before anything was sent.
    """
    wish = wish_of(arguments, owner=context.owner, local_files=context.local_files)
    if arguments.dry_run:
        return await _preview(context, wish)
    answer = await _submitted_and_awaited(context, wish, arguments)
    return task_result(context, answer.record, deduplicated=answer.deduplicated, failure_is_error=True)


async def _preview(context: ToolContext, wish: Wish) -> ToolResult:
    preview = await context.service.preview(wish)
    shown = DryRun(
        provider=preview.provider,
        model=preview.model,
        kind=wish.request.kind,
        prompt=wish.request.prompt,
        url=preview.url,
        payload=preview.payload,
        warnings=preview.warnings,
    )
    return ToolResult(document=shown.model_dump(mode="json"))


async def _submitted_and_awaited(context: ToolContext, wish: Wish, arguments: GenerateInput) -> Answer:
    meter = ProgressMeter(context.report_progress)
    started = anyio.current_time()

    async def submit() -> Answer:
        return await context.service.generate(wish, answer_within_seconds=ANSWER_WITHIN_SECONDS)

    answer = await with_beats(meter, submit, context.beat_seconds)
    # The answer's time counts, so that a call never takes longer than hosts allow.
    left = arguments.wait_seconds - (anyio.current_time() - started)
    if left <= 0 or answer.record.settled:
        return answer
    record = await context.service.wait(answer.record.task_id, seconds=left, owner=wish.owner, report=meter.task)
    return Answer(record=record, deduplicated=answer.deduplicated)


def task_result(
    context: ToolContext,
    record: TaskRecord,
    *,
    deduplicated: bool = False,
    failure_is_error: bool = False,
    whole: bool = False,
) -> ToolResult:
    """The task as a tool's answer. It is an error only where the call itself was to generate.

    With `whole` nothing is left out for being long: for the task's resource.
    """
    interval = context.service.poll_interval_seconds(record)
    task = task_of(record, deduplicated=deduplicated, poll_interval_seconds=interval, whole=whole)
    return ToolResult(
        document=task.model_dump(mode="json"),
        is_error=failure_is_error and record.state in {"failed", "unknown"},
        links=output_links(record, local_files=context.local_files),
    )
