"""The Tasks extension, as a client that declares it sees it, and as all others do not."""

import json

import anyio
import httpx
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import EmptyResult
from pydantic import TypeAdapter

from rushes.domain.failure import failure
from rushes.domain.job import RemoteOutput
from rushes.domain.record import Keeping, KeptMedia, Output
from rushes.server.mcp.server import build_server
from rushes.server.mcp.tasks_extension import EXTENSION_ID
from rushes.tools import already

from ..tools.fake_service import FakeService, record
from .clients import Document, connected, document
from .tasks_client import FollowTasks, TaskState, task_request
from .test_http import serving

pytestmark = pytest.mark.anyio

DONE: dict[str, object] = {"state": "succeeded", "phase": "done", "open": False}
KEPT = Output(kept=KeptMedia(path="/media/fox.mp4", bytes=9, mime_type="video/mp4"), keeping=Keeping(status="kept"))
NOT_DECLARED, NO_SUCH_TASK, OTHER_TASK_IN_HEADER = -32021, -32602, -32020


def client_of(service: FakeService, follow: FollowTasks | None = None) -> Client:
    return Client(build_server(already(service), local_files=True), extensions=[follow or FollowTasks()])


async def looked_at(client: Client, task_id: str = "01TASK") -> TaskState:
    return await client.session.send_request(task_request("tasks/get", task_id), TaskState)


async def test_a_generation_becomes_a_task_and_its_result_is_the_tools_own() -> None:
    service = FakeService()
    fetched = Output(remote=RemoteOutput(url="https://cdn.example/a"))
    follow = FollowTasks(
        lambda: service.move("01TASK1", progress=0.4),
        lambda: service.move("01TASK1", state="succeeded", phase="keeping", outputs=(fetched,)),
        lambda: service.move("01TASK1", **DONE, outputs=(KEPT,)),
    )
    with anyio.fail_after(20):
        async with client_of(service, follow) as client:
            shown = document(await client.call_tool("generate_video", {"prompt": "a red fox"}))

    (created,) = follow.created
    assert (created.task_id, created.status, created.ttl_ms) == ("01TASK1", "working", None)
    assert (created.poll_interval_ms, created.created_at) == (4200, "2026-11-20T17:05:30.123Z")
    assert [(state.status, state.status_message, state.poll_interval_ms) for state in follow.seen] == [
        ("working", "running", 4200),
        ("working", "running, 40 %", 4200),
        ("working", "fetching the result", None),
        ("completed", "succeeded", None),
    ]
    assert (shown["task_id"], shown["state"]) == ("01TASK1", "succeeded")


async def test_ttl_is_on_the_wire_although_it_is_null() -> None:
    service = FakeService()
    service.put(record())
    async with client_of(service) as client:
        state = await looked_at(client)

    assert "ttl_ms" in state.model_fields_set


async def test_a_failed_generation_is_completed_with_an_error() -> None:
    service = FakeService()
    told = failure("content_violation", "the prompt was refused", charged="no")
    service.put(record(**{**DONE, "state": "failed"}, failure=told))
    async with client_of(service) as client:
        state = await looked_at(client)

    assert state.status == "completed"
    assert state.status_message == "failed: the prompt was refused"
    assert state.result is not None
    assert state.result["isError"] is True


async def test_a_generation_that_was_refused_at_once_is_no_task() -> None:
    service, follow = FakeService(), FollowTasks()
    service.first = {**DONE, "state": "failed", "failure": failure("invalid_input", "no", charged="no")}
    async with client_of(service, follow) as client:
        result = await client.call_tool("generate_video", {"prompt": "a red fox"})
        wrong = await client.call_tool("generate_video", {"promt": "a red fox"})
        preview = await client.call_tool("generate_video", {"prompt": "a red fox", "dry_run": True})

    assert [result.is_error, wrong.is_error, preview.is_error] == [True, True, False]
    assert follow.created == []


async def test_looking_at_a_task_with_the_tool_stays_a_plain_call() -> None:
    service, follow = FakeService(), FollowTasks()
    service.put(record())
    async with client_of(service, follow) as client:
        shown = document(await client.call_tool("check_task", {"task_id": "01TASK"}))

    assert (shown["state"], follow.created) == ("running", [])


