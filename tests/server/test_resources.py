"""Resources, their templates and completion, and prompts, as an MCP client reads them."""

import io
import json
import re
from base64 import b64decode
from pathlib import Path

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    BlobResourceContents,
    PromptReference,
    ResourceTemplateReference,
    TextContent,
    TextResourceContents,
)
from PIL import Image

from rushes.domain.job import RemoteOutput
from rushes.domain.model_facts import ModelFacts
from rushes.domain.record import Output
from rushes.domain.request import Kind
from rushes.server.mcp.resources import SMALL_BYTES
from rushes.tasks.service import ModelOffer
from rushes.tools import ANSWER_TEMPLATE, OUTPUT_TEMPLATE, TASK_TEMPLATE

from ..previews.media_files import BLUE, GREEN, RED, a_sound, a_video, an_image
from ..tools.fake_service import FakeService, record
from .clients import ERAS, connected, document

pytestmark = pytest.mark.anyio
every_era = pytest.mark.parametrize("era", ERAS)

DONE: dict[str, object] = {"state": "succeeded", "phase": "done", "open": False}


def offering(*names: str, kind: Kind = "image") -> FakeService:
    service = FakeService()
    facts = [ModelFacts(id=name, name=name, kind=kind, source="test") for name in names]
    service.offers = [ModelOffer(each.name, kind, (("gateway", each, "keyless" not in each.name),)) for each in facts]
    return service


async def text_of(client: Client, uri: str) -> str:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, TextResourceContents)
    assert content.mime_type == "application/json"
    return content.text


async def bytes_of(client: Client, uri: str) -> tuple[bytes, str | None]:
    (content,) = (await client.read_resource(uri)).contents
    assert isinstance(content, BlobResourceContents)
    return b64decode(content.blob), content.mime_type


@every_era
async def test_resources_and_templates_are_listed(era: str) -> None:
    async with connected(FakeService(), era) as client:
        resources = (await client.list_resources()).resources
        templates = (await client.list_resource_templates()).resource_templates

    assert "rushes://models" in [str(resource.uri) for resource in resources]
    assert [template.uri_template for template in templates] == [TASK_TEMPLATE, ANSWER_TEMPLATE, OUTPUT_TEMPLATE]
    assert all(resource.title and resource.description for resource in resources)
    assert all(template.title and template.description for template in templates)


@every_era
async def test_a_task_reads_as_check_task_shows_it_with_its_times_to_the_millisecond(era: str) -> None:
    service = FakeService()
    service.put(record())
    async with connected(service, era) as client:
        shown = document(await client.call_tool("check_task", {"task_id": "01TASK"}))
        read = json.loads(await text_of(client, "rushes://tasks/01TASK"))
    assert {**read, "created_at": re.sub(r"\.\d{3}Z$", "Z", read["created_at"])} == shown
    assert re.fullmatch(r".*\.\d{3}Z", read["created_at"])


@every_era
async def test_small_media_read_as_they_are_with_their_own_type(era: str, tmp_path: Path) -> None:
    outputs = (
        an_image(tmp_path / "fox.png", (64, 64)),
        a_video(tmp_path / "fox.mp4", [RED]),
        a_sound(tmp_path / "fox.wav", 0.5),
    )
    service = FakeService()
    service.put(record(**DONE, outputs=outputs))
    async with connected(service, era) as client:
        for index, output in enumerate(outputs, start=1):
            assert output.path is not None
            read = await bytes_of(client, f"rushes://tasks/01TASK/outputs/{index}")
            assert read == (Path(output.path).read_bytes(), output.mime_type)


async def test_large_media_read_as_a_preview(tmp_path: Path) -> None:
    video = a_video(tmp_path / "fox.mp4", [RED, GREEN, BLUE])
    path = tmp_path / "fox.mp4"
    # A box of ISO 14496-12 that players pass over.
    padding = (SMALL_BYTES + 8).to_bytes(4, "big") + b"free" + bytes(SMALL_BYTES)
    path.write_bytes(path.read_bytes() + padding)
    service = FakeService()
    service.put(record(**DONE, outputs=(video,)))
    async with connected(service) as client:
        data, mime_type = await bytes_of(client, "rushes://tasks/01TASK/outputs/1")

    assert mime_type == "image/jpeg"
    assert max(Image.open(io.BytesIO(data)).size) <= 1024


