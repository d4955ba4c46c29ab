"""A task can be made again, and with a change: `arguments`, `from_task` and `without`."""

from decimal import Decimal

import pytest
from mcp import Client
from mcp_types import CallToolResult
from pydantic import TypeAdapter

from rushes.domain.job import Cost
from rushes.domain.request import MediaInput
from rushes.domain.secret_options import masked
from rushes.tasks.service import MediaSource

from ..server.clients import Document, connected, document
from .fake_service import FakeService, record

pytestmark = pytest.mark.anyio

TASK = "01KABCDEFGHJKMNPQRSTVWXYZ0"
FRAME = MediaInput(
    role="image", source="task:T#1 (image/png, 9 bytes)", given="task:T#1", sha256="ab", url="https://x.example/1"
)
LOST = MediaInput(role="image", source="data URL (image/png, 9 bytes)", sha256="cd")


def a_task(*media: MediaInput, prompt: str = "a fox in the snow", **fields: object) -> FakeService:
    """A service with one finished video task."""
    service = FakeService()
    asked = {"kind": "video", "prompt": prompt, "duration_seconds": 5, "aspect_ratio": "9:16", "media": media}
    done: dict[str, object] = {"task_id": TASK, "state": "succeeded", "phase": "done", "open": False}
    request = {**asked, **TypeAdapter(Document).validate_python(fields.pop("asked", {}))}
    service.put(record(**{**done, "request": request, **fields}))
    return service


def inside(shown: Document, name: str) -> Document:
    """An object in an answer."""
    return TypeAdapter(Document).validate_python(shown[name])


def told(shown: Document) -> str:
    return " ".join(TypeAdapter(list[str]).validate_python(shown.get("warnings") or []))


async def called(client: Client, tool: str, **arguments: object) -> Document:
    return document(await client.call_tool(tool, arguments))


async def test_check_task_tells_the_call_that_makes_it_again() -> None:
    service = a_task(FRAME, plan_details={"seed": 94322710}, named_provider="gateway", output_name="fox")
    async with connected(service) as client:
        shown = await called(client, "check_task", task_id=TASK)
    assert shown["arguments"] == {
        "prompt": "a fox in the snow",
        "model": "fox-1",
        "provider": "gateway",
        "duration_seconds": 5.0,
        "aspect_ratio": "9:16",
        "seed": 94322710,
        "image": "task:T#1",
        "output_name": "fox",
    }


async def test_a_model_that_was_named_stays_the_one_that_was_named() -> None:
    async with connected(a_task(asked={"model": "veo-3.1"}, model="google/veo-3.1")) as client:
        shown = await called(client, "check_task", task_id=TASK)
    assert inside(shown, "arguments")["model"] == "veo-3.1"


async def test_a_long_prompt_is_cut_where_it_is_said_and_whole_where_it_is_asked_for() -> None:
    prompt = "fox " * 1000
    async with connected(a_task(prompt=prompt)) as client:
        cut = await called(client, "check_task", task_id=TASK)
        whole = await called(client, "check_task", task_id=TASK, text_characters=4000)
    assert inside(cut, "arguments")["prompt"] == prompt[:2000]
    assert "arguments.prompt is cut at 2000 of 4000" in told(cut)
    assert inside(whole, "arguments")["prompt"] == prompt
    assert told(whole) == ""


async def test_long_options_are_left_out_and_said_to_be() -> None:
    async with connected(a_task(asked={"provider_options": {"mode": "x" * 5000}})) as client:
        shown = await called(client, "check_task", task_id=TASK)
    assert "provider_options" not in inside(shown, "arguments")
    assert "arguments.provider_options is left out" in told(shown)


async def test_media_that_came_as_bytes_are_said_to_be_missing() -> None:
    async with connected(a_task(LOST)) as client:
        shown = await called(client, "check_task", task_id=TASK)
    assert "image" not in inside(shown, "arguments")
    assert "arguments lack image" in told(shown)


async def test_a_list_tells_duration_ratio_seed_and_cost_of_each_task() -> None:
    async with connected(a_task(asked={"seed": 7}, cost=Cost(amount=Decimal("0.4")))) as client:
        listed = await called(client, "list_tasks")
    (row,) = TypeAdapter(list[Document]).validate_python(listed["tasks"])
    assert row["arguments"] == {"seed": 7, "duration_seconds": 5.0, "aspect_ratio": "9:16"}
    assert row["cost"] == {"amount": 0.4, "currency": "USD"}


