"""One call of a tool, from raw arguments to an answer: the boundary at which errors become results."""

import logging
from collections.abc import Mapping

from pydantic import ValidationError

from ..domain.errors import RushesError
from ..domain.failure import failure
from ..domain.nesting import is_deeper_than
from .answers.refusal import refused, refused_by, unanswered, unknown_arguments, validation_sentences, wrong_arguments
from .answers.result import ToolResult
from .arguments.tool_input import ToolInput
from .context import ToolContext
from .spec import AnswerT, InputT, ToolSpec

logger = logging.getLogger(__name__)

FAULT = "A fault in rushes ended this call."
FAULT_HINT = "Call list_tasks to see whether a task was made before you ask again; the log on stderr says more."

ARGUMENTS_DEPTH_MAX = 64
"""Levels of lists and objects in the arguments; records, sidecars and answers hold them a few levels deeper."""

HOSTS_OWN = frozenset({"wait_for_previous"})
"""Arguments that a host adds to every tool for its own use and passes on all the same: Gemini CLI, to order calls."""


ABOUT_ONE_TASK = frozenset({"check_task", "cancel_task"})
"""Tools whose refusal must not look like the failure of the task that was asked about."""


async def call_tool(
    spec: ToolSpec[InputT, AnswerT], context: ToolContext, raw: Mapping[str, object]
) -> AnswerT | ToolResult:
    """Validate the arguments, call the tool, and put what ends it early in the shape of a task or an error."""
    try:
        arguments = _validated(spec.input_model, raw)
        if not isinstance(arguments, ToolInput):
            return wrong_arguments(arguments, spec.input_model, spec.kind)
        return await spec.call(context, arguments)
    except RushesError as error:
        logger.info("call ended without a task", extra={"tool": spec.name, "error": type(error).__name__})
        return unanswered(error) if spec.name in ABOUT_ONE_TASK else refused_by(error, spec.kind)
    except Exception:
        # The boundary: no fault may end without its money state.
        logger.exception("a tool failed", extra={"tool": spec.name})
        return refused(failure("internal", FAULT, charged="unknown", hint=FAULT_HINT), spec.kind)


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
