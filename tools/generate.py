"""The generating tools: submit, answer when the gateway has accepted or refused, and wait only if asked to."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import Annotated, Self, assert_never

import anyio
from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from ..domain.errors import ConfirmationNeeded
from ..domain.failure import clean_text
from ..domain.money import amount_of
from ..domain.principal import Principal
from ..domain.request import GenerationRequest, Kind, MediaRole, Purpose
from ..tasks.intake.output_folder import names_local_files
from ..tasks.service import Answer, MediaSource, Wish
from .answers.amounts import estimate_shown
from .answers.result import ToolResult
from .answers.task import DryRun
from .answers.task_result import task_result
from .arguments.tool_input import ToolInput
from .arguments.values import (
    AspectRatio,
    LongText,
    Name,
    Options,
    OutputFormat,
    OutputName,
    Resolution,
    Size,
    TaskId,
    Text,
    Texts,
    WaitSeconds,
    Word,
    lowered,
    wrong,
)
from .consent import confirmation_needed, declined, question_of
from .context import ToolContext
from .progress import ProgressMeter, with_beats
from .repeating import started_from
from .spec import ANSWERS, GENERATES, ToolSpec

ANSWER_WITHIN_SECONDS = 20.0
"""The submission goes on by itself after that."""

Count = Annotated[int, Field(ge=1, le=10)]
PurposeWord = Annotated[Purpose, BeforeValidator(lowered)]


def _amount(value: float) -> float:
    if amount_of(value) is None:
        raise wrong("must be an amount of at least 0")
    return value


MaxCost = Annotated[float, AfterValidator(_amount)]


class GenerateInput(ToolInput):
    """What all three generating tools take."""

    prompt: LongText | None = Field(None)
    model: Name = Field("auto", description="See list_models")
    provider: Name | None = Field(None)
    seed: int | None = Field(None)
    count: Count | None = Field(None, description="1-10")
    provider_options: Options | None = Field(None, description="Gateway's fields")
    wait_seconds: WaitSeconds = Field(0, description="0-45")
    force_new: bool = Field(False, description="Pay again")
    dry_run: bool = Field(False)
    max_cost: MaxCost | None = Field(None, description="Refuse above")
    output_name: OutputName | None = Field(None)
    output_dir: Text | None = Field(None)
    from_task: TaskId | None = Field(None, description="Task to vary")
    without: Texts | None = Field(None, description="Not to repeat")

    @field_validator("prompt")
    @classmethod
    def _says_something(cls, prompt: str | None) -> str | None:
        if prompt is not None and not prompt.strip():
            raise wrong("must not be blank")
        return prompt

    @model_validator(mode="after")
    def _begins_somewhere(self) -> Self:
        if self.prompt is None and self.from_task is None:
            raise wrong("a prompt is required")
        if self.without and self.from_task is None:
            raise wrong("the argument without needs from_task: the task whose arguments are left out")
        return self


class GenerateVideo(GenerateInput):
    """Arguments of `generate_video`."""

    duration_seconds: float | None = Field(None, gt=0)
    aspect_ratio: AspectRatio | None = Field(None, description="16:9 or auto")
    resolution: Resolution | None = Field(None, description="720p, 1080p, 4k")
    size: Size | None = Field(None)
    audio: bool | None = Field(None)
    negative_prompt: LongText | None = Field(None)
    watermark: bool | None = Field(None)
    quality: Word | None = Field(None, description="quality, fast")
    image: Text | None = Field(
        None, description="First frame: https or data URL, path (stdio), task:<task_id>#1 or #1@last"
    )
    last_frame: Text | None = Field(None)
    reference_images: Texts | None = Field(None)
    reference_videos: Texts | None = Field(None)
    reference_audios: Texts | None = Field(None)


class GenerateImage(GenerateInput):
    """Arguments of `generate_image`."""

    aspect_ratio: AspectRatio | None = Field(None, description="16:9 or auto")
    resolution: Resolution | None = Field(None, description="1k, 2k, 4k")
    size: Size | None = Field(None)
    negative_prompt: LongText | None = Field(None)
    watermark: bool | None = Field(None)
    images: Texts | None = Field(None, description="Edit or refer")
    mask: Text | None = Field(None)
    output_format: OutputFormat | None = Field(None, description="png, jpeg, webp")
    quality: Word | None = Field(None, description="low, high")

    @model_validator(mode="after")
    def _mask_has_something_to_mask(self) -> "GenerateImage":
        if self.mask is not None and not self.images and self.from_task is None:
            raise wrong("mask needs images: the image to edit")
        return self


class GenerateAudio(GenerateInput):
    """Arguments of `generate_audio`."""

    purpose: PurposeWord | None = Field(None)
    voice: Name | None = Field(None)
    language: Name | None = Field(None)
    speed: float | None = Field(None, ge=0.25, le=4, description="0.25-4")
    duration_seconds: float | None = Field(None, gt=0, description="Music, sound")
    output_format: OutputFormat | None = Field(None)
    quality: Word | None = Field(None)
    instructions: LongText | None = Field(None, description="Tone and pace")


Generate = GenerateVideo | GenerateImage | GenerateAudio

_NOT_OF_THE_REQUEST = {
    "provider",
    "provider_options",
    "wait_seconds",
    "force_new",
    "dry_run",
    "output_name",
    "output_dir",
    "from_task",
    "without",
    "max_cost",
}
_MEDIA = frozenset(
    {"image", "last_frame", "reference_images", "reference_videos", "reference_audios", "images", "mask"}
)
MEDIA = _MEDIA | {"shots", "sounds"}
"""Arguments that name media, of all tools that make something."""


def kind_of(arguments: Generate) -> Kind:
    if isinstance(arguments, GenerateVideo):
        return "video"
    return "image" if isinstance(arguments, GenerateImage) else "audio"


def wish_of(arguments: Generate, *, principal: Principal, local_files: bool) -> Wish:
    """The wish that a generating tool's arguments stand for."""
    inputs = arguments.model_dump(exclude=_NOT_OF_THE_REQUEST | _MEDIA)
    # Without one the call names a task, whose own it takes.
    inputs["prompt"] = arguments.prompt or ""
    request = GenerationRequest(kind=kind_of(arguments), provider_options=arguments.provider_options or {}, **inputs)
    return Wish(
        request=request,
        media=tuple(_media(arguments)),
        provider=arguments.provider,
        output_name=arguments.output_name,
        output_dir=arguments.output_dir,
        from_task=arguments.from_task,
        force_new=arguments.force_new,
        max_cost=None if arguments.max_cost is None else amount_of(arguments.max_cost),
        principal=principal,
        local_files=local_files,
    )


