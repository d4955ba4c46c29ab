"""The client's side of the Tasks extension, as small as it can be."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal

import anyio.lowlevel
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp_types import CallToolResult, Request, RequestParams, Result

from rushes.server.mcp.tasks_extension import EXTENSION_ID


class TaskIdParams(RequestParams):
    task_id: str


class TaskRequest(Request[TaskIdParams, str]):
    """`tasks/get` or `tasks/cancel`."""

    name_param: ClassVar[str | None] = "taskId"


class TaskState(Result):
    """What the server says of a task."""

    result_type: str | None = None
    task_id: str | None = None
    status: str | None = None
    status_message: str | None = None
    created_at: str | None = None
    last_updated_at: str | None = None
    ttl_ms: int | None = None
    poll_interval_ms: int | None = None
    result: dict[str, Any] | None = None


class CreatedTask(Result):
    result_type: Literal["task"] = "task"
    task_id: str
    status: str
    created_at: str
    last_updated_at: str
    ttl_ms: int | None
    status_message: str | None = None
    poll_interval_ms: int | None = None


class FollowTasks(ClientExtension):
    """Polls a task to its end; remembers what it saw, and after each look takes the next of `steps`."""

    identifier = EXTENSION_ID

    def __init__(self, *steps: Callable[[], None]) -> None:
        self._steps = list(steps)
        self.created: list[CreatedTask] = []
        self.seen: list[TaskState] = []

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=CreatedTask, resolve=self._resolve)]

    async def _resolve(self, created: CreatedTask, ctx: ClaimContext) -> CallToolResult:
        self.created.append(created)
        while True:
            state = await ctx.session.send_request(task_request("tasks/get", created.task_id), TaskState)
            self.seen.append(state)
            if state.result is not None:
                return CallToolResult.model_validate(state.result)
            if state.status == "cancelled":
                raise RuntimeError("cancelled")
            if self._steps:
                self._steps.pop(0)()
            await anyio.lowlevel.checkpoint()


def task_request(method: str, task_id: str) -> TaskRequest:
    return TaskRequest(method=method, params=TaskIdParams(task_id=task_id))
