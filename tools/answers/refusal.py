"""Calls that end before a task exists: wrong arguments, refusals, a store that cannot be used; pure."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from ...domain.errors import BudgetExceeded, FailureError, FailureReason, RushesError, StoreError, TaskNotFound
from ...domain.failure import MESSAGE_LIMIT, Failure, clean_text, failure, failure_of
from ...domain.money import Estimate
from ...domain.request import Kind
from ..arguments.meant import meant
from .next_step import NextStep, cure
from .result import ToolResult
from .task import refused_task

ECHO_LIMIT = 80
"""Characters of a wrong value that a message repeats."""

ASK_DOCTOR = "Ask the user to run `rushes doctor`; the log on stderr says more."

CORRECT_THESE = "Correct these and call again; nothing was sent."

FAULT = "A fault in rushes ended this call."
FAULT_HINT = "Call list_tasks to see whether a task was made before you ask again; the log on stderr says more."

STORE_HINT = "Nothing was sent. Ask the user to run `rushes doctor`; the log on stderr says more."


def unknown_arguments(given: Mapping[str, object], model: type[BaseModel]) -> list[str]:
    """One sentence for each argument that the tool does not have, with the one that was probably meant."""
    return [
        f"Unknown argument {clean_text(name, ECHO_LIMIT)!r}.{meant(name, given, model.model_fields)}"
        for name in given
        if name not in model.model_fields
    ]


def validation_sentences(error: ValidationError) -> list[str]:
    """One plain sentence for each wrong field."""
    return [_sentence(details) for details in error.errors(include_url=False) if details["type"] != "extra_forbidden"]


def _sentence(details: ErrorDetails) -> str:
    where = ".".join(str(part) for part in details["loc"])
    said = _requirement(details)
    return f"{where} {said}." if where else f"{said[:1].upper()}{said[1:]}."


def _requirement(details: ErrorDetails) -> str:
    """What the field must be, such as `must be at least 1, not 0`."""
    context: Mapping[str, object] = details.get("ctx", {})
    limits = {
        "greater_than": f"must be more than {context.get('gt')}",
        "greater_than_equal": f"must be at least {context.get('ge')}",
        "less_than_equal": f"must be at most {context.get('le')}",
        "literal_error": f"must be {context.get('expected')}",
        "int_type": "must be a whole number",
        "int_parsing": "must be a whole number",
        "int_parsing_size": "must be a smaller whole number",
        "int_from_float": "must be a whole number",
        "float_type": "must be a number",
        "float_parsing": "must be a number",
        "finite_number": "must be a finite number",
        "bool_type": "must be true or false",
        "bool_parsing": "must be true or false",
        "string_type": "must be a text",
        "list_type": "must be a list of texts",
        "dict_type": "must be an object",
    }
    match details["type"]:
        case "missing":
            return "is required"
        case "unexpected_keyword_argument":
            return "is not an argument of this prompt"
        case "rushes":
            return details["msg"]
        case "string_too_short":
            return "must not be empty"
        case "string_too_long":
            return f"may have at most {context.get('max_length')} characters"
        case kind:
            said = limits.get(kind, f"is wrong: {details['msg']}")
            return f"{said}, not {_echo(details['input'])}"


def _echo(value: object) -> str:
    return clean_text(repr(value), ECHO_LIMIT)


def wrong_arguments(sentences: Iterable[str], kind: Kind | None) -> ToolResult:
    """The answer to a call with wrong arguments; `kind` is what it was to generate."""
    message = " ".join(sentences)
    if kind is None:
        return _error("invalid_input", message, "Correct these and call again.", None)
    return refused(failure("invalid_input", message, charged="no", hint=CORRECT_THESE), kind)


def failure_of_error(error: RushesError) -> tuple[Failure, NextStep | None]:
    """The failure that a raised error stands for, and the tool call that helps."""
    if isinstance(error, FailureError):
        return failure_of(error), None
    if isinstance(error, TaskNotFound):
        hint = error.hint or "Call list_tasks to see the tasks there are."
        return failure("not_found", error.message, charged="no", hint=hint), NextStep(tool="list_tasks", arguments={})
    if isinstance(error, StoreError):
        message = f"The task store cannot be used: {error.message}"
        return failure("internal", message, charged="no", hint=error.hint or STORE_HINT), None
    return failure("internal", error.message, charged="unknown", hint=error.hint), None


def unanswered(error: RushesError, step: NextStep | None = None, *, about_a_task: bool = True) -> ToolResult:
    """The answer to a call that was not to generate and could not be answered: it says nothing of a task, so it has
    neither state nor money.

    Args:
        error: Why not.
        step: The call that helps, where the error itself names none.
        about_a_task: Whether it asked about one, of which the answer then must not seem to tell.
    """
    told, cured_by = failure_of_error(error)
    message, hint = told.message, told.hint
    if isinstance(error, StoreError) and about_a_task:
        message = f"{message} This tells nothing about the task: it may be running, and it may be charged."
        hint = f"{error.hint or ASK_DOCTOR} Then call again; do not generate it anew before that."
    elif isinstance(error, StoreError):
        hint = error.hint or ASK_DOCTOR
    elif isinstance(error, TaskNotFound):
        message = f"{message} If it ever was, this tells nothing about what its gateway did or charged."
    return _error(told.reason, message, hint, cured_by or step)


def _error(reason: FailureReason, message: str, hint: str | None, step: NextStep | None) -> ToolResult:
    said: dict[str, JsonValue] = {"reason": reason, "message": clean_text(message, 2 * MESSAGE_LIMIT)}
    if hint:
        said["hint"] = hint
    document: dict[str, JsonValue] = {"error": said}
    if step is not None:
        document["next"] = step.model_dump(mode="json")
    return ToolResult(document=document, is_error=True)


def faulty(kind: Kind | None) -> ToolResult:
    """The answer to a call that a fault of rushes ended."""
    step = NextStep(tool="list_tasks", arguments={})
    if kind is None:
        return _error("internal", FAULT, ASK_DOCTOR, step)
    return refused(failure("internal", FAULT, charged="unknown", hint=FAULT_HINT), kind, step)


def refused_by(error: RushesError, kind: Kind | None = None) -> ToolResult:
    """The answer to a call to generate that ended with this error before a task existed."""
    told, step = failure_of_error(error)
    estimate = error.estimate if isinstance(error, BudgetExceeded) else None
    return refused(told, kind, step, estimate)


def refused(
    told: Failure, kind: Kind | None, step: NextStep | None = None, estimate: Estimate | None = None
) -> ToolResult:
    """The failure in the shape of a task."""
    task = refused_task(told, kind=kind, estimate=estimate, next_tool=step or cure(told.reason, kind))
    return ToolResult(document=task.document(), is_error=True)
