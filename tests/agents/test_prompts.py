"""The prompts write calls that a dry run takes, with each single key and with all of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp import Client
from mcp_types import TextContent
from pydantic import JsonValue, TypeAdapter

from ..server.clients import connected, document
from ..tasks.engines import an_engine
from .keys import KEYS, configured

pytestmark = pytest.mark.anyio

Arguments = dict[str, JsonValue]
ARGUMENTS = TypeAdapter(Arguments)
_CALL = re.compile(r"\b(generate_\w+)\((\{.*\})\)")
_LINK = "https://media.example/made.png"
_PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAf"
    "FcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


async def prompt_of(client: Client, name: str, **arguments: str) -> str:
    message = (await client.get_prompt(name, arguments)).messages[0]
    assert isinstance(message.content, TextContent)
    return message.content.text


def calls_in(text: str) -> Iterator[tuple[str, Arguments]]:
    """The calls to generate that a prompt writes, in order."""
    for tool, arguments in _CALL.findall(text):
        yield tool, ARGUMENTS.validate_python(json.loads(arguments))


def with_media(arguments: Arguments, medium: str) -> Arguments:
    """Outputs to come, as they are once they are made."""
    text = re.sub(r"task:<[^>]*>#\d+", medium, json.dumps(arguments))
    return {**ARGUMENTS.validate_python(json.loads(text)), "dry_run": True}


async def refused_of(client: Client, text: str) -> list[str]:
    """The calls of a prompt that a dry run refuses. A picture from an endpoint that answers with it has no address."""
    refused: list[str] = []
    medium = _LINK
    for tool, arguments in calls_in(text):
        shown = document(await client.call_tool(tool, with_media(arguments, medium)))
        if "payload" not in shown:
            refused.append(f"{tool} {arguments}: {shown}")
        elif tool == "generate_image":
            medium = _PIXEL if shown["provider"] == "llmgateway" else _LINK
    return refused


@pytest.mark.parametrize("keys", [*KEYS, "none"])
@pytest.mark.parametrize(("aspect_ratio", "seconds"), [("16:9", "5"), ("9:16", "8"), ("1:1", "12")])
async def test_each_call_of_a_storyboard_passes_a_dry_run(
    tmp_path: Path, keys: str, aspect_ratio: str, seconds: str
) -> None:
    async with an_engine(tmp_path, *configured(KEYS.get(keys, ()))) as engine, connected(engine) as client:
        text = await prompt_of(client, "storyboard", brief="a fox", aspect_ratio=aspect_ratio, seconds=seconds)

        assert await refused_of(client, text) == []
        assert [tool for tool, _ in calls_in(text)].count("generate_video") == 1


@pytest.mark.parametrize("keys", [*KEYS, "none"])
@pytest.mark.parametrize("kind", ["video", "image", "audio"])
async def test_each_call_of_a_comparison_passes_a_dry_run(tmp_path: Path, keys: str, kind: str) -> None:
    async with an_engine(tmp_path, *configured(KEYS.get(keys, ()))) as engine, connected(engine) as client:
        text = await prompt_of(client, "compare_models", prompt="Good evening. I am a fox.", kind=kind)

        assert await refused_of(client, text) == []
        written = [arguments["model"] for _, arguments in calls_in(text)]
        if keys == "all five":
            assert len(written) == 3
        elif not written:
            assert (keys, kind) in {
                (gateway, made) for gateway in ("routeany", "yuto") for made in ("image", "audio")
            } | {("apixo", "audio")}


async def test_a_storyboard_begins_with_a_character_sheet_has_sound_waits_once_and_ends_in_a_film(
    tmp_path: Path,
) -> None:
    async with an_engine(tmp_path, *configured(KEYS["all five"])) as engine, connected(engine) as client:
        text = await prompt_of(client, "storyboard", brief="a fox", shots="2")

    tools = [tool for tool, _ in calls_in(text)]
    assert tools == ["generate_image", "generate_image", "generate_video", "generate_audio"]
    _, frame, shot, score = [arguments for _, arguments in calls_in(text)]
    assert frame["images"] == ["task:<task_id of the character sheet>#1"]
    assert (shot["image"], shot["audio"]) == ("task:<task_id of the first frame>#1", True)
    assert score["purpose"] == "music"
    assert "paid calls that is (6)" in text
    assert "Then wait once for all of it." in text
    assert '"wait_for": "all"' in text
    assert '"shots": ["task:<task_id of shot 1>#1", "task:<task_id of shot 2>#1"]' in text


async def test_where_no_image_model_is_usable_the_character_is_written_in_words(tmp_path: Path) -> None:
    async with an_engine(tmp_path, *configured(KEYS["yuto"])) as engine, connected(engine) as client:
        text = await prompt_of(client, "storyboard", brief="a fox", shots="2")

    assert "describe the character in words" in text
    assert "No configured provider makes music or speech" in text
    assert "paid calls that is (2)" in text


async def test_a_named_model_that_cannot_be_compared_is_left_out_with_the_reason(tmp_path: Path) -> None:
    async with an_engine(tmp_path, *configured(KEYS["shuyou"])) as engine, connected(engine) as client:
        text = await prompt_of(
            client, "compare_models", prompt="a fox", kind="video", models="veo-3.1, happyhorse-1.0-i2v"
        )
        nothing = await prompt_of(client, "compare_models", prompt="a fox", kind="video", models="happyhorse-1.0-i2v")

    assert [arguments["model"] for _, arguments in calls_in(text)] == ["veo-3.1"]
    assert "Left out: happyhorse-1.0-i2v: happyhorse-1.0-i2v on shuyou does not generate from text" in text
    assert nothing.startswith("No model can be compared on this prompt: happyhorse-1.0-i2v")