async def test_a_task_that_was_abandoned_is_cancelled() -> None:
    service = FakeService()
    service.put(record(**{**DONE, "state": "cancelled"}))
    async with client_of(service) as client:
        assert (await looked_at(client)).status == "cancelled"


async def test_cancelling_is_acknowledged_and_passed_on_and_harmless_at_the_end() -> None:
    service = FakeService()
    service.put(record())
    async with client_of(service) as client:
        for _ in range(2):
            answer = await client.session.send_request(task_request("tasks/cancel", "01TASK"), TaskState)
            assert answer.model_dump(exclude_none=True, exclude={"meta"}) == {"result_type": "complete"}
        service.move("01TASK", **DONE)
        await client.session.send_request(task_request("tasks/cancel", "01TASK"), EmptyResult)

    assert service.records["01TASK"].warnings


async def test_an_update_is_acknowledged_because_no_task_of_ours_asks_for_input() -> None:
    service = FakeService()
    service.put(record())
    async with client_of(service) as client:
        answer = await client.session.send_request(task_request("tasks/update", "01TASK"), TaskState)

    assert answer.model_dump(exclude_none=True, exclude={"meta"}) == {"result_type": "complete"}


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
async def test_unknown_and_foreign_tasks_look_the_same(method: str) -> None:
    service = FakeService()
    service.put(record(owner="somebody else"))
    errors: list[tuple[int, str]] = []
    async with client_of(service) as client:
        for task_id in ("01TASK", "01NONE", "../../etc", ""):
            with pytest.raises(MCPError) as caught:
                await client.session.send_request(task_request(method, task_id), EmptyResult)
            errors.append((caught.value.code, caught.value.message))

    assert errors == [(NO_SUCH_TASK, "Task not found")] * 4


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
async def test_a_client_that_did_not_declare_the_extension_is_told_so(method: str) -> None:
    service = FakeService()
    service.put(record())
    async with connected(service) as client:
        with pytest.raises(MCPError) as caught:
            await client.session.send_request(task_request(method, "01TASK"), EmptyResult)

    assert caught.value.code == NOT_DECLARED
    assert TypeAdapter(Document).validate_python(caught.value.error.data) == {
        "requiredCapabilities": {"extensions": {EXTENSION_ID: {}}}
    }


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_client_without_the_extension_gets_the_plain_answer(era: str) -> None:
    async with connected(FakeService(), era) as client:
        shown = document(await client.call_tool("generate_video", {"prompt": "a red fox"}))

    assert shown["state"] == "running"


async def test_the_server_declares_the_extension() -> None:
    async with connected(FakeService()) as client:
        assert client.server_capabilities is not None
        assert client.server_capabilities.extensions is not None
        assert client.server_capabilities.extensions[EXTENSION_ID] == {}


async def raw_get(http: httpx.AsyncClient, url: str, task_id: str, named: str | None) -> Document:
    """`tasks/get` as bare HTTP: the error's code and the task's status."""
    meta: Document = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {EXTENSION_ID: {}}},
    }
    params: Document = {"taskId": task_id, "_meta": meta}
    headers = {
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tasks/get",
        **({"Mcp-Name": named} if named else {}),
    }
    message: Document = {"jsonrpc": "2.0", "id": 1, "method": "tasks/get", "params": params}
    answer = await http.post(url, json=message, headers=headers)
    body = answer.text.partition("data: ")[2] or answer.text
    parsed = json.loads(body)
    return {"error": parsed.get("error", {}).get("code"), "result": parsed.get("result", {}).get("status")}


async def test_over_http_a_task_is_followed_too_and_a_header_that_names_another_is_refused() -> None:
    service = FakeService()
    follow = FollowTasks(lambda: service.move("01TASK1", **DONE, outputs=(KEPT,)))

    async with serving("http", service) as url:
        async with Client(url, extensions=[follow]) as client:
            shown = document(await client.call_tool("generate_video", {"prompt": "a red fox"}))
        async with httpx.AsyncClient() as http:
            named = await raw_get(http, url, "01TASK1", "01OTHER")
            unnamed = await raw_get(http, url, "01TASK1", None)

        assert shown["state"] == "succeeded"
        assert (named["error"], unnamed["result"]) == (OTHER_TASK_IN_HEADER, "completed")
