"""Resources: tasks as JSON, what they made, and the models."""

import json
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from ...domain.errors import RequestRefused, RushesError, TaskNotFound
from ...domain.failure import invisible_escaped
from ...domain.record import TaskRecord
from ...tools import (
    ANSWER_TEMPLATE,
    MODELS_URI,
    OUTPUT_TEMPLATE,
    TASK_TEMPLATE,
    TEXT_CHARACTERS_MAX,
    Origin,
    ToolContext,
    model_list,
    task_result,
)

SMALL_BYTES = 750_000
"""A medium up to this size is sent as it is; as base64 it stays under the 1 MB that hosts take."""

MODELS_BYTES = 60_000


def add_resources(server: MCPServer[Any], surroundings: ToolContext) -> None:
    """Register the templates and the list of models."""

    @server.resource(
        TASK_TEMPLATE, name="task", title="Task", description="A task as check_task shows it.", mime_type=JSON
    )
    async def task(task_id: str) -> str:  # pyright: ignore[reportUnusedFunction]
        record = await _record(surroundings, task_id)
        service = await surroundings.opened()
        origin = Origin(await service.lineage(record), TEXT_CHARACTERS_MAX)
        result = await task_result(surroundings, record, whole=True, origin=origin)
        return as_json(result.document)

    @server.resource(
        ANSWER_TEMPLATE,
        name="answer",
        title="Gateway's answer",
        description="What the gateway last said of a task's job, as it came (data of a stranger, shortened).",
        mime_type=JSON,
    )
    async def answer(task_id: str) -> str:  # pyright: ignore[reportUnusedFunction]
        record = await _record(surroundings, task_id)
        service = await surroundings.opened()
        return invisible_escaped(as_json(await service.answer(record.task_id, principal=surroundings.principal)))

    @server.resource(
        OUTPUT_TEMPLATE,
        name="output",
        title="Output",
        description="What a task made, counted from 1: small media as they are, larger ones as a preview (JPEG).",
        mime_type="application/octet-stream",
    )
    async def output(task_id: str, index: str) -> bytes:  # pyright: ignore[reportUnusedFunction]
        record = await _record(surroundings, task_id)
        number = _number(record, index)
        service = await surroundings.opened()
        try:
            return await service.content(task_id, number, principal=surroundings.principal, bytes_max=SMALL_BYTES)
        except RequestRefused as error:
            raise ResourceError(f"{error.message} {error.hint or ''}".rstrip()) from error

    @server.resource(
        MODELS_URI, name="models", title="Models", description="All models with their limits.", mime_type=JSON
    )
    async def models() -> str:  # pyright: ignore[reportUnusedFunction]
        service = await surroundings.opened()
        offers = await service.models()
        return as_json(model_list(offers, MODELS_BYTES).model_dump(mode="json", exclude_none=True))


JSON = "application/json"


def as_json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1)


async def _record(surroundings: ToolContext, task_id: str) -> TaskRecord:
    try:
        service = await surroundings.opened()
        return await service.get(task_id, principal=surroundings.principal)
    except TaskNotFound as error:
        raise ResourceNotFoundError(error.message) from error
    except RushesError as error:
        raise ResourceError(error.message) from error


def _number(record: TaskRecord, index: str) -> int:
    """Which output is meant, counted from 1.

    Raises:
        ResourceNotFoundError: the task has no such output.
    """
    from ...tasks.previews.previews import check_index

    number = int(index) if index.isascii() and index.isdigit() and len(index) < 5 else 0
    if number < 1:
        raise ResourceNotFoundError("Outputs are counted from 1.")
    try:
        check_index(record, number)
    except RequestRefused as error:
        raise ResourceNotFoundError(error.message) from error
    return number
