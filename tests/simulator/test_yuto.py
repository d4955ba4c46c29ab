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


async def end_of(yuto: Caller, prompt: str) -> JsonObject:
    task_id = await create(yuto, prompt)
    return [await look(yuto, task_id) for _ in range(3)][-1]


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


async def test_the_colon_of_an_id_may_be_percent_encoded(yuto: Caller) -> None:
    task_id = await create(yuto, "a cat")
    assert (await look(yuto, task_id.replace(":", "%3A")))["task_id"] == task_id


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


@pytest.mark.parametrize(
    ("form", "fields"),
    [("output", {"output"}), ("outputs", {"outputs"}), ("both", {"output", "outputs"}), ("with-empty", None)],
)
async def test_outputs_stand_in_one_field_or_the_other(yuto: Caller, form: str, fields: set[str] | None) -> None:
    data = (await end_of(yuto, f"[outputs:2][output-fields:{form}]"))["data"]
    if fields is None:
        assert (at(data, "output"), at(data, "outputs", 0)) == ("", "")
        assert text_at(data, "outputs", 1).startswith("http")
    else:
        assert keys_of(data) == fields


async def test_a_success_can_hold_its_address_in_fail_reason(yuto: Caller) -> None:
    done = await end_of(yuto, "[fail-reason-url]")
    assert (done["status"], done["data"]) == ("SUCCESS", {})
    assert text_at(done, "fail_reason").startswith("http")


async def test_a_failure_is_free_text(yuto: Caller) -> None:
    failed = await end_of(yuto, "[content_violation]")
    chinese = await end_of(yuto, "[fail-chinese]")
    assert (failed["status"], failed["data"]) == ("FAILURE", {})
    assert "policy" in text_at(failed, "fail_reason")
    assert "违规" in text_at(chinese, "fail_reason")


@pytest.mark.parametrize(
    ("form", "value"), [("plain", "100"), ("number", 100), ("empty", ""), ("null", None), ("wild", "4000%")]
)
async def test_progress_comes_in_many_forms(yuto: Caller, form: str, value: JsonValue) -> None:
    assert (await end_of(yuto, f"[progress-form:{form}]"))["progress"] == value


async def test_a_task_can_be_wrapped(yuto: Caller) -> None:
    wrapped = await end_of(yuto, "[wrapped]")
    assert (wrapped["code"], wrapped["message"], at(wrapped, "data", "status")) == ("success", "", "SUCCESS")
    assert text_at(wrapped, "data", "data", "output").startswith("http")


async def test_an_id_can_be_a_uuid_and_a_start_unset(yuto: Caller) -> None:
    task_id = await create(yuto, "[uuid-id][start-time-zero][polls:0]")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", task_id)
    assert (await look(yuto, task_id))["start_time"] == 0


@pytest.mark.parametrize(
    ("word", "status", "path"),
    [
        ("no-quota-403", 403, ("error", "code")),
        ("no-channel", 503, ("error", "message")),
        ("upstream-busy", 429, ("error", "message")),
        ("message-only", 400, ("message",)),
        ("error-text", 500, ("error",)),
        ("fail-reason-only", 400, ("fail_reason",)),
        ("in-body-error", 200, ("message",)),
    ],
)
async def test_errors_have_the_shapes_of_the_family(
    yuto: Caller, gateways: RunningGateways, word: str, status: int, path: tuple[str, ...]
) -> None:
    answer = await yuto.post("/v2/videos/generations", {**BODY, "prompt": f"[{word}]"})
    assert answer.status_code == status
    assert text_at(answer.json(), *path)
    assert await gateways.jobs() == []


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
