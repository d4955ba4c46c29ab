"""The Tasks extension (`io.modelcontextprotocol/tasks`, 2026-07-28) as a view of the task store.

Nothing is kept here: `taskId` is our `task_id`, so any process that shares the store can answer for a task, also after
the one that made it was killed. Clients that do not declare the extension never see any of this.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, cast, runtime_checkable

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver.server import require_client_extension
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp_types import HEADER_MISMATCH, INVALID_PARAMS, CallToolRequestParams, CallToolResult, RequestParams
from pydantic import Field

from ...domain.errors import TaskNotFound
from ...domain.record import TaskRecord
from ...tools import ALL_TOOLS, ToolContext, progress_message, task_result, timestamp
from .rendering import rendered

EXTENSION_ID = "io.modelcontextprotocol/tasks"
VERSIONS = frozenset({"2026-07-28"})

POLL_MS_MIN, POLL_MS_MAX = 500, 30_000

GENERATING = frozenset(spec.name for spec in ALL_TOOLS if spec.kind is not None)

Payload = dict[str, Any]


class TaskIdParams(RequestParams):
    """Parameters of `tasks/get` and `tasks/cancel`."""

    task_id: str


class TaskUpdateParams(TaskIdParams):
    """Parameters of `tasks/update`. None of our tasks asks for input, so every response is one to ignore."""

    input_responses: dict[str, Any] = Field(default_factory=dict)


class TasksExtension(Extension):
    """Answers `generate_*` with a task where the client can follow one, and the methods that follow it."""

    identifier = EXTENSION_ID

    def __init__(self, surroundings: ToolContext, generating: Collection[str] = GENERATING) -> None:
        """`generating` names the tools whose answers are tasks."""
        self._surroundings = surroundings
        self._generating = generating

    def methods(self) -> Sequence[MethodBinding]:
        """`tasks/get`, `tasks/update` and `tasks/cancel`."""
        return (
            MethodBinding("tasks/get", TaskIdParams, self._get, VERSIONS),
            MethodBinding("tasks/update", TaskUpdateParams, self._update, VERSIONS),
            MethodBinding("tasks/cancel", TaskIdParams, self._cancel, VERSIONS),
        )

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """Turn the answer of a generating tool into a task, unless it is an end already."""
        result = await call_next(ctx)
        if params.name not in self._generating or not declares_tasks(ctx) or not isinstance(result, CallToolResult):
            return result
        task_id = _task_id(result)
        if result.is_error or task_id is None:
            return result
        service = await self._surroundings.opened()
        record = await service.get(task_id, principal=self._surroundings.principal)
        return result if record.settled else {"resultType": "task", **await task_payload(record, self._surroundings)}

    async def _get(self, ctx: ServerRequestContext[Any, Any], params: TaskIdParams) -> Payload:
        record = await self._record(ctx, params)
        return {"resultType": "complete", **await detailed_task(record, self._surroundings)}

    async def _update(self, ctx: ServerRequestContext[Any, Any], params: TaskUpdateParams) -> Payload:
        await self._record(ctx, params)
        return {"resultType": "complete"}

    async def _cancel(self, ctx: ServerRequestContext[Any, Any], params: TaskIdParams) -> Payload:
        record = await self._record(ctx, params)
        service = await self._surroundings.opened()
        await service.cancel(record.task_id, principal=self._surroundings.principal)
        return {"resultType": "complete"}

    async def _record(self, ctx: ServerRequestContext[Any, Any], params: TaskIdParams) -> TaskRecord:
        """The task that a request is about.

        Raises:
            MCPError: the client did not declare the extension, a header names another task, or there is no such task.
        """
        require_client_extension(ctx, EXTENSION_ID)
        check_name_header(ctx, params.task_id)
        service = await self._surroundings.opened()
        try:
            return await service.get(params.task_id, principal=self._surroundings.principal)
        except TaskNotFound as error:
            raise MCPError(code=INVALID_PARAMS, message="Task not found") from error


def _task_id(result: CallToolResult) -> str | None:
    document = cast("dict[str, object]", result.structured_content or {})
    task_id = document.get("task_id")
    return task_id if isinstance(task_id, str) else None


def declares_tasks(ctx: ServerRequestContext[Any, Any]) -> bool:
    """Whether the client declared the extension with this request."""
    capabilities = ctx.session.client_capabilities
    declared = capabilities.extensions if capabilities is not None else None
    return ctx.protocol_version in VERSIONS and declared is not None and EXTENSION_ID in declared


@runtime_checkable
class _HasHeaders(Protocol):
    @property
    def headers(self) -> Mapping[str, str]: ...


def check_name_header(ctx: ServerRequestContext[Any, Any], task_id: str) -> None:
    """Over HTTP the header `Mcp-Name` routes the request; one that names another task is refused, none is fine.

    Raises:
        MCPError: they differ.
    """
    request: object = cast("object", ctx.request)
    named = request.headers.get(MCP_NAME_HEADER) if isinstance(request, _HasHeaders) else None
    if named is not None and decode_header_value(named) != task_id:
        raise MCPError(code=HEADER_MISMATCH, message="The Mcp-Name header does not match taskId")


async def task_payload(record: TaskRecord, surroundings: ToolContext) -> Payload:
    """The task without its result. A dict, because `ttlMs: null` (kept without limit) must not be left out."""
    payload: Payload = {
        "taskId": record.task_id,
        "status": status_of(record),
        "statusMessage": status_message(record),
        "createdAt": timestamp(record.created_at),
        "lastUpdatedAt": timestamp(record.updated_at),
        "ttlMs": None,
    }
    service = await surroundings.opened()
    interval = service.poll_interval_seconds(record)
    if interval is not None:
        payload["pollIntervalMs"] = round(min(max(interval * 1000, POLL_MS_MIN), POLL_MS_MAX))
    return payload


async def detailed_task(record: TaskRecord, surroundings: ToolContext) -> Payload:
    """The task, and the whole answer of the tool once there is one."""
    payload = await task_payload(record, surroundings)
    if payload["status"] == "completed":
        result = rendered(await task_result(surroundings, record, failure_is_error=True))
        payload["result"] = result.model_dump(by_alias=True, mode="json", exclude_none=True)
    return payload


def status_of(record: TaskRecord) -> str:
    """A failed generation is completed too, with `isError`: `failed` is for faults of the protocol alone."""
    if not record.settled:
        return "working"
    return "cancelled" if record.state == "cancelled" else "completed"


def status_message(record: TaskRecord) -> str:
    """The state in words, with the percentage where it is known."""
    if record.state == "succeeded" and not record.settled:
        return "fetching the result"
    if record.failure is not None:
        return f"{record.state}: {record.failure.message}"
    return progress_message(record)
