"""All tools: name, words, schemas, hints for the host, and the function behind each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic

from typing_extensions import TypeVar

from ..domain.request import Kind
from .answers.result import Picture, ToolResult
from .arguments.schema import Schema
from .context import ToolContext
from .follow import cancel_task, check_task, list_tasks
from .generate import generate
from .inputs import (
    CancelTask,
    CheckTask,
    GenerateAudio,
    GenerateImage,
    GenerateVideo,
    ListModels,
    ListTasks,
    ToolInput,
    ViewOutput,
)
from .models import list_models
from .view import view_output

InputT = TypeVar("InputT", bound=ToolInput)
AnswerT = TypeVar("AnswerT", bound=ToolResult | Picture, default=ToolResult)

Hints = dict[str, bool]
"""The protocol's annotations: `readOnlyHint` and so on. They inform a host's questions to its user."""

GENERATES: Hints = {"readOnlyHint": False, "destructiveHint": False}
READS: Hints = {"readOnlyHint": True, "openWorldHint": False}
CANCELS: Hints = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True}


@dataclass(frozen=True)
class ToolSpec(Generic[InputT, AnswerT]):
    """One tool."""

    name: str
    title: str
    description: str
    """Its first sentence says when to use it: some hosts search only that."""
    input_model: type[InputT]
    call: Callable[[ToolContext, InputT], Awaitable[AnswerT]] = field(repr=False)
    hints: Hints
    output_schema: Schema | None
    """None where the answer is not structured."""
    kind: Kind | None = None
    """What it generates."""


# Output schemas are outlines: clients check results against them, so what may be null has no type, nothing is
# required (a dry run has none of a task's fields), and the whole list of tools stays short.
STARTED: Schema = {"type": "object", "properties": {"task_id": {}, "next": {}}}
CHECKED: Schema = {"type": "object", "properties": {"state": {"type": "string"}, "outputs": {"type": "array"}}}
CHANGED: Schema = {"type": "object", "properties": {"state": {"type": "string"}}}
TASKS: Schema = {"type": "object", "properties": {"tasks": {"type": "array"}}}
MODELS: Schema = {"type": "object", "properties": {"models": {"type": "array"}}}

GENERATE_VIDEO = ToolSpec(
    name="generate_video",
    title="Generate video",
    description=(
        "Generate a video from text, frames or references. Costs money; answers with a task: follow its `next`, "
        "never repeat the call to see how it goes."
    ),
    input_model=GenerateVideo,
    call=generate,
    hints=GENERATES,
    output_schema=STARTED,
    kind="video",
)
GENERATE_IMAGE = ToolSpec(
    name="generate_image",
    title="Generate image",
    description="Generate or edit images. Costs money; answers with a task like generate_video.",
    input_model=GenerateImage,
    call=generate,
    hints=GENERATES,
    output_schema=STARTED,
    kind="image",
)
GENERATE_AUDIO = ToolSpec(
    name="generate_audio",
    title="Generate audio",
    description="Generate speech, music or sound. Costs money; answers with a task like generate_video.",
    input_model=GenerateAudio,
    call=generate,
    hints=GENERATES,
    output_schema=STARTED,
    kind="audio",
)
CHECK_TASK = ToolSpec(
    name="check_task",
    title="Check task",
    description="See a generation's state, outputs or failure; can wait for its end.",
    input_model=CheckTask,
    call=check_task,
    hints=READS,
    output_schema=CHECKED,
)
LIST_TASKS = ToolSpec(
    name="list_tasks",
    title="List tasks",
    description="Find earlier generations, newest first.",
    input_model=ListTasks,
    call=list_tasks,
    hints=READS,
    output_schema=TASKS,
)
CANCEL_TASK = ToolSpec(
    name="cancel_task",
    title="Cancel task",
    description="Stop a generation, where its gateway can cancel.",
    input_model=CancelTask,
    call=cancel_task,
    hints=CANCELS,
    output_schema=CHANGED,
)
LIST_MODELS = ToolSpec(
    name="list_models",
    title="List models",
    description="Find models, the providers usable now, and what each accepts: durations, ratios, limits.",
    input_model=ListModels,
    call=list_models,
    hints=READS,
    output_schema=MODELS,
)

VIEW_OUTPUT = ToolSpec(
    name="view_output",
    title="View output",
    description="See what was made: the image, a video's contact sheet or one frame, a sound's waveform.",
    input_model=ViewOutput,
    call=view_output,
    hints=READS,
    output_schema=None,
)

ALL_TOOLS = (
    GENERATE_VIDEO,
    GENERATE_IMAGE,
    GENERATE_AUDIO,
    CHECK_TASK,
    VIEW_OUTPUT,
    LIST_TASKS,
    CANCEL_TASK,
    LIST_MODELS,
)
"""In the order in which a host sees them."""
