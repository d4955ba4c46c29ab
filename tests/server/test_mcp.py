"""Our tools as an MCP client sees them, in both eras of the protocol."""

import io
import json
import logging
from base64 import b64decode
from importlib.metadata import version
from pathlib import Path

import anyio
import pytest
from mcp import Client
from mcp_types import CallToolResult, ImageContent, ResourceLink, TextContent
from PIL import Image
from pydantic import TypeAdapter

from rushes.domain.errors import FailureError, RequestRefused, RushesError, StoreBusy
from rushes.domain.failure import failure
from rushes.domain.job import RemoteOutput
from rushes.domain.model_facts import ModelFacts
from rushes.domain.record import Keeping, KeptMedia, Output
from rushes.server.mcp.server import INSTRUCTIONS, build_server
from rushes.tasks.service import ModelOffer
from rushes.tools import ALL_TOOLS, Task, already

from ..previews.media_files import an_image
from ..tools.fake_service import FakeService, record, refusing
from .clients import ERAS, Document, connected, document

pytestmark = pytest.mark.anyio
every_era = pytest.mark.parametrize("era", ERAS)

TASK_FIELDS = list(Task.model_fields)
DONE: dict[str, object] = {"state": "succeeded", "phase": "done", "open": False}
KEPT = Output(
    remote=RemoteOutput(url="https://cdn.example/fox.mp4"),
    kept=KeptMedia(path="/media/fox.mp4", bytes=9, mime_type="video/mp4"),
    keeping=Keeping(status="kept"),
)


def failed(**fields: object) -> dict[str, object]:
    told = failure("content_violation", "the prompt was refused", charged="no")
    return {**DONE, "state": "failed", "failure": told, **fields}


def failure_in(shown: Document) -> Document:
    return TypeAdapter(Document).validate_python(shown["failure"])


@every_era
async def test_the_tools_are_listed_with_titles_hints_and_schemas(era: str) -> None:
    async with connected(FakeService(), era) as client:
        tools = (await client.list_tools()).tools

    assert [tool.name for tool in tools] == [
        "generate_video",
        "generate_image",
        "generate_audio",
        "check_task",
        "view_output",
        "assemble",
        "list_tasks",
        "cancel_task",
        "list_models",
    ]
    for tool in tools:
        assert tool.title
        assert tool.description
        assert (tool.output_schema is None) is (tool.name == "view_output")
        assert tool.annotations is not None
        reads = tool.name.startswith(("check", "list", "view"))
        assert bool(tool.annotations.read_only_hint) is reads
        assert reads or tool.annotations.destructive_hint is (tool.name == "cancel_task")


@every_era
async def test_the_server_says_who_it_is_and_how_to_work_with_it(era: str) -> None:
    async with connected(FakeService(), era) as client:
        assert client.instructions == INSTRUCTIONS
        assert client.server_info is not None
        assert (client.server_info.name, client.server_info.version) == ("rushes", version("rushes"))
    assert len(INSTRUCTIONS.encode()) < 1024
    assert all(spec.name in INSTRUCTIONS for spec in ALL_TOOLS if spec.name.startswith(("generate", "check", "list")))


async def test_the_list_of_tools_may_be_cached() -> None:
    async with connected(FakeService()) as client:
        listed = await client.list_tools()

    assert (listed.ttl_ms, listed.cache_scope) == (300_000, "public")


@every_era
async def test_a_generation_answers_with_its_task_and_what_to_do_next(era: str) -> None:
    async with connected(FakeService(), era) as client:
        result = await client.call_tool("generate_video", {"prompt": "a red fox", "duration_seconds": 5})

    shown = document(result)
    assert result.is_error is False
    assert list(shown) == [name for name in TASK_FIELDS if name in shown]
    assert (shown["task_id"], shown["kind"], shown["state"]) == ("01TASK1", "video", "running")
    assert not any(value is None or value is False or value == [] for value in shown.values())
    assert shown["next"] == {
        "tool": "check_task",
        "arguments": {"task_id": "01TASK1", "wait_seconds": 30},
        "after_seconds": 5,
    }


@pytest.mark.parametrize("kind", ["video", "image", "audio"])
async def test_each_generating_tool_asks_for_its_kind(kind: str) -> None:
    service = FakeService()
    async with connected(service, local_files=False) as client:
        shown = document(await client.call_tool(f"generate_{kind}", {"prompt": "a red fox"}))

    assert shown["kind"] == kind
    assert [wish.request.kind for wish in service.wishes] == [kind]
    assert not service.wishes[0].local_files
    assert service.answer_within_seconds == 20


