"""Several tasks in one call: followed in short rows, and seen in one grid."""

import io
from base64 import b64decode
from pathlib import Path

import anyio
import pytest
from mcp import Client
from mcp_types import CallToolResult, ImageContent, TextContent
from PIL import Image
from pydantic import TypeAdapter

from rushes.domain.record import Output

from ..previews.media_files import BLUE, GREEN, RED, a_sound, a_video, an_image
from ..server.clients import Document, connected, document
from .fake_service import FakeService, record

pytestmark = pytest.mark.anyio

DONE: dict[str, object] = {"state": "succeeded", "phase": "done", "open": False}


def a_service(*outputs: tuple[Output, ...], running: int = 0) -> FakeService:
    service = FakeService()
    for number, made in enumerate(outputs, start=1):
        asked = {"kind": "image", "prompt": "a fox", "seed": number}
        service.put(record(task_id=f"01DONE{number}", outputs=made, kind="image", request=asked, **DONE))
    for number in range(1, running + 1):
        service.put(record(task_id=f"01RUNS{number}"))
    return service


def rows(shown: Document, name: str = "tasks") -> list[Document]:
    return TypeAdapter(list[Document]).validate_python(shown[name])


async def checked(client: Client, **arguments: object) -> Document:
    return document(await client.call_tool("check_task", arguments))


async def seen(client: Client, **arguments: object) -> tuple[Image.Image, str]:
    result = await client.call_tool("view_output", arguments)
    assert isinstance(result, CallToolResult)
    picture, text = result.content
    assert isinstance(picture, ImageContent) and isinstance(text, TextContent), result
    return Image.open(io.BytesIO(b64decode(picture.data))), text.text


async def test_several_tasks_are_told_in_short_in_the_order_asked_for() -> None:
    async with connected(a_service((), running=2)) as client:
        shown = await checked(client, task_ids=["01RUNS2", "01DONE1", "01RUNS1", "01RUNS2"])
    assert [row["task_id"] for row in rows(shown)] == ["01RUNS2", "01DONE1", "01RUNS1"]
    assert shown["unfinished"] == 2
    assert shown["next"] == {
        "tool": "check_task",
        "arguments": {"task_ids": ["01RUNS2", "01RUNS1"], "wait_for": "all", "wait_seconds": 30},
        "after_seconds": 4,
    }


async def test_waiting_for_any_ends_with_the_first_and_proposes_the_others() -> None:
    service = a_service(running=3)
    shown: list[Document] = []
    async with connected(service) as client, anyio.create_task_group() as group:

        async def wait() -> None:
            ids = ["01RUNS1", "01RUNS2", "01RUNS3"]
            shown.append(await checked(client, task_ids=ids, wait_for="any", wait_seconds=45))

        group.start_soon(wait)
        await service.waiting.wait()
        service.move("01RUNS2", **DONE)
    assert [row["state"] for row in rows(shown[0])] == ["running", "succeeded", "running"]
    assert "'task_ids': ['01RUNS1', '01RUNS3']" in str(shown[0]["next"])


async def test_waiting_for_any_does_not_wait_where_one_has_ended_already() -> None:
    async with connected(a_service((), running=1)) as client:
        shown = await checked(client, task_ids=["01DONE1", "01RUNS1"], wait_for="any", wait_seconds=45)
    assert shown["unfinished"] == 1


async def test_waiting_for_all_ends_with_the_last() -> None:
    service = a_service(running=2)
    shown: list[Document] = []
    async with connected(service) as client, anyio.create_task_group() as group:

        async def wait() -> None:
            shown.append(await checked(client, task_ids=["01RUNS1", "01RUNS2"], wait_seconds=45))

        group.start_soon(wait)
        await service.waiting.wait()
        service.move("01RUNS1", **DONE)
        await anyio.lowlevel.checkpoint()
        assert not shown
        service.move("01RUNS2", **DONE)
    assert shown[0]["unfinished"] == 0


async def test_an_id_that_is_none_does_not_hide_the_others() -> None:
    async with connected(a_service(())) as client:
        shown = await checked(client, task_ids=["01DONE1", "01NOBODY"])
        none = await checked(client, task_ids=["01NOBODY"])
    assert len(rows(shown)) == 1
    assert rows(shown, "errors")[0]["task_id"] == "01NOBODY"
    assert "not_found" in str(none["error"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "task_id is required, or task_ids"),
        ({"task_id": "01DONE1", "task_ids": ["01DONE1"]}, "not both"),
        ({"task_ids": [f"01T{n}" for n in range(21)]}, "at most 20"),
        ({"task_ids": ["01DONE1"], "job_id": "j"}, "job_id needs task_id"),
    ],
)
async def test_a_call_names_one_task_or_a_list(arguments: dict[str, object], said: str) -> None:
    async with connected(a_service(())) as client:
        result = await client.call_tool("check_task", arguments)
    assert said in str(result)


async def test_four_variations_are_seen_in_one_grid_numbered_with_seed_and_model(tmp_path: Path) -> None:
    colours = (RED, GREEN, BLUE, RED)
    outputs = [(an_image(tmp_path / f"{n}.png", (640, 360), colour),) for n, colour in enumerate(colours)]
    async with connected(a_service(*outputs)) as client:
        picture, text = await seen(client, task_ids=[f"01DONE{n}" for n in (1, 2, 3, 4)])
    assert max(picture.size) <= 1024
    corners = [(picture.width * x // 4, picture.height * y // 4) for y in (1, 3) for x in (1, 3)]
    for at, colour in zip(corners, colours, strict=True):
        assert all(abs(got - want) < 40 for got, want in zip(picture.convert("RGB").getpixel(at), colour, strict=True))  # type: ignore[arg-type]
    lines = text.splitlines()[1:]
    assert [line.split(".")[0] for line in lines] == [f"{n}: seed {n}, fox-1" for n in (1, 2, 3, 4)]
    assert "task 01DONE3: image 640x360" in lines[2]


async def test_every_output_of_a_task_is_in_the_grid_or_the_one_that_is_asked_for(tmp_path: Path) -> None:
    made = tuple(an_image(tmp_path / f"{n}.png", (64, 64)) for n in range(3))
    async with connected(a_service(made)) as client:
        _, every = await seen(client, task_ids=["01DONE1"])
        _, second = await seen(client, task_ids=["01DONE1"], index=2)
    assert len(every.splitlines()) == 4
    assert "Output 2 of 3" in second and len(second.splitlines()) == 2


async def test_videos_and_sounds_stand_beside_each_other_and_what_is_missing_is_said(tmp_path: Path) -> None:
    video = a_video(tmp_path / "v.mp4", [RED, GREEN, BLUE], size=(64, 36))
    gone = an_image(tmp_path / "gone.png", (64, 64))
    (tmp_path / "gone.png").unlink()
    async with connected(a_service((video,), (a_sound(tmp_path / "s.wav", 0.2),), (gone,), running=1)) as client:
        picture, text = await seen(client, task_ids=["01DONE1", "01DONE2", "01DONE3", "01RUNS1"])
    assert picture.width > 100
    assert "3: seed 3" in text and "Not shown: The kept file is gone" in text
    assert "Without an output: task 01RUNS1 is running." in text


async def test_a_grid_of_nothing_is_refused() -> None:
    async with connected(a_service(running=2)) as client:
        result = await client.call_tool("view_output", {"task_ids": ["01RUNS1", "01RUNS2"]})
    assert "There is no output to look at" in str(result)