async def test_from_task_changes_what_is_given_and_keeps_the_rest() -> None:
    service = a_task(FRAME, asked={"seed": 7})
    async with connected(service) as client:
        await called(client, "generate_video", from_task=TASK, prompt="a fox in the rain", aspect_ratio=None)
    (wish,) = service.wishes
    assert (wish.request.prompt, wish.request.seed, wish.request.aspect_ratio) == ("a fox in the rain", 7, "9:16")
    assert (wish.request.duration_seconds, wish.request.model, wish.from_task) == (5.0, "fox-1", TASK)
    assert wish.media == (MediaSource("image", "task:T#1"),)


async def test_from_task_alone_needs_no_prompt() -> None:
    service = a_task()
    async with connected(service) as client:
        await called(client, "generate_video", from_task=f"task:{TASK.lower()}#1")
    assert service.wishes[0].request.prompt == "a fox in the snow"


async def test_without_takes_arguments_away() -> None:
    service = a_task(FRAME, asked={"seed": 7})
    async with connected(service) as client:
        await called(client, "generate_video", from_task=TASK, without=["seed", "image"])
    assert (service.wishes[0].request.seed, service.wishes[0].media) == (None, ())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"without": ["sead"]}, "no argument (did you mean 'seed'?)"),
        ({"without": ["seed"], "seed": 3}, "do one of the two"),
    ],
)
async def test_what_without_cannot_do_is_refused(arguments: Document, said: str) -> None:
    service = a_task(asked={"seed": 7})
    async with connected(service) as client:
        shown = await called(client, "generate_video", from_task=TASK, **arguments)
    assert said in str(shown["failure"])
    assert service.wishes == []


async def test_without_needs_a_task_and_a_call_without_either_needs_a_prompt() -> None:
    async with connected(FakeService()) as client:
        alone = await called(client, "generate_video", prompt="x", without=["seed"])
        empty = await called(client, "generate_video")
    assert "without needs from_task" in str(alone["failure"])
    assert "rompt is required" in str(empty["failure"])


async def test_a_task_of_another_kind_is_not_repeated_and_the_way_on_is_told() -> None:
    async with connected(a_task()) as client:
        shown = await called(client, "generate_image", from_task=TASK)
    assert "made video, not image" in str(shown["failure"])
    assert f"task:{TASK}#1" in str(shown["failure"])


async def test_an_input_that_nobody_kept_has_to_be_given_again_or_left_out() -> None:
    service = a_task(LOST)
    async with connected(service) as client:
        refused = await called(client, "generate_video", from_task=TASK)
        await called(client, "generate_video", from_task=TASK, image="https://x.example/2.png")
        await called(client, "generate_video", from_task=TASK, without=["image"], force_new=True)
    assert "not kept" in str(refused["failure"])
    assert [wish.media for wish in service.wishes] == [(MediaSource("image", "https://x.example/2.png"),), ()]


async def test_an_unknown_task_costs_nothing() -> None:
    async with connected(FakeService()) as client:
        result = await client.call_tool("generate_video", {"from_task": TASK})
    assert isinstance(result, CallToolResult)
    shown = document(result)
    assert result.is_error
    assert inside(shown, "failure")["charged"] == "no"


async def test_check_task_tells_what_a_task_comes_from_and_what_came_of_it() -> None:
    service = a_task(parents=("01PARENT",))
    service.put(record(task_id="01CHILD", parents=(TASK,)))
    async with connected(service) as client:
        shown = await called(client, "check_task", task_id=TASK)
        alone = await called(client, "check_task", task_id="01CHILD")
    assert (shown["parents"], shown["children"]) == (["01PARENT"], ["01CHILD"])
    assert "children" not in alone


async def test_a_secret_among_the_options_is_not_repeated() -> None:
    service = a_task(asked={"provider_options": masked({"callback_secret": "hush"})})
    async with connected(service) as client:
        shown = await called(client, "check_task", task_id=TASK)
        refused = await called(client, "generate_video", from_task=TASK)
        await called(client, "generate_video", from_task=TASK, provider_options={"callback_secret": "new"})
    assert "arguments lack provider_options" in told(shown)
    assert "with a secret, which are not kept" in str(refused["failure"])
    assert service.wishes[0].request.provider_options == {"callback_secret": "new"}
