"""The unified `/v2/{scope}/generations` format as its page prints it, and as its family varies it."""

import re

import pytest
from pydantic import JsonValue

from tests.gateways.client import RunningGateways

from .caller import Caller, JsonObject, at, keys_of, text_at

pytestmark = pytest.mark.anyio

BODY: JsonObject = {"prompt": "A cat surfing in sunset, cinematic", "model": "veo3"}


@pytest.fixture
def yuto(gateways: RunningGateways) -> Caller:
    return Caller(gateways, "yuto")


async def create(yuto: Caller, prompt: str, scope: str = "videos", **fields: JsonValue) -> str:
    answer = await yuto.post(f"/v2/{scope}/generations", {**BODY, "prompt": prompt, **fields})
    assert (answer.status_code, keys_of(answer.json())) == (200, {"task_id"})
    return text_at(answer.json(), "task_id")


async def look(yuto: Caller, task_id: str, scope: str = "videos") -> JsonObject:
    answer = await yuto.get(f"/v2/{scope}/generations/{task_id}")
    assert answer.status_code == 200
    content: JsonObject = answer.json()
    return content


async def test_a_task_is_as_the_page_s_example(yuto: Caller, gateways: RunningGateways) -> None:
    task_id = await create(yuto, "A cat surfing in sunset, cinematic")
    assert re.fullmatch(r"veo3:\d{10}-\w{10}", task_id)
    looks = [await look(yuto, task_id) for _ in range(3)]
    assert set(looks[0]) == {
        "task_id", "platform", "action", "status", "fail_reason", "submit_time", "start_time", "finish_time",
        "progress", "data", "search_item",
    }  # fmt: skip
    assert [seen["status"] for seen in looks] == ["NOT_START", "IN_PROGRESS", "SUCCESS"]
    assert [seen["progress"] for seen in looks] == ["0%", "66%", "100%"]
    assert (looks[0]["start_time"], looks[0]["finish_time"]) == (0, 0)
    assert isinstance(looks[-1]["finish_time"], int)
    assert 10**9 < looks[-1]["finish_time"] < 10**10
    media = await gateways.http.get(text_at(looks[-1], "data", "output"))
    assert media.content[4:8] == b"ftyp"
    assert await gateways.violations() == []


@pytest.mark.parametrize(("scope", "magic"), [("images", b"\x89PNG"), ("audio", b"ID3")])
async def test_the_other_scopes_make_their_media(
    yuto: Caller, gateways: RunningGateways, scope: str, magic: bytes
) -> None:
    task_id = await create(yuto, "[polls:0]", scope, model="some-model")
    content = (await gateways.http.get(text_at(await look(yuto, task_id, scope), "data", "output"))).content
    assert content.startswith(magic)


async def test_a_task_is_unknown_in_another_scope(yuto: Caller) -> None:
    answer = await yuto.get(f"/v2/images/generations/{await create(yuto, 'a cat')}")
    assert (answer.status_code, answer.json()) == (
        400,
        {"code": "task_not_exist", "message": "task_not_exist", "data": None},
    )


async def test_a_wrong_key_is_401_in_new_api_s_form(yuto: Caller) -> None:
    answer = await yuto.post("/v2/videos/generations", BODY, Authorization="Bearer wrong")
    assert (answer.status_code, at(answer.json(), "error", "type")) == (401, "new_api_error")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"prompt": ""}, "refused-field"),
        ({"aspect_ratio": "1:1"}, "refused-field"),
        ({"videos": ["data:video/mp4;base64,AAAA"]}, "refused-field"),
        ({"size": ""}, "empty-field"),
        ({"negative_prompt": "dogs"}, "unknown-field"),
    ],
)
async def test_what_a_careful_client_would_not_send_is_recorded(
    yuto: Caller, gateways: RunningGateways, change: JsonObject, kind: str
) -> None:
    answer = await yuto.post("/v2/videos/generations", BODY | change)
    assert answer.status_code == (400 if kind == "refused-field" else 200)
    assert kind in {found.kind for found in await gateways.violations()}
