"""What an agent can call: one module a tool family, with its arguments, words and function; imported from here."""

from .answers.amounts import CostShown, EstimateShown
from .answers.links import output_links
from .answers.outputs import OUTPUTS_SHOWN, URL_SHOWN, KeepingWord, TaskOutput, timestamp
from .answers.refusal import refused, refused_by, unanswered, unknown_arguments, validation_sentences
from .answers.result import Link, Picture, ToolResult
from .answers.summary import TaskList, TaskSummary, summary_of
from .answers.task import DryRun, Origin, Task, task_of
from .answers.task_result import task_result
from .answers.uris import ANSWER_TEMPLATE, MODELS_URI, OUTPUT_TEMPLATE, TASK_TEMPLATE, task_id_in
from .arguments.moments import moment
from .arguments.schema import Schema, input_schema, portable
from .arguments.tool_input import ToolInput
from .arguments.values import TEXT_CHARACTERS_MAX, AspectRatio, KindFilter, stripped
from .assemble import ASSEMBLE, Assemble
from .call import call_tool
from .consent import Asked, AskPerson
from .context import OpenService, ToolContext, already
from .follow import CANCEL_TASK, CHECK_TASK, LIST_TASKS, CancelTask, CheckTask, ListTasks
from .generate import (
    GENERATE_AUDIO,
    GENERATE_IMAGE,
    GENERATE_VIDEO,
    MEDIA,
    GenerateAudio,
    GenerateImage,
    GenerateVideo,
    wish_of,
)
from .model_rows import known_of
from .models import LIST_MODELS, UNFILTERED_BYTES, ListModels, model_list
from .progress import ProgressMeter, progress_message
from .prompt_calls import Board, Comparison, ToolCall, board_of, comparison_of
from .prompts import MODELS_COMPARED_MAX, SHOTS_MAX, comparison_text, storyboard_text
from .spec import ANSWERS, GENERATES, READS, ToolSpec
from .toolbox import ALL_TOOLS
from .view import VIEW_OUTPUT, ViewOutput
from .wanted import wanted_requests

__all__ = [
    "ALL_TOOLS",
    "ANSWERS",
    "ANSWER_TEMPLATE",
    "ASSEMBLE",
    "CANCEL_TASK",
    "CHECK_TASK",
    "GENERATES",
    "GENERATE_AUDIO",
    "GENERATE_IMAGE",
    "GENERATE_VIDEO",
    "LIST_MODELS",
    "LIST_TASKS",
    "MEDIA",
    "MODELS_COMPARED_MAX",
    "MODELS_URI",
    "OUTPUTS_SHOWN",
    "OUTPUT_TEMPLATE",
    "READS",
    "SHOTS_MAX",
    "TASK_TEMPLATE",
    "TEXT_CHARACTERS_MAX",
    "UNFILTERED_BYTES",
    "URL_SHOWN",
    "VIEW_OUTPUT",
    "AskPerson",
    "Asked",
    "AspectRatio",
    "Assemble",
    "Board",
    "CancelTask",
    "CheckTask",
    "Comparison",
    "CostShown",
    "DryRun",
    "EstimateShown",
    "GenerateAudio",
    "GenerateImage",
    "GenerateVideo",
    "KeepingWord",
    "KindFilter",
    "Link",
    "ListModels",
    "ListTasks",
    "OpenService",
    "Origin",
    "Picture",
    "ProgressMeter",
    "Schema",
    "Task",
    "TaskList",
    "TaskOutput",
    "TaskSummary",
    "ToolCall",
    "ToolContext",
    "ToolInput",
    "ToolResult",
    "ToolSpec",
    "ViewOutput",
    "already",
    "board_of",
    "call_tool",
    "comparison_of",
    "comparison_text",
    "input_schema",
    "known_of",
    "model_list",
    "moment",
    "output_links",
    "portable",
    "progress_message",
    "refused",
    "refused_by",
    "storyboard_text",
    "stripped",
    "summary_of",
    "task_id_in",
    "task_of",
    "task_result",
    "timestamp",
    "unanswered",
    "unknown_arguments",
    "validation_sentences",
    "wanted_requests",
    "wish_of",
]
