"""The arguments of the tools, as pydantic models (units in the names).

A null or empty text is the same as an argument not given: hosts send both for optional arguments.
Constraints stand in the descriptions too, because some hosts strip them from the schema.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from ..domain.record import TaskState
from ..domain.request import Kind
from .arguments.values import (
    AspectRatio,
    Name,
    Options,
    OutputFormat,
    OutputName,
    Resolution,
    Size,
    TaskId,
    Text,
    Texts,
    Word,
    bounded_text,
    capped_wait,
    lowered,
    wrong,
)

PROMPT_CHARACTERS_MAX = 100_000
"""A bound on what is read; what the model takes is checked when it is known."""

WAIT_SECONDS_MAX = 45

Prompt = Annotated[str, Field(max_length=PROMPT_CHARACTERS_MAX)]
LongText = Annotated[str, AfterValidator(bounded_text)]
Count = Annotated[int, Field(ge=1, le=10)]
WaitSeconds = Annotated[float, Field(ge=0, le=WAIT_SECONDS_MAX), BeforeValidator(capped_wait)]
Quality = Annotated[Literal["quality", "fast"], BeforeValidator(lowered)]
KindFilter = Annotated[Kind, BeforeValidator(lowered)]
StateFilter = Annotated[TaskState, BeforeValidator(lowered)]


class ToolInput(BaseModel):
    """Base of every tool's arguments."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_is_not_given(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        given: dict[object, object] = {**data}
        return {name: value for name, value in given.items() if value is not None and (value != "" or name == "prompt")}


class GenerateInput(ToolInput):
    """What all three generating tools take."""

    prompt: Prompt = Field(description="1-100000 characters")
    model: Name = Field("auto", description="Default auto; see list_models")
    provider: Name | None = Field(None)
    seed: int | None = Field(None)
    count: Count | None = Field(None, description="1-10")
    provider_options: Options | None = Field(None, description="The gateway's own fields")
    wait_seconds: WaitSeconds = Field(0, description="0-45")
    force_new: bool = Field(False, description="Pay again for the same request")
    dry_run: bool = Field(False, description="Only show the payload")
    output_name: OutputName | None = Field(None, description="File name")

    @field_validator("prompt")
    @classmethod
    def _says_something(cls, prompt: str) -> str:
        if not prompt.strip():
            raise wrong("must not be blank")
        return prompt


class GenerateVideo(GenerateInput):
    """Arguments of `generate_video`."""

    duration_seconds: float | None = Field(None, gt=0)
    aspect_ratio: AspectRatio | None = Field(None, description="W:H such as 16:9, or auto")
    resolution: Resolution | None = Field(None, description="480p, 720p, 1080p, 4k")
    audio: bool | None = Field(None, description="With sound")
    negative_prompt: LongText | None = Field(None)
    watermark: bool | None = Field(None)
    quality: Quality | None = Field(None)
    image: Text | None = Field(
        None, description="First frame: https or data URL, local path (stdio) or task:<task_id>#1"
    )
    last_frame: Text | None = Field(None)
    reference_images: Texts | None = Field(None)
    reference_videos: Texts | None = Field(None)
    reference_audios: Texts | None = Field(None)


class GenerateImage(GenerateInput):
    """Arguments of `generate_image`."""

    aspect_ratio: AspectRatio | None = Field(None, description="W:H such as 3:2, or auto")
    resolution: Resolution | None = Field(None, description="1k, 2k, 4k")
    size: Size | None = Field(None, description="WIDTHxHEIGHT in pixels")
    negative_prompt: LongText | None = Field(None)
    images: Texts | None = Field(
        None, description="To edit or refer to: https or data URLs, local paths (stdio) or task:<task_id>#1"
    )
    mask: Text | None = Field(None, description="Where to edit; needs images")
    output_format: OutputFormat | None = Field(None, description="png, jpeg, webp")
    quality: Word | None = Field(None, description="Such as low, high")

    @model_validator(mode="after")
    def _mask_has_something_to_mask(self) -> "GenerateImage":
        if self.mask is not None and not self.images:
            raise wrong("mask needs images: the image to edit")
        return self


class GenerateAudio(GenerateInput):
    """Arguments of `generate_audio`."""

    voice: Name | None = Field(None, description="By model")
    language: Name | None = Field(None, description="Such as en or de-DE")
    speed: float | None = Field(None, ge=0.25, le=4, description="0.25-4; 1 is normal")
    duration_seconds: float | None = Field(None, gt=0, description="For music and sound")
    output_format: OutputFormat | None = Field(None, description="Such as mp3, wav")
    instructions: LongText | None = Field(None, description="Tone and pace")


class CheckTask(ToolInput):
    """Arguments of `check_task`."""

    task_id: TaskId
    wait_seconds: WaitSeconds = Field(0, description="0-45")
    job_id: Text | None = Field(None, description="Of a lost job")


class ListTasks(ToolInput):
    """Arguments of `list_tasks`."""

    state: StateFilter | None = Field(None)
    kind: KindFilter | None = Field(None)
    limit: int = Field(10, ge=1, le=50, description="1-50; default 10")
    cursor: Name | None = Field(None, description="next_cursor of the page before")


class CancelTask(ToolInput):
    """Arguments of `cancel_task`."""

    task_id: TaskId
    abandon: bool = Field(False, description="Give up here even if the gateway goes on and may charge")


class ViewOutput(ToolInput):
    """Arguments of `view_output`."""

    task_id: TaskId
    index: int = Field(1, ge=1, description="From 1; default 1")
    at_seconds: float | None = Field(None, description="One frame of a video")


class ListModels(ToolInput):
    """Arguments of `list_models`."""

    kind: KindFilter | None = Field(None)
    provider: Name | None = Field(None)
    query: Name | None = Field(None, description="Part of a name")