async def test_the_same_request_answers_with_the_same_task() -> None:
    async with connected(FakeService()) as client:
        first = document(await client.call_tool("generate_image", {"prompt": "a red fox"}))
        second = document(await client.call_tool("generate_image", {"prompt": "a red fox"}))
        third = document(await client.call_tool("generate_image", {"prompt": "a red fox", "force_new": True}))

    assert (second["task_id"], second["deduplicated"]) == (first["task_id"], True)
    assert third["task_id"] != first["task_id"]
    assert "deduplicated" not in third


@every_era
async def test_a_dry_run_shows_the_payload_and_makes_no_task(era: str) -> None:
    service = FakeService()
    async with connected(service, era) as client:
        result = await client.call_tool("generate_video", {"prompt": "a red fox", "dry_run": True})

    assert document(result) == {
        "dry_run": True,
        "provider": "gateway",
        "model": "fox-1",
        "kind": "video",
        "prompt": "a red fox",
        "url": "https://gateway.example/v1/videos",
        "payload": {"prompt": "a red fox", "seconds": None},
        "warnings": ["nothing is sent"],
    }
    assert (result.is_error, service.records) == (False, {})


@every_era
@pytest.mark.parametrize("kind", ["video", "image", "audio"])
async def test_a_generation_that_failed_is_an_error_with_the_whole_task(kind: str, era: str) -> None:
    service = FakeService()
    service.first = failed()
    async with connected(service, era) as client:
        result = await client.call_tool(f"generate_{kind}", {"prompt": "a red fox"})

    shown = document(result)
    assert result.is_error is True
    assert (shown["task_id"], shown["state"]) == ("01TASK1", "failed")
    assert failure_in(shown) == {
        "reason": "content_violation",
        "message": "the prompt was refused",
        "charged": "no",
        "retry_safe": False,
        "hint": "Change the prompt or the input media; the same request will be refused again.",
    }


async def test_looking_at_a_failed_task_is_no_error() -> None:
    service = FakeService()
    service.put(record(**failed()))
    async with connected(service) as client:
        for tool in ("check_task", "cancel_task"):
            result = await client.call_tool(tool, {"task_id": "01TASK"})
            assert (result.is_error, document(result)["state"]) == (False, "failed")
        assert (await client.call_tool("list_tasks", {"state": "failed"})).is_error is False


@every_era
@pytest.mark.parametrize("spec", ALL_TOOLS, ids=[spec.name for spec in ALL_TOOLS])
async def test_unknown_arguments_are_refused_by_every_tool(spec: object, era: str) -> None:
    tool = next(known for known in ALL_TOOLS if known is spec)
    async with connected(FakeService(), era) as client:
        result = await client.call_tool(tool.name, {"promt": "a red fox", "task_id": "x", "prompt": "y"})

    shown = document(result)
    assert result.is_error is True
    if tool.kind is None:
        told = TypeAdapter(Document).validate_python(shown["error"])
        assert (list(shown), list(told)) == (["error"], ["reason", "message", "hint"])
    else:
        told = failure_in(shown)
        assert (list(shown), shown["state"], shown["kind"]) == (["kind", "state", "failure"], "failed", tool.kind)
        assert (told["charged"], told["retry_safe"]) == ("no", False)
    assert told["reason"] == "invalid_input"
    assert "Unknown argument 'promt'" in str(told["message"])


@every_era
async def test_an_argument_that_a_host_adds_for_itself_is_passed_over(era: str) -> None:
    service = FakeService()
    service.put(record())
    async with connected(service, era) as client:
        result = await client.call_tool("check_task", {"task_id": "01TASK", "wait_for_previous": True})

    assert result.is_error is False
    assert document(result)["task_id"] == "01TASK"


async def test_a_mistyped_argument_is_answered_with_the_right_one() -> None:
    async with connected(FakeService()) as client:
        told = failure_in(document(await client.call_tool("generate_video", {"promt": "a red fox"})))

    assert told["message"] == "Unknown argument 'promt'. Did you mean 'prompt'?"
    assert told["hint"] == "Correct these and call again; nothing was sent."


@every_era
async def test_a_mistyped_tool_is_answered_with_the_right_one(era: str) -> None:
    async with connected(FakeService(), era) as client:
        result = await client.call_tool("generate_vidoe", {"prompt": "a red fox"})

    assert isinstance(result, CallToolResult)
    assert result.is_error is True
    assert isinstance(result.content[0], TextContent)
    assert "Did you mean generate_video?" in result.content[0].text


@pytest.mark.parametrize(
    ("error", "reason", "charged"),
    [
        (RequestRefused("unsupported", "fox-1 makes at most 8 s"), "unsupported", "no"),
        (StoreBusy("another process held it for 10 s"), "internal", "no"),
        (FailureError("rate_limited", "too many requests", charged="no"), "rate_limited", "no"),
        (RushesError("something else"), "internal", "unknown"),
    ],
)
async def test_a_refusal_before_a_task_exists_has_a_reason_a_money_state_and_a_hint(
    error: RushesError, reason: str, charged: str
) -> None:
    async with connected(refusing(error)) as client:
        result = await client.call_tool("generate_video", {"prompt": "a red fox"})

    shown = document(result)
    told = failure_in(shown)
    assert result.is_error is True
    assert (shown["state"], shown["kind"], told["reason"], told["charged"]) == ("failed", "video", reason, charged)
    assert "task_id" not in shown
    assert error.message in str(told["message"])


