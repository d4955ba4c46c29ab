"""`from_task`: a call that starts from an earlier task's arguments and changes what is given."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import ValidationError

from ..domain.errors import RequestRefused
from ..domain.film import FILM_MODEL, FILM_PROVIDER
from ..domain.request import Kind
from ..domain.spelling import did_you_mean
from .answers.again import call_again
from .answers.refusal import validation_sentences
from .arguments.tool_input import ToolInput
from .context import ToolContext

InputT = TypeVar("InputT", bound=ToolInput)


async def started_from(
    context: ToolContext, arguments: InputT, task_id: str, without: Sequence[str], *, kind: Kind
) -> InputT:
    """The arguments of that task, without those named, under those that the call gives.

    Raises:
        TaskNotFound, StoreError.
        RequestRefused: it made another kind of medium, an input of it was not kept, or the two do not go together.
    """
    service = await context.opened()
    record = await service.get(task_id, principal=context.principal)
    if record.kind != kind:
        raise RequestRefused(
            "invalid_input",
            f"Task {record.task_id} made {record.kind}, not {kind}.",
            hint=f"Repeat it with generate_{record.kind}, or give its output as an input: task:{record.task_id}#1.",
        )
    if record.model == FILM_MODEL and record.provider == FILM_PROVIDER:
        raise RequestRefused(
            "invalid_input",
            f"Task {record.task_id} was assembled, and generated nothing.",
            hint=f"Call assemble with the arguments that check_task shows, or give the film: task:{record.task_id}#1.",
        )
    again = call_again(record)
    given = arguments.model_dump(include=arguments.model_fields_set)
    _check(without, given, {*again.arguments, *again.lost}, type(arguments))
    if lost := [name for name in again.lost if name not in given and name not in without]:
        names = " and ".join(lost)
        raise RequestRefused(
            "invalid_input" if lost == ["provider_options"] else "invalid_media",
            f"{names} of task {record.task_id} came as bytes or with a secret, which are not kept.",
            hint=f"Give {names} again, or name it in without.",
        )
    left_out = {*without} if context.local_files else {*without, "output_dir"}
    base = {name: value for name, value in again.arguments.items() if name not in left_out}
    try:
        return type(arguments).model_validate({**base, **given})
    except ValidationError as error:
        raise RequestRefused("invalid_input", " ".join(validation_sentences(error))) from error


def _check(without: Sequence[str], given: dict[str, object], had: set[str], model: type[ToolInput]) -> None:
    """See that what is to be left out can be.

    Raises:
        RequestRefused: it is given too, or is no argument.
    """
    for name in without:
        if name not in model.model_fields:
            meant = did_you_mean(name, sorted(had))
            raise RequestRefused("invalid_input", f"without names {name!r}, which is no argument{meant}.")
        if name in given:
            raise RequestRefused("invalid_input", f"{name} is given, and without takes it away; do one of the two.")
