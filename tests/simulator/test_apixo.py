"""APIXO as its page of veo-3-1 prints it."""

import json

import pytest

from tests.gateways.client import RunningGateways

from .caller import Caller, JsonObject, at, keys_of, text_at

pytestmark = pytest.mark.anyio

CREATE = "/api/v1/generateTask/veo-3-1"
STATUS = "/api/v1/statusTask/veo-3-1"


@pytest.fixture
def apixo(gateways: RunningGateways) -> Caller:
    return Caller(gateways, "apixo")


def text_to_video(prompt: str) -> JsonObject:
    return {
        "request_type": "async",
        "input": {"mode": "quality", "prompt": prompt, "generationType": "TEXT_2_VIDEO", "aspect_ratio": "16:9"},
    }


async def task(apixo: Caller, prompt: str) -> str:
    answer = await apixo.post(CREATE, text_to_video(prompt))
    assert answer.status_code == 200
    assert keys_of(answer.json()) == {"code", "message", "data"}
    return text_at(answer.json(), "data", "taskId")


async def look(apixo: Caller, task_id: str) -> JsonObject:
    answer = await apixo.get(STATUS, taskId=task_id)
    assert (answer.status_code, at(answer.json(), "code"), at(answer.json(), "message")) == (200, 200, "success")
    data = at(answer.json(), "data")
    assert isinstance(data, dict)
    return data


async def end_of(apixo: Caller, task_id: str) -> JsonObject:
    for _ in range(6):
        data = await look(apixo, task_id)
        if data["state"] in ("success", "failed"):
            return data
    raise AssertionError("no end after six looks")


async def test_a_task_goes_from_pending_over_processing_to_a_video_in_a_json_string(
    apixo: Caller, gateways: RunningGateways
) -> None:
    task_id = await task(apixo, "a cinematic flyover of a futuristic city at sunrise")
    states = [(await look(apixo, task_id))["state"] for _ in range(2)]
    data = await look(apixo, task_id)
    assert (*states, data["state"]) == ("pending", "processing", "success")
    assert set(data) == {"taskId", "state", "resultJson", "createTime", "completeTime", "costTime"}
    assert isinstance(data["createTime"], int)
    assert data["createTime"] > 10**12
    url = text_at(json.loads(text_at(data, "resultJson")), "resultUrls", 0)
    media = await gateways.http.get(url)
    assert (media.status_code, media.headers["content-type"]) == (200, "video/mp4")
    assert media.content[4:8] == b"ftyp"
    assert await gateways.violations() == []
    assert [(fetch.job_id, fetch.authorization) for fetch in await gateways.fetches()] == [(task_id, "absent")]


async def test_a_content_violation_is_a_successful_answer_with_a_failed_state(apixo: Caller) -> None:
    data = await end_of(apixo, await task(apixo, "[content_violation]"))
    assert {name: data[name] for name in ("state", "failCode", "failMsg")} == {
        "state": "failed",
        "failCode": "CONTENT_VIOLATION",
        "failMsg": "Content does not meet safety guidelines",
    }
    assert "resultJson" not in data


@pytest.mark.parametrize(
    ("word", "status", "code", "message"),
    [
        ("no-credits", 400, 400, "Insufficient credits"),
        ("no-credits-402", 402, 402, "Insufficient balance"),
        ("in-body-error", 200, 400, "Insufficient credits"),
        ("safety-403", 403, 403, "Content violates policy"),
        ("bad-key-403", 403, 403, "API key lacks permission"),
        ("rate-limit", 429, 429, "Rate limit exceeded"),
        ("http:503", 503, 503, "Service unavailable"),
    ],
)
async def test_a_refusal_has_the_page_s_envelope_and_creates_no_job(
    apixo: Caller, gateways: RunningGateways, word: str, status: int, code: int, message: str
) -> None:
    answer = await apixo.post(CREATE, text_to_video(f"a cat [{word}]"))
    assert answer.status_code == status
    assert answer.json() == {"code": code, "message": message, "data": None}
    assert await gateways.jobs() == []


async def test_a_wrong_key_and_none_are_401(apixo: Caller, gateways: RunningGateways) -> None:
    wrong = await apixo.post(CREATE, text_to_video("x"), Authorization="Bearer wrong")
    absent = await gateways.http.post(apixo.base_url + CREATE, json=text_to_video("x"))
    assert (wrong.status_code, absent.status_code) == (401, 401)
    assert wrong.json() == {"code": 401, "message": "Invalid or missing API Key", "data": None}
    assert [entry.authorization for entry in await gateways.requests()] == ["invalid", "absent"]


REFERENCE: JsonObject = {
    "mode": "fast",
    "prompt": "x",
    "generationType": "REFERENCE_2_VIDEO",
    "aspect_ratio": "16:9",
    "image_urls": ["https://example.com/1.jpg"],
}


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "quality"},
        {"aspect_ratio": "9:16"},
        {"image_urls": ["https://example.com/1.jpg"] * 4},
        {"image_urls": []},
        {"generationType": "FIRST_AND_LAST_FRAMES_2_VIDEO", "image_urls": ["https://example.com/1.jpg"] * 3},
        {"generationType": "TEXT_2_VIDEO"},
        {"prompt": "x" * 10_001},
        {"seed": "1"},
        {"seed": None},
    ],
)
async def test_what_the_page_forbids_is_refused_and_recorded(
    apixo: Caller, gateways: RunningGateways, change: JsonObject
) -> None:
    accepted = await apixo.post(CREATE, {"input": REFERENCE})
    refused = await apixo.post(CREATE, {"input": REFERENCE | change})
    assert (accepted.status_code, refused.status_code) == (200, 400)
    assert text_at(refused.json(), "message").startswith("Invalid parameters")
    assert "refused-field" in {found.kind for found in await gateways.violations()}
    assert len(await gateways.jobs()) == 1


async def test_an_undocumented_field_is_ignored_but_recorded(apixo: Caller, gateways: RunningGateways) -> None:
    body = text_to_video("a cat") | {"webhook": "https://example.com/hook"}
    assert (await apixo.post(CREATE, body)).status_code == 200
    assert [(found.kind, found.detail) for found in await gateways.violations()] == [("unknown-field", "webhook")]


async def test_the_model_is_needed_to_poll(apixo: Caller) -> None:
    task_id = await task(apixo, "a cat")
    answer = await apixo.get("/api/v1/statusTask/kling-2-1", taskId=task_id)
    assert answer.json() == {"code": 404, "message": "Task not found", "data": None}


async def test_the_balance_is_a_plain_number(apixo: Caller) -> None:
    answer = await apixo.get("/api/v1/apikeys/current-balance")
    assert answer.json() == {"code": 200, "message": "success", "data": 74.87}
