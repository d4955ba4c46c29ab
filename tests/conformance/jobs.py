"""The suite's tools that start tasks, made of our own: each is a generation in the sandbox, in our store.

rushes itself has no task that asks for input, none that ends in an error of the protocol, and no tool that needs the
extension. The suite wants one of each, so `SuiteTasks` adds them around our extension, and leaves all else to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import MethodBinding
from mcp.server.mcpserver import Elicit, Resolve
from mcp.server.mcpserver.server import require_client_extension
from mcp_types import (
    INTERNAL_ERROR,
    CallToolRequestParams,
    CallToolResult,
    ElicitRequest,
    ElicitRequestFormParams,
)
from pydantic import BaseModel, Field

from rushes.server.mcp.rendering import rendered
from rushes.server.mcp.server import RushesServer, sdk_tool
from rushes.server.mcp.tasks_extension import EXTENSION_ID, TaskIdParams, TasksExtension, TaskUpdateParams
from rushes.tools import ANSWERS, GENERATE_IMAGE, GENERATES, GenerateImage, ToolContext, ToolInput, ToolResult, ToolSpec

Wire = dict[str, Any]


class SlowCompute(ToolInput):
    """Arguments of `slow_compute`."""

    seconds: float = Field(0, ge=0, le=600, description="0-600")
    label: str = Field("")


class NoArguments(ToolInput):
    """Arguments of a tool that has none."""


class ConfirmDelete(ToolInput):
    """Arguments of `confirm_delete`."""

    filename: str


async def drawn(context: ToolContext, prompt: str) -> ToolResult:
    """A new task in the sandbox, whatever was asked before."""
    asked = {"prompt": prompt, "provider": "sandbox", "force_new": True}
    return await GENERATE_IMAGE.call(context, GenerateImage.model_validate(asked))


async def slow_compute(context: ToolContext, arguments: SlowCompute) -> ToolResult:
    return await drawn(context, f"{arguments.label or 'computed'} [slow:{arguments.seconds:g}]")


async def failing_job(context: ToolContext, _: NoArguments) -> ToolResult:
    return await drawn(context, "a job that fails [slow:0.3] [fail:provider_error]")


async def protocol_error_job(context: ToolContext, _: NoArguments) -> ToolResult:
    return await drawn(context, "a job that ends in an error of the protocol [slow:0.3]")


async def confirm_delete(context: ToolContext, arguments: ConfirmDelete) -> ToolResult:
    return await drawn(context, f"{arguments.filename}, deleted")


async def multi_input(context: ToolContext, _: NoArguments) -> ToolResult:
    return await drawn(context, "two answers")


def spec(name: str, model: type[Any], call: Any) -> ToolSpec[Any]:
    words = name.replace("_", " ").capitalize()
    return ToolSpec(name, words, f"{words}, for the suite.", model, call, GENERATES, ANSWERS)


SPECS = (
    spec("slow_compute", SlowCompute, slow_compute),
    spec("failing_job", NoArguments, failing_job),
    spec("protocol_error_job", NoArguments, protocol_error_job),
    spec("confirm_delete", ConfirmDelete, confirm_delete),
    spec("multi_input", NoArguments, multi_input),
)

AFTER_QUESTIONS = "test_tool_with_task"

MAKES_TASKS = frozenset({*(each.name for each in SPECS), AFTER_QUESTIONS})

NEEDS_EXTENSION = frozenset({"failing_job", AFTER_QUESTIONS})


def question(message: str, **answers: str) -> ElicitRequest:
    """A form with one required field for each of `answers` (name → JSON type)."""
    properties: dict[str, Any] = {name: {"type": kind} for name, kind in answers.items()}
    schema: dict[str, Any] = {"type": "object", "properties": properties, "required": list(answers)}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


CONFIRM = question("Delete it?", confirm="boolean")
ASKED = {"confirm_delete": {"confirm": CONFIRM}, "multi_input": {"first": CONFIRM, "second": CONFIRM}}


@dataclass
class Asking:
    """What is still to be answered, by task."""

    pending: dict[str, dict[str, ElicitRequest]] = field(default_factory=dict[str, dict[str, ElicitRequest]])
    ends_in_error: set[str] = field(default_factory=set[str])

    def begin(self, tool: str, task_id: str) -> None:
        if tool in ASKED:
            self.pending[task_id] = dict(ASKED[tool])
        if tool == "protocol_error_job":
            self.ends_in_error.add(task_id)

    def shown(self, task: Wire) -> Wire:
        """The task as our extension shows it, with what the suite wants beyond that."""
        pending = self.pending.get(task["taskId"])
        if pending and task["status"] != "cancelled":
            task.pop("result", None)
            requests = {key: each.model_dump(by_alias=True, exclude_none=True) for key, each in pending.items()}
            return {**task, "status": "input_required", "inputRequests": requests}
        if task["taskId"] in self.ends_in_error and task["status"] == "completed":
            task.pop("result", None)
            return {**task, "status": "failed", "error": {"code": INTERNAL_ERROR, "message": "as the suite wants it"}}
        return task

    def answer(self, task_id: str, answers: dict[str, Any]) -> None:
        pending = self.pending.get(task_id, {})
        for key in answers:
            pending.pop(key, None)


class SuiteTasks(TasksExtension):
    """Our extension, and around it the three things that only the suite does."""

    def __init__(self, surroundings: ToolContext) -> None:
        super().__init__(surroundings, MAKES_TASKS)
        self._asking = Asking()

    def methods(self) -> Sequence[MethodBinding]:
        """Ours, with `tasks/get` and `tasks/update` wrapped."""
        ours = {binding.method: binding for binding in super().methods()}
        get, update = ours["tasks/get"], ours["tasks/update"]

        async def get_with_questions(ctx: ServerRequestContext[Any, Any], params: TaskIdParams) -> Wire:
            shown: Any = await get.handler(ctx, params)
            return self._asking.shown(shown)

        async def update_with_answers(ctx: ServerRequestContext[Any, Any], params: TaskUpdateParams) -> Any:
            acknowledged = await update.handler(ctx, params)
            self._asking.answer(params.task_id, params.input_responses)
            return acknowledged

        ours["tasks/get"] = replace(get, handler=get_with_questions)
        ours["tasks/update"] = replace(update, handler=update_with_answers)
        return tuple(ours.values())

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """As ours does, for those who declared the extension where the tool needs it."""
        if params.name in NEEDS_EXTENSION:
            require_client_extension(ctx, EXTENSION_ID)
        result = await super().intercept_tool_call(params, ctx, call_next)
        if isinstance(result, dict) and result.get("resultType") == "task":
            self._asking.begin(params.name, result["taskId"])
        return result


class UserName(BaseModel):
    """A form."""

    user_name: str = "somebody"
    name: str = "somebody"


async def ask_for_name() -> Elicit[UserName]:
    return Elicit("What is your name?", UserName)


def add_jobs(server: RushesServer, surroundings: ToolContext) -> None:
    """The tool that asks before it makes its task; the others are `sdk_tool(…)` of `SPECS`."""

    @server.tool(AFTER_QUESTIONS, structured_output=False)
    async def ask_then_make(  # pyright: ignore[reportUnusedFunction]
        user: Annotated[UserName, Resolve(ask_for_name)],
    ) -> CallToolResult:
        """Ask for a name, then draw it."""
        return rendered(await slow_compute(surroundings, SlowCompute(seconds=0.5, label=user.name)))


def job_tools(surroundings: ToolContext) -> list[Any]:
    return [sdk_tool(each, surroundings) for each in SPECS]
