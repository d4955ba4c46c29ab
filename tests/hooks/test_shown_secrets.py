"""A secret that is handed on, as an agent and a host see its task: in no answer, argument, resource, page or error."""

import logging

import pytest
from mcp import Client
from pydantic import JsonValue, TypeAdapter

from ..gateways.client import RunningGateways
from ..server.clients import Document, connected, document
from .houses import a_house
from .test_secrets import OWN, SECRET

pytestmark = pytest.mark.anyio


async def test_no_answer_resource_or_error_shows_it_and_the_task_is_made_again_only_with_it_given_again(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    asked: dict[str, JsonValue] = {
        "prompt": "[polls:0] [look-after:0.05] a fox",
        "provider": "llmgateway",
        "model": "veo-3.1",
        "provider_options": OWN,
    }

    async def called(client: Client, tool: str, **arguments: object) -> Document:
        answer = await client.call_tool(tool, arguments)
        said.append(answer.model_dump_json())
        return document(answer)

    async with a_house(gateways, monkeypatch, "llmgateway") as house, connected(house.engine) as client:
        await called(client, "generate_video", **asked, dry_run=True)
        made = await called(client, "generate_video", **asked, wait_seconds=20)
        task_id = made["task_id"]
        checked = await called(client, "check_task", task_id=task_id)
        await called(client, "list_tasks")
        said.append((await client.read_resource(f"rushes://tasks/{task_id}")).model_dump_json())
        again = await called(client, "generate_video", from_task=task_id, force_new=True)
        given = await called(
            client, "generate_video", from_task=task_id, provider_options=OWN, force_new=True, wait_seconds=20
        )
    assert checked["state"] == "succeeded"
    assert "callback_secret" not in str(checked["arguments"])
    failure = TypeAdapter(Document).validate_python(again["failure"])
    assert (failure["reason"], failure["charged"]) == ("invalid_input", "no")
    assert "provider_options" in str(failure["message"])
    assert "with a secret" in str(failure["message"])
    assert given["state"] == "succeeded"
    assert len(await gateways.jobs()) == 2
    assert SECRET not in "".join(said) + caplog.text