async def test_what_no_model_offers_leads_to_list_models() -> None:
    async with connected(refusing(RequestRefused("unsupported", "no model makes 8k"))) as client:
        shown = document(await client.call_tool("generate_video", {"prompt": "a red fox"}))

    assert shown["next"] == {"tool": "list_models", "arguments": {"kind": "video"}}


@pytest.mark.parametrize("tool", ["check_task", "cancel_task", "view_output"])
async def test_a_task_that_is_not_there_leads_to_list_tasks(tool: str) -> None:
    async with connected(FakeService()) as client:
        result = await client.call_tool(tool, {"task_id": "01NONE"})

    shown = document(result)
    assert result.is_error is True
    assert "'reason': 'not_found'" in str(shown["error"])
    assert shown["next"] == {"tool": "list_tasks", "arguments": {}}


async def test_a_fault_of_ours_is_logged_and_shows_nothing_of_itself(caplog: pytest.LogCaptureFixture) -> None:
    service = FakeService()
    service.refusal = ZeroDivisionError("secret detail")
    async with connected(service) as client:
        generated = await client.call_tool("generate_video", {"prompt": "a red fox"})
        checked = await client.call_tool("check_task", {"task_id": "01TASK"})

    told = failure_in(document(generated))
    assert (generated.is_error, told["reason"], told["charged"]) == (True, "internal", "unknown")
    assert set(document(checked)) == {"error", "next"}
    assert "secret" not in json.dumps([document(generated), document(checked)])
    assert [entry.levelno for entry in caplog.records if entry.exc_info] == [logging.ERROR] * 2


@every_era
async def test_a_wait_ends_with_the_task_and_reports_growing_progress(era: str) -> None:
    service = FakeService()
    service.put(record())
    heard: list[tuple[float, float | None, str | None]] = []
    told = anyio.Event()

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))
        told.set()

    async def move_on() -> None:
        await told.wait()
        for fraction in (0.25, 0.6, 0.5):
            service.waiting = anyio.Event()
            service.move("01TASK", progress=fraction)
            await service.waiting.wait()
        service.move("01TASK", **DONE, outputs=(KEPT,))

    async with connected(service, era) as client, anyio.create_task_group() as group:
        group.start_soon(move_on)
        result = await client.call_tool("check_task", {"task_id": "01TASK", "wait_seconds": 45}, progress_callback=hear)
        assert document(result)["state"] == "succeeded"

    values = [progress for progress, _, _ in heard]
    assert values == sorted(set(values))
    assert {total for _, total, _ in heard} == {100}
    assert heard[0][2] == "running"


@every_era
async def test_a_generation_may_wait_for_its_result(era: str) -> None:
    service = FakeService()

    async def finish() -> None:
        await service.waiting.wait()
        service.move("01TASK1", **DONE, outputs=(KEPT,))

    async with connected(service, era) as client, anyio.create_task_group() as group:
        group.start_soon(finish)
        result = await client.call_tool("generate_video", {"prompt": "a red fox", "wait_seconds": 45})
        assert document(result)["state"] == "succeeded"


async def test_a_wait_that_is_over_answers_with_the_task_as_it_is() -> None:
    service = FakeService()
    service.put(record())
    async with connected(service) as client:
        result = await client.call_tool("check_task", {"task_id": "01TASK", "wait_seconds": 0.01})

    assert (result.is_error, document(result)["state"]) == (False, "running")


@every_era
async def test_a_client_that_gives_up_does_no_harm(era: str) -> None:
    service = FakeService()
    service.put(record())
    async with connected(service, era) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "check_task", {"task_id": "01TASK", "wait_seconds": 45})
            await service.waiting.wait()
            group.cancel_scope.cancel()
        shown = document(await client.call_tool("check_task", {"task_id": "01TASK"}))

    assert shown["state"] == "running"


async def test_a_result_links_to_its_outputs() -> None:
    service = FakeService()
    service.put(record(**DONE, outputs=(KEPT,)))
    async with connected(service, local_files=False) as client:
        result = await client.call_tool("check_task", {"task_id": "01TASK"})

    uri = "rushes://tasks/01TASK/outputs/1"
    assert result.content[1:] == [ResourceLink(uri=uri, name="fox.mp4", mime_type="video/mp4", size=9)]
    assert uri in json.dumps(document(result)["outputs"])