def _media(arguments: Generate) -> Iterator[MediaSource]:
    match arguments:
        case GenerateVideo():
            yield from _each("image", arguments.image)
            yield from _each("last_frame", arguments.last_frame)
            yield from _each("reference_image", arguments.reference_images)
            yield from _each("reference_video", arguments.reference_videos)
            yield from _each("reference_audio", arguments.reference_audios)
        case GenerateImage():
            yield from _each("input_image", arguments.images)
            yield from _each("mask", arguments.mask)
        case GenerateAudio():
            return
        case _:
            assert_never(arguments)


def _each(role: MediaRole, given: str | list[str] | None) -> Iterator[MediaSource]:
    for text in [given] if isinstance(given, str) else given or []:
        yield MediaSource(role=role, text=text.strip())


async def generate(context: ToolContext, arguments: Generate) -> ToolResult:
    """Make one generation, or show what would be sent.

    Raises:
        RequestRefused, TaskNotFound, StoreError: before anything was sent.
    """
    if arguments.from_task is not None:
        arguments = await started_from(
            context, arguments, arguments.from_task, arguments.without or (), kind=kind_of(arguments)
        )
    wish = await with_host_roots(
        context, wish_of(arguments, principal=context.principal, local_files=context.local_files)
    )
    if wish is None:
        return ASKED
    if arguments.dry_run:
        return await _preview(context, wish)
    # One for the whole call, whose values only grow.
    meter = ProgressMeter(context.report_progress)
    try:
        answer = await submitted_and_awaited(context, wish, arguments.wait_seconds, meter)
    except ConfirmationNeeded as needed:
        question = question_of(needed)
        # A person takes longer than hosts wait for calls that say nothing.
        asked = await with_beats(
            meter, lambda: context.ask(question), context.beat_seconds, waits_for="the person's answer"
        )
        if asked == "no":
            return declined(needed, wish.request.kind)
        if asked != "yes":
            return confirmation_needed(needed, f"generate_{wish.request.kind}", wish.request.kind, arguments)
        # The price that was agreed to, in its currency: where it has risen meanwhile, the call is refused.
        agreed = replace(wish, max_cost=needed.estimate.amount, max_cost_currency=needed.estimate.currency)
        answer = await submitted_and_awaited(context, agreed, arguments.wait_seconds, meter)
    said = (*not_used(arguments.output_name, answer), *_not_copied(arguments.output_dir, answer))
    return await task_result(context, answer.record, deduplicated=answer.deduplicated, failure_is_error=True, said=said)


