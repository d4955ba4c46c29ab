"""Resources: tasks as JSON, what they made, and the models."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from ...domain.errors import RequestRefused, RushesError, TaskNotFound
from ...domain.record import Output, TaskRecord
from ...tasks.previews.preview import look
from ...tools.context import ToolContext
from ...tools.generate import task_result
from ...tools.models import model_list
from ...tools.uris import ANSWER_TEMPLATE, MODELS_URI, OUTPUT_TEMPLATE, TASK_TEMPLATE
from ...tools.view import check_index

SMALL_BYTES = 750_000
"""A medium up to this size is sent as it is; as base64 it stays under the 1 MB that hosts take."""

MODELS_BYTES = 60_000


def add_resources(server: MCPServer[Any], surroundings: ToolContext) -> None:
    """Register the templates and the list of models."""

    @server.resource(
        TASK_TEMPLATE, name="task", title="Task", description="A task as check_task shows it.", mime_type=JSON
    )
    async def task(task_id: str) -> str:  # pyright: ignore[reportUnusedFunction]
        return as_json(task_result(surroundings, await _record(surroundings, task_id)).document)

    @server.resource(
        ANSWER_TEMPLATE,
        name="answer",
        title="Gateway's answer",
        description="What the gateway last said of a task's job, as it came (data of a stranger, shortened).",
        mime_type=JSON,
    )
    async def answer(task_id: str) -> str:  # pyright: ignore[reportUnusedFunction]
        record = await _record(surroundings, task_id)
        return as_json(await surroundings.service.answer(record.task_id, owner=surroundings.owner))

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
        try:
            return await _shown(record.outputs[number - 1], surroundings)
        except RequestRefused as error:
            raise ResourceError(f"{error.message} {error.hint or ''}".rstrip()) from error

    @server.resource(
        MODELS_URI, name="models", title="Models", description="All models with their limits.", mime_type=JSON
    )
    async def models() -> str:  # pyright: ignore[reportUnusedFunction]
        offers = await surroundings.service.models()
        return as_json(model_list(offers, MODELS_BYTES).model_dump(mode="json", exclude_none=True))


JSON = "application/json"


def as_json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1)


async def _record(surroundings: ToolContext, task_id: str) -> TaskRecord:
    try:
        return await surroundings.service.get(task_id, owner=surroundings.owner)
    except TaskNotFound as error:
        raise ResourceNotFoundError(error.message) from error
    except RushesError as error:
        raise ResourceError(error.message) from error


def _number(record: TaskRecord, index: str) -> int:
    """Which output is meant, counted from 1.

    Raises:
        ResourceNotFoundError: the task has no such output.
    """
    number = int(index) if index.isascii() and index.isdigit() and len(index) < 5 else 0
    if number < 1:
        raise ResourceNotFoundError("Outputs are counted from 1.")
    try:
        check_index(record, number)
    except RequestRefused as error:
        raise ResourceNotFoundError(error.message) from error
    return number


async def _shown(output: Output, surroundings: ToolContext) -> bytes:
    """The file itself if it is small, else its preview."""
    return await anyio.to_thread.run_sync(
        partial(_bytes_of, output), abandon_on_cancel=True, limiter=surroundings.looks
    )


def _bytes_of(output: Output) -> bytes:
    path = Path(output.path) if output.path else None
    if path is not None and path.is_file() and path.stat().st_size <= SMALL_BYTES:
        return path.read_bytes()
    return look(output).jpeg