@every_era
@pytest.mark.parametrize("uri", ["rushes://tasks/01NONE", "rushes://tasks/01NONE/outputs/1", "rushes://nothing"])
async def test_a_resource_that_is_not_there_is_not_found(uri: str, era: str) -> None:
    async with connected(FakeService(), era) as client:
        with pytest.raises(MCPError) as caught:
            await client.read_resource(uri)

    assert caught.value.code in {-32602, -32002}


@every_era
@pytest.mark.parametrize(
    ("index", "said"),
    [("2", "there is no 2"), ("0", "counted from 1"), ("x", "counted from 1"), ("²", "counted from 1")],
)
async def test_an_output_that_a_task_has_not_is_not_found(index: str, said: str, era: str) -> None:
    service = FakeService()
    service.put(record(**DONE, outputs=(Output(remote=RemoteOutput(url="https://cdn.example/a")),)))
    async with connected(service, era) as client:
        with pytest.raises(MCPError, match=said) as caught:
            await client.read_resource(f"rushes://tasks/01TASK/outputs/{index}")

    assert caught.value.code in {-32602, -32002}


async def test_an_output_that_is_not_kept_says_so() -> None:
    service = FakeService()
    service.put(record(**DONE, outputs=(Output(remote=RemoteOutput(url="https://cdn.example/a")),)))
    async with connected(service) as client:
        with pytest.raises(MCPError, match="not kept"):
            await client.read_resource("rushes://tasks/01TASK/outputs/1")


async def test_the_models_read_as_a_list() -> None:
    async with connected(offering("fox-1")) as client:
        assert json.loads(await text_of(client, "rushes://models"))["models"][0]["name"] == "fox-1"


async def test_the_arguments_of_the_templates_are_completed() -> None:
    service = FakeService()
    service.put(record(task_id="01AAA"))
    service.put(record(task_id="01ABB", **DONE, outputs=(Output(), Output())))
    reference = ResourceTemplateReference(uri=OUTPUT_TEMPLATE)
    async with connected(service) as client:
        ids = await client.complete(reference, {"name": "task_id", "value": "01ab"})
        all_ids = await client.complete(reference, {"name": "task_id", "value": ""})
        indexes = await client.complete(reference, {"name": "index", "value": ""}, {"task_id": "01ABB"})
        nowhere = await client.complete(reference, {"name": "index", "value": ""}, {"task_id": "01NONE"})
        nothing = await client.complete(reference, {"name": "index", "value": ""})
        unknown = await client.complete(
            ResourceTemplateReference(uri="x://{task_id}"), {"name": "task_id", "value": ""}
        )

    assert ids.completion.values == ["01ABB"]
    assert all_ids.completion.values == ["01ABB", "01AAA"]
    assert indexes.completion.values == ["1", "2"]
    assert nowhere.completion.values == nothing.completion.values == unknown.completion.values == []


@pytest.mark.parametrize(
    ("prompt", "argument", "typed", "given", "values"),
    [
        ("compare_models", "kind", "V", {}, ["video"]),
        ("storyboard", "aspect_ratio", "16", {}, ["16:9"]),
        ("storyboard", "model", "", {}, []),
        ("storyboard", "brief", "a", {}, []),
        ("compare_models", "models", "fo", {"kind": "image"}, ["fox-1", "fox-2"]),
        ("compare_models", "models", "fox-1,fo", {"kind": "image"}, ["fox-1,fox-2"]),
        ("compare_models", "models", "x, fox-1 ,fo", {"kind": "image"}, ["x, fox-1 ,fox-2"]),
        ("storyboard", "kind", "", {}, []),
        ("storybord", "aspect_ratio", "16", {}, []),
        ("compare_models", "models", "", {"kind": "video"}, []),
    ],
)
async def test_the_arguments_of_the_prompts_are_completed(
    prompt: str, argument: str, typed: str, given: dict[str, str], values: list[str]
) -> None:
    async with connected(offering("fox-1", "fox-2")) as client:
        found = await client.complete(PromptReference(name=prompt), {"name": argument, "value": typed}, given)

    assert found.completion.values == values


