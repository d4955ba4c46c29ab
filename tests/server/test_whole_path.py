"""`rushes serve` as hosts use it, with the sandbox and no key: from the call to the kept file."""

import os
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL

import anyio
import av
import pytest
from anyio.abc import Process
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp_types import ImageContent
from PIL import Image
from pydantic import TypeAdapter

from rushes.domain.errors import FailureReason

from ..forks import as_command, forked
from .clients import Document, document
from .tasks_client import CreatedTask, FollowTasks, TaskState, task_request

pytestmark = pytest.mark.anyio

SECONDS = 90
SHORT = {"duration_seconds": 1, "resolution": "480p"}
DOCUMENTS = TypeAdapter(list[Document])


@pytest.fixture
def environment(followed_children: None, tmp_path: Path) -> dict[str, str]:
    """A home of its own, and no key."""
    return {**os.environ, "RUSHES_HOME": str(tmp_path / "home")}


def over_stdio(environment: dict[str, str], era: str = "auto", follow: FollowTasks | None = None) -> Client:
    command, arguments = as_command("rushes", "serve")
    parameters = StdioServerParameters(command=command, args=arguments, env=environment)
    return Client(parameters, mode=era, extensions=[follow] if follow else None)


@asynccontextmanager
async def started(environment: dict[str, str], transport: str) -> AsyncGenerator[tuple[str, Process]]:
    """A server on a free port, and its URL."""
    arguments = ["serve", "--transport", transport, "--port", "0"]
    async with forked("rushes", *arguments, environment=environment, stdout=DEVNULL) as process:
        assert process.stderr is not None
        said = b""
        while b"\n" not in said:
            said += await process.stderr.receive()
        yield said.split(b"\n")[0].decode().rpartition(" ")[2], process


@asynccontextmanager
async def listening(environment: dict[str, str], transport: str) -> AsyncGenerator[str]:
    """The URL of a server that is asked to stop at the end, which it does with exit code 0."""
    async with started(environment, transport) as (url, process):
        yield url
        process.terminate()
        assert await process.wait() == 0


def outputs_of(shown: Document) -> list[Document]:
    return DOCUMENTS.validate_python(shown["outputs"])


async def made(client: Client, tool: str, **arguments: object) -> tuple[Document, Path]:
    """The task after it has ended well, and its first file."""
    shown = document(await client.call_tool(tool, {"prompt": "a red fox in snow", "wait_seconds": 45, **arguments}))
    while shown["state"] in {"queued", "running"}:
        shown = document(await client.call_tool("check_task", {"task_id": shown["task_id"], "wait_seconds": 45}))
    assert (shown["state"], "failure" in shown) == ("succeeded", False)
    return shown, Path(str(outputs_of(shown)[0]["path"]))


async def test_over_stdio_a_video_an_image_and_a_sound_are_made_kept_seen_and_listed(
    environment: dict[str, str],
) -> None:
    with anyio.fail_after(SECONDS):
        async with over_stdio(environment) as client:
            video, video_path = await made(client, "generate_video", **SHORT, aspect_ratio="16:9")
            image, image_path = await made(client, "generate_image", output_format="png", size="320x180")
            sound, sound_path = await made(client, "generate_audio", duration_seconds=1)
            looks = [
                await client.call_tool("view_output", {"task_id": task["task_id"]}) for task in (video, image, sound)
            ]
            listed = DOCUMENTS.validate_python(document(await client.call_tool("list_tasks", {}))["tasks"])
            onward, _ = await made(client, "generate_video", **SHORT, image=f"task:{image['task_id']}#1")

    with av.open(str(video_path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    with Image.open(image_path) as picture:
        assert picture.format == "PNG"
    assert sound_path.suffix == ".wav"
    assert all(isinstance(look.content[0], ImageContent) for look in looks)
    assert [task["task_id"] for task in listed] == [sound["task_id"], image["task_id"], video["task_id"]]
    assert any("sandbox" in str(warning) for warning in TypeAdapter(list[str]).validate_python(video["warnings"]))
    assert onward["kind"] == "video"


async def test_over_stdio_an_image_is_made_for_an_older_client(environment: dict[str, str]) -> None:
    with anyio.fail_after(SECONDS):
        async with over_stdio(environment, "legacy") as client:
            _, path = await made(client, "generate_image", size="320x180")
            assert path.is_file()


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_over_http_and_sse_two_clients_see_one_task_and_progress(
    environment: dict[str, str], transport: str
) -> None:
    heard: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)

    with anyio.fail_after(SECONDS):
        async with listening(environment, transport) as url, AsyncExitStack() as stack:
            mode = "legacy" if transport == "sse" else "auto"
            one, other = [
                await stack.enter_async_context(Client(sse_client(url) if transport == "sse" else url, mode=mode))
                for _ in range(2)
            ]
            asked = {"prompt": "[slow:2] a red fox", "size": "320x180"}
            first = document(await one.call_tool("generate_image", asked))
            again = document(await other.call_tool("generate_image", asked))
            waited = {"task_id": first["task_id"], "wait_seconds": 45}
            shown = document(await other.call_tool("check_task", waited, progress_callback=hear))
            assert (again["task_id"], again["deduplicated"]) == (first["task_id"], True)
            assert shown["state"] == "succeeded"

    assert len(heard) > 1
    assert heard == sorted(set(heard))


async def test_a_failure_tells_its_reason_and_that_nothing_was_charged(environment: dict[str, str]) -> None:
    reasons: tuple[FailureReason, ...] = ("content_violation", "insufficient_credits")
    with anyio.fail_after(SECONDS):
        async with over_stdio(environment) as client:
            results = [
                await client.call_tool("generate_image", {"prompt": f"[fail:{reason}] x", "wait_seconds": 45})
                for reason in reasons
            ]

    for reason, result in zip(reasons, results, strict=True):
        shown = document(result)
        told = TypeAdapter(Document).validate_python(shown["failure"])
        assert (result.is_error, shown["state"], told["reason"], told["charged"]) == (True, "failed", reason, "no")


async def test_a_protocol_task_outlives_the_process_that_made_it(environment: dict[str, str]) -> None:
    """The first server is killed between `tools/call` and `tasks/get`; another one answers and finishes the work."""
    with anyio.fail_after(SECONDS):
        async with listening(environment, "http") as url:
            task_id = await made_and_killed(environment)
            async with Client(url, extensions=[FollowTasks()]) as client:
                state = await client.session.send_request(task_request("tasks/get", task_id), TaskState)
                assert state.status == "working"
                while state.status == "working":
                    await client.call_tool("check_task", {"task_id": task_id, "wait_seconds": 45})
                    state = await client.session.send_request(task_request("tasks/get", task_id), TaskState)

    assert state.status == "completed"
    assert state.result is not None
    assert state.result["structuredContent"]["outputs"][0]["path"]


async def made_and_killed(environment: dict[str, str]) -> str:
    """The id of a task whose server was killed as soon as it had answered."""
    asked = {"prompt": "[slow:3] a red fox", "size": "320x180"}
    async with started(environment, "http") as (url, process), Client(url, extensions=[FollowTasks()]) as client:
        created = await client.session.call_tool("generate_image", asked, allow_claimed=True)
        process.send_signal(signal.SIGKILL)
        await process.wait()
    assert isinstance(created, CreatedTask)
    return created.task_id
