"""One call of a tool, from raw arguments to an answer: the boundary at which errors become results."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from pydantic import JsonValue, ValidationError

from ..domain.errors import RushesError
from ..domain.failure import clean_text
from ..domain.nesting import is_deeper_than
from .answers.next_step import NextStep, next_step
from .answers.refusal import faulty, refused_by, unanswered, unknown_arguments, validation_sentences, wrong_arguments
from .answers.result import ToolResult
from .arguments.tool_input import ToolInput
from .arguments.values import WAIT_SECONDS_MAX, cut_wait, read_as
from .context import ToolContext
from .spec import AnswerT, InputT, ToolSpec

logger = logging.getLogger(__name__)

ARGUMENTS_DEPTH_MAX = 64
"""Levels of lists and objects in the arguments; records, sidecars and answers hold them a few levels deeper."""

WAIT_CUT = (
    f"wait_seconds {{asked}} was cut to {WAIT_SECONDS_MAX}, as hosts give up longer calls: wait again with check_task."
)

WORD_SHOWN = 40

HOSTS_OWN = frozenset({"wait_for_previous"})
"""Arguments that a host adds to every tool for its own use and passes on all the same: Gemini CLI, to order calls."""


async def call_tool(
    spec: ToolSpec[InputT, AnswerT], context: ToolContext, raw: Mapping[str, object]
) -> AnswerT | ToolResult:
    """Validate the arguments, call the tool, and put what ends it early in the shape of a task or an error.

    Only a call to generate is refused in the shape of a task that failed, with its money state: the refusal of any
    other call says nothing of a task, and must not look as if it did.
    """
    arguments: InputT | None = None
    try:
        read = _validated(spec.input_model, raw)
        if not isinstance(read, ToolInput):
            return wrong_arguments(read, spec.kind)
        arguments = read
        return told_of_the_call(await spec.call(context, arguments), raw)
    except RushesError as error:
        logger.info("call ended without a task", extra={"tool": spec.name, "error": type(error).__name__})
        if spec.kind is not None:
            return refused_by(error, spec.kind)
        task_id = getattr(arguments, "task_id", None)
        step = await _step_beside(context, task_id) if isinstance(task_id, str) else None
        about_a_task = task_id is not None or getattr(arguments, "task_ids", None) is not None
        return unanswered(error, step, about_a_task=about_a_task)
    except Exception:
        # The boundary: no fault may end without its money state.
        logger.exception("a tool failed", extra={"tool": spec.name})
        return faulty(spec.kind)


async def _step_beside(context: ToolContext, task_id: str) -> NextStep | None:
    """What helps a call about a task that was refused: to wait for its end, or to read why there is nothing."""
    try:
        service = await context.opened()
        record = await service.get(task_id, principal=context.principal)
    except RushesError:
        return None
    if not record.settled:
        return next_step(record, service.poll_interval_seconds(record))
    return None if record.outputs else NextStep(tool="check_task", arguments={"task_id": record.task_id})


def told_of_the_call(answer: AnswerT, raw: Mapping[str, object]) -> AnswerT | ToolResult:
    """The answer with what was read otherwise than it was asked."""
    said = [WAIT_CUT.format(asked=f"{asked:g}")] if (asked := cut_wait(raw.get("wait_seconds"))) is not None else []
    said += [
        f"{name} {clean_text(str(raw[name]), WORD_SHOWN)!r} was read as {meant}."
        for name in ("aspect_ratio", "resolution")
        if (meant := read_as(name, raw.get(name))) is not None
    ]
    if not said or not isinstance(answer, ToolResult):
        return answer
    warnings = answer.document.get("warnings")
    told: list[JsonValue] = [*said, *(warnings if isinstance(warnings, list) else ())]
    return replace(answer, document={**answer.document, "warnings": told}, said=(*said, *answer.said))


def _validated(model: type[InputT], raw: Mapping[str, object]) -> InputT | list[str]:
    """The arguments, or sentences that say what is wrong with them."""
    given = {name: value for name, value in raw.items() if name not in HOSTS_OWN}
    if is_deeper_than(given, ARGUMENTS_DEPTH_MAX):
        return [f"The arguments are nested deeper than {ARGUMENTS_DEPTH_MAX} levels."]
    sentences = unknown_arguments(given, model)
    try:
        arguments = model.model_validate(given)
    except ValidationError as error:
        return [*sentences, *validation_sentences(error)]
    return arguments