async def test_tasks_are_listed_page_by_page_newest_first() -> None:
    service = FakeService()
    for number in range(5):
        service.put(record(task_id=f"0{number}", prompt="fox " * 99))
    async with connected(service) as client:
        first = document(await client.call_tool("list_tasks", {"limit": 3}))
        second = document(await client.call_tool("list_tasks", {"limit": 3, "cursor": first["next_cursor"]}))

    pages = [TypeAdapter(list[Document]).validate_python(page["tasks"]) for page in (first, second)]
    assert [[task["task_id"] for task in page] for page in pages] == [["04", "03", "02"], ["01", "00"]]
    assert "next_cursor" not in second
    assert len(str(pages[0][0]["prompt"])) <= 80


async def test_a_full_page_of_tasks_stays_within_what_hosts_show() -> None:
    service = FakeService()
    for number in range(10):
        service.put(record(task_id=f"01J{number:023}", prompt="fox " * 99, **DONE, outputs=(KEPT,) * 2))
    async with connected(service) as client:
        shown = document(await client.call_tool("list_tasks", {}))

    assert len(json.dumps(shown)) < 12_800


async def test_a_task_is_cancelled_and_abandoned_only_if_asked() -> None:
    service = FakeService()
    service.put(record())
    async with connected(service) as client:
        asked = document(await client.call_tool("cancel_task", {"task_id": "01TASK"}))
        abandoned = document(await client.call_tool("cancel_task", {"task_id": "01TASK", "abandon": True}))

    assert (asked["state"], asked["warnings"]) == ("running", ["gateway cannot cancel; it goes on and may charge."])
    assert abandoned["state"] == "cancelled"


@every_era
async def test_models_are_listed(era: str) -> None:
    service = FakeService()
    fox = ModelFacts(id="fox-1", name="fox-1", kind="video", source="test")
    service.offers = (ModelOffer("fox-1", "video", (("gateway", fox, True),)),)
    async with connected(service, era) as client:
        shown = document(await client.call_tool("list_models", {"query": "fox"}))

    assert shown == {
        "models": [
            {
                "name": "fox-1",
                "kind": "video",
                "providers": [{"provider": "gateway", "usable": True}],
                "certainty": "documented",
            }
        ],
        "total": 1,
    }


@every_era
async def test_an_output_is_seen_as_a_picture_with_a_line_of_facts_and_nothing_structured(
    era: str, tmp_path: Path
) -> None:
    service = FakeService()
    service.put(record(kind="image", **DONE, outputs=(an_image(tmp_path / "fox.png", (2048, 1024)),)))
    async with connected(service, era) as client:
        result = await client.call_tool("view_output", {"task_id": "01TASK"})

    image, text = result.content
    assert isinstance(image, ImageContent)
    assert isinstance(text, TextContent)
    assert (result.is_error, result.structured_content) == (False, None)
    assert image.mime_type == "image/jpeg"
    assert Image.open(io.BytesIO(b64decode(image.data))).size == (1024, 512)
    assert text.text.startswith("Output 1 of 1 of task 01TASK: image 2048x1024")
    assert text.text.endswith("Shown: the image.")


@pytest.mark.parametrize(
    ("fields", "index", "message", "hint"),
    [
        ({}, 1, "Task 01TASK is running and has no output.", "check_task to wait"),
        ({**DONE, "state": "failed"}, 1, "Task 01TASK is failed and has no output.", "check_task to see why"),
        ({**DONE, "outputs": (KEPT,)}, 2, "Task 01TASK has 1 output, counted from 1; there is no 2.", "Correct"),
        ({**DONE, "outputs": (KEPT,)}, 0, "index must be at least 1, not 0.", "Correct"),
        ({**DONE, "outputs": (KEPT,)}, 1, "The kept file is gone: /media/fox.mp4", "Open its url"),
    ],
)
async def test_an_output_that_is_not_there_is_refused_with_what_is(
    fields: dict[str, object], index: int, message: str, hint: str
) -> None:
    service = FakeService()
    service.put(record(**fields))
    async with connected(service) as client:
        result = await client.call_tool("view_output", {"task_id": "01TASK", "index": index})

    assert result.is_error is True
    shown = document(result)
    assert not shown.keys() - {"error", "next"}
    told = TypeAdapter(Document).validate_python(shown["error"])
    assert told["message"] == message
    assert hint in str(told["hint"])


async def test_two_clients_of_one_server_see_one_task() -> None:
    server = build_server(already(FakeService()), local_files=True)
    with anyio.fail_after(20):
        async with Client(server) as one, Client(server, mode="legacy") as other:
            made = document(await one.call_tool("generate_image", {"prompt": "a red fox"}))
            seen = document(await other.call_tool("check_task", {"task_id": made["task_id"]}))

    arguments = seen.pop("arguments")
    assert (seen, arguments) == (made, {"prompt": "a red fox", "model": "fox-1"})