ASKED = ToolResult(document={})
"""Stands for the questions that a call is answered with, after which it comes again."""


async def with_host_roots(context: ToolContext, wish: Wish) -> Wish | None:
    """The wish with the host's folders, where it names a file or a folder; `None` where the host is asked first."""
    if not context.local_files or not names_local_files(wish):
        return wish
    roots = await context.host_roots()
    return None if roots is None else replace(wish, host_roots=tuple(roots))


def not_used(name: str | None, answer: Answer) -> Iterator[str]:
    """What an equal earlier call leaves without effect: it is no part of what is generated."""
    if answer.deduplicated and name is not None and name != answer.record.output_name:
        yield f"output_name {name!r} was not used: the file is named as the earlier call asked."


def _not_copied(folder: str | None, answer: Answer) -> Iterator[str]:
    """The same for the folder: an equal call copies nothing into one of its own."""
    if not answer.deduplicated or folder is None:
        return
    copied_to = answer.record.output_dir
    if copied_to is None or not _may_mean(copied_to, PurePath(folder).parts):
        where = f"its copies are in {copied_to}" if copied_to else "it asked for no copy"
        yield f"output_dir {clean_text(folder, 200)!r} was not used: the earlier call made the file, and {where}."


def _may_mean(folder: str, parts: tuple[str, ...]) -> bool:
    """Whether a folder is the one that was named, perhaps below another."""
    return not parts or PurePath(folder).parts[-len(parts) :] == parts


async def _preview(context: ToolContext, wish: Wish) -> ToolResult:
    service = await context.opened()
    preview = await service.preview(wish)
    shown = DryRun(
        provider=preview.provider,
        model=preview.model,
        kind=wish.request.kind,
        prompt=wish.request.prompt,
        url=preview.url,
        payload=preview.payload,
        estimate=estimate_shown(preview.estimate),
        warnings=preview.warnings,
        chosen=preview.chosen,
    )
    return ToolResult(document=shown.document())


async def submitted_and_awaited(context: ToolContext, wish: Wish, wait_seconds: float, meter: ProgressMeter) -> Answer:
    """The task once it was accepted or refused, or as it is after that wait.

    Raises:
        RequestRefused, StoreError: before anything was sent.
    """
    started = anyio.current_time()

    async def submit() -> Answer:
        service = await context.opened()
        return await service.generate(wish, answer_within_seconds=ANSWER_WITHIN_SECONDS)

    answer = await with_beats(meter, submit, context.beat_seconds)
    # The answer's time counts, so that a call never takes longer than hosts allow.
    left = wait_seconds - (anyio.current_time() - started)
    if left <= 0 or answer.record.settled:
        return answer
    service = await context.opened()
    record = await service.wait(answer.record.task_id, seconds=left, principal=wish.principal, report=meter.task)
    return Answer(record=record, deduplicated=answer.deduplicated)


GENERATE_VIDEO = ToolSpec(
    name="generate_video",
    title="Generate video",
    description=(
        "Generate a video from text, frames or references. Costs money. Answers a task: follow its `next`; "
        "never call again to look."
    ),
    input_model=GenerateVideo,
    call=generate,
    hints=GENERATES,
    output_schema=ANSWERS,
    kind="video",
)
GENERATE_IMAGE = ToolSpec(
    name="generate_image",
    title="Generate image",
    description="Generate or edit images; costs money, works as generate_video.",
    input_model=GenerateImage,
    call=generate,
    hints=GENERATES,
    output_schema=ANSWERS,
    kind="image",
    told_in=GenerateVideo,
)
GENERATE_AUDIO = ToolSpec(
    name="generate_audio",
    title="Generate audio",
    description="Generate speech, music or sound; costs money, works as generate_video.",
    input_model=GenerateAudio,
    call=generate,
    hints=GENERATES,
    output_schema=ANSWERS,
    kind="audio",
    told_in=GenerateVideo,
)
