"""`assemble`: kept shots and sounds become one film, on this machine and for nothing."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from ..domain.film import FilmWish
from ..domain.principal import Principal
from ..domain.request import GenerationRequest
from ..tasks.service import Wish
from .answers.result import ToolResult
from .answers.task_result import task_result
from .arguments.clips import Shots, Sounds, clip
from .arguments.tool_input import ToolInput
from .arguments.values import OutputName, capped_wait
from .context import ToolContext
from .generate import ASKED, not_used, submitted_and_awaited, with_host_roots
from .progress import ProgressMeter
from .spec import ANSWERS, GENERATES, ToolSpec

CappedSeconds = Annotated[float, Field(ge=0), BeforeValidator(capped_wait)]
"""As `wait_seconds` of the other tools, which say how long a wait is at most."""


class Assemble(ToolInput):
    """Arguments of `assemble`."""

    shots: Shots = Field(description="task:<task_id>#1[1.5-4 -6dB]")
    sounds: Sounds | None = Field(None, description="...#1[@2]")
    transition_seconds: float = Field(0, ge=0)
    fade_out_seconds: float = Field(0, ge=0)
    wait_seconds: CappedSeconds = Field(0)
    output_name: OutputName | None = Field(None)


def film_wish_of(arguments: Assemble, *, principal: Principal, local_files: bool) -> Wish:
    """The wish that the arguments stand for."""
    film = FilmWish(
        shots=tuple(map(clip, arguments.shots)),
        sounds=tuple(map(clip, arguments.sounds or ())),
        transition_seconds=arguments.transition_seconds if len(arguments.shots) > 1 else 0.0,
        fade_out_seconds=arguments.fade_out_seconds,
    )
    return Wish(
        request=GenerationRequest(kind="video", prompt="film"),
        principal=principal,
        film=film,
        output_name=arguments.output_name,
        local_files=local_files,
    )


async def assemble(context: ToolContext, arguments: Assemble) -> ToolResult:
    """Begin a film.

    Raises:
        RequestRefused, StoreError: nothing was begun.
    """
    wish = await with_host_roots(
        context, film_wish_of(arguments, principal=context.principal, local_files=context.local_files)
    )
    if wish is None:
        return ASKED
    answer = await submitted_and_awaited(context, wish, arguments.wait_seconds, ProgressMeter(context.report_progress))
    said = tuple(not_used(arguments.output_name, answer))
    return await task_result(context, answer.record, deduplicated=answer.deduplicated, failure_is_error=True, said=said)


ASSEMBLE = ToolSpec(
    name="assemble",
    title="Assemble",
    description="Cut shots, stills, sounds into an MP4; free.",
    input_model=Assemble,
    call=assemble,
    hints=GENERATES,
    output_schema=ANSWERS,
    kind="video",
)