async def prompt_of(client: Client, name: str, **arguments: str) -> str:
    (message,) = (await client.get_prompt(name, arguments)).messages
    assert isinstance(message.content, TextContent)
    return message.content.text


@every_era
async def test_the_prompts_are_listed_with_their_arguments(era: str) -> None:
    async with connected(FakeService(), era) as client:
        prompts = (await client.list_prompts()).prompts

    assert {prompt.name: [each.name for each in prompt.arguments or []] for prompt in prompts} == {
        "storyboard": ["brief", "shots", "aspect_ratio", "seconds", "model"],
        "compare_models": ["prompt", "kind", "models", "seed"],
    }
    assert all(prompt.title and prompt.description for prompt in prompts)


@every_era
async def test_a_storyboard_holds_the_brief_and_the_calls_to_make(era: str) -> None:
    async with connected(FakeService(), era) as client:
        text = await prompt_of(client, "storyboard", brief="a fox crosses a city", shots="3", model="veo-3.1")
        plain = await prompt_of(client, "storyboard", brief="a fox crosses a city")

    assert "a fox crosses a city" in text
    assert "storyboard of 3 shots" in text
    assert '"image": "task:<task_id of the first frame>#1"' in text
    assert '"model": "veo-3.1"' in text
    assert "paid calls that is (8)" in text
    assert text.index("character sheet") < text.index('"images": ["task:<task_id of the character sheet>#1"]')
    assert '"model"' not in plain


@every_era
async def test_an_argument_left_blank_is_one_not_given(era: str) -> None:
    blank = dict.fromkeys(["shots", "aspect_ratio", "seconds", "model"], "")
    async with connected(offering("fox-1"), era) as client:
        board = await prompt_of(client, "storyboard", brief="a fox", **blank)
        assert board == await prompt_of(client, "storyboard", brief="a fox")
        compared = await prompt_of(client, "compare_models", prompt="a fox", kind=" ", models="", seed="")
        assert compared == await prompt_of(client, "compare_models", prompt="a fox", kind="Image")


@every_era
async def test_a_comparison_holds_one_call_a_model(era: str) -> None:
    async with connected(offering("fox-1", "fox-2", "fox-3", "fox-4", "keyless-1"), era) as client:
        named = await prompt_of(client, "compare_models", prompt="a fox", kind="image", models="fox-2, other , fox-2")
        chosen = await prompt_of(client, "compare_models", prompt="a fox")

    assert 'generate_image({"prompt": "a fox", "model": "fox-2", "seed": 1})' in named
    assert named.count("generate_image(") == 2
    assert [f'"fox-{n}"' in chosen for n in (1, 2, 3, 4)] == [True, True, True, False]


@every_era
@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("storyboard", {"brief": "a fox", "shots": "99"}, "shots must be at most 12, not '99'"),
        ("storyboard", {}, "brief"),
        ("storyboard", {"brief": "a fox", "takes": "3"}, "takes is not an argument of this prompt."),
        ("storyboard", {"brief": " \n"}, "brief must not be empty"),
        ("storyboard", {"brief": "a fox", "seconds": "inf"}, "seconds must be a finite number"),
        ("storyboard", {"brief": "a fox", "aspect_ratio": "roundish"}, "aspect_ratio must be W:H"),
        ("storybord", {"brief": "a fox"}, "storybord"),
    ],
)
async def test_a_wrong_prompt_or_argument_is_refused_in_plain_words(
    name: str, arguments: dict[str, str], said: str, era: str
) -> None:
    async with connected(FakeService(), era) as client:
        with pytest.raises(MCPError) as caught:
            await client.get_prompt(name, arguments)

    assert caught.value.code == -32602
    assert said in caught.value.message
