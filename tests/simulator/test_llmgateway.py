"""LLMGateway as its pages and its source say."""

import base64

import httpx
import pytest
from pydantic import JsonValue

from tests.gateways.client import RunningGateways

from .caller import Caller, JsonObject, at, keys_of, text_at

pytestmark = pytest.mark.anyio

BODY: JsonObject = {
    "prompt": "A cinematic drone shot flying through a neon-lit futuristic city at night",
    "seconds": 8,
}
IMAGE = "https://example.com/1.png"
VIDEOS: list[JsonValue] = ["https://example.com/1.mp4"]


def images(count: int) -> list[JsonValue]:
    return list[JsonValue]([IMAGE] * count)


@pytest.fixture
def llmgateway(gateways: RunningGateways) -> Caller:
    return Caller(gateways, "llmgateway")


async def create(llmgateway: Caller, prompt: str, **fields: JsonValue) -> str:
    answer = await llmgateway.post("/v1/videos", {**BODY, "prompt": prompt, **fields})
    assert answer.status_code == 200
    return text_at(answer.json(), "id")


async def look(llmgateway: Caller, video_id: str) -> JsonObject:
    answer = await llmgateway.get(f"/v1/videos/{video_id}")
    assert answer.status_code == 200
    content: JsonObject = answer.json()
    return content


async def end_of(llmgateway: Caller, prompt: str) -> JsonObject:
    return await look(llmgateway, await create(llmgateway, f"[polls:0]{prompt}"))


def error_of(answer: httpx.Response) -> JsonObject:
    error = at(answer.json(), "error")
    assert keys_of(error) == {"message", "type", "param", "code"}
    assert isinstance(error, dict)
    return error


async def test_a_video_is_made_and_its_content_wants_the_key(llmgateway: Caller, gateways: RunningGateways) -> None:
    answer = await llmgateway.post("/v1/videos", BODY)
    video = answer.json()
    assert keys_of(video) == {
        "id", "object", "model", "status", "progress", "created_at", "completed_at", "expires_at", "error",
    }  # fmt: skip
    assert (at(video, "object"), at(video, "model"), at(video, "status")) == (
        "video",
        "veo-3.1-generate-preview",
        "queued",
    )
    video_id = text_at(video, "id")
    assert (await llmgateway.get(f"/v1/videos/{video_id}/content")).status_code == 409
    looks = [await look(llmgateway, video_id) for _ in range(3)]
    assert [seen["status"] for seen in looks] == ["queued", "in_progress", "completed"]
    assert [seen["progress"] for seen in looks] == [0, 66, 100]
    without_key = await gateways.http.get(f"{llmgateway.base_url}/v1/videos/{video_id}/content")
    content = await llmgateway.get(f"/v1/videos/{video_id}/content")
    assert (without_key.status_code, content.status_code) == (401, 200)
    assert (content.headers["content-type"], content.content[4:8]) == ("video/mp4", b"ftyp")
    assert await gateways.violations() == []


async def test_the_signed_address_needs_no_key_and_is_signed_anew(
    llmgateway: Caller, gateways: RunningGateways
) -> None:
    done = await end_of(llmgateway, "a cat")
    url = text_at(done, "content", 0, "url")
    assert (at(done, "content", 0, "mime_type"), "/v1/videos/logs/" in url) == ("video/mp4", True)
    assert (await gateways.http.get(url)).content[4:8] == b"ftyp"
    assert (await gateways.http.get(url[:-1])).status_code == 401
    assert await gateways.violations() == []
    await gateways.http.get(url, headers={"Authorization": f"Bearer {llmgateway.key}"})
    assert [found.kind for found in await gateways.violations()] == ["key-elsewhere"]


async def test_a_part_of_the_content_can_be_asked_for(llmgateway: Caller, gateways: RunningGateways) -> None:
    done = await end_of(llmgateway, "a cat")
    url = f"{llmgateway.base_url}/v1/videos/{done['id']}/content"
    headers = {"x-api-key": llmgateway.key, "Range": "bytes=4-7"}
    part = await gateways.http.get(url, headers=headers)
    assert (part.status_code, part.content) == (206, b"ftyp")


REFUSED: list[JsonObject] = [
    {"seconds": "8"},
    {"seconds": 7},
    {"seconds": 0},
    {"size": "640x480"},
    {"size": "848x480"},
    {"n": 2},
    {"prompt": ""},
    {"model": "veo-9"},
    {"last_frame": IMAGE},
    {"image": "http://example.com/1.png"},
    {"image": IMAGE, "reference_images": images(1)},
    {"reference_images": images(4)},
    {"reference_images": images(1), "seconds": 4},
    {"input_reference": IMAGE, "reference_images": images(1)},
    {"model": "veo-3.1-fast-generate-preview", "reference_images": images(1)},
    {"reference_videos": VIDEOS},
    {"callback_url": "https://example.com/hook"},
    {"model": "kling-v3-0-turbo", "seconds": 5, "audio": False},
    {"image": None},
]


@pytest.mark.parametrize("change", REFUSED)
async def test_what_the_gateway_does_not_take_is_a_400_before_any_charge(
    llmgateway: Caller, gateways: RunningGateways, change: JsonObject
) -> None:
    answer = await llmgateway.post("/v1/videos", BODY | change)
    assert (answer.status_code, error_of(answer)["type"]) == (400, "invalid_request_error")
    assert "refused-field" in {found.kind for found in await gateways.violations()}
    assert await gateways.jobs() == []


TAKEN: list[JsonObject] = [
    {"model": "google-vertex/veo-3.1-generate-preview", "size": "1080x1920"},
    {"image": IMAGE, "last_frame": {"image_url": "data:image/png;base64,AAAA"}},
    {"reference_images": images(3)},
    {"input_reference": images(1)},
    {"model": "seedance-2-0", "reference_images": images(9), "reference_videos": VIDEOS},
    {"callback_url": "https://example.com/hook", "callback_secret": "x"},
    {"model": "openai/sora-2", "input_reference": IMAGE},
]


@pytest.mark.parametrize("change", TAKEN)
async def test_what_the_pages_allow_is_taken(llmgateway: Caller, gateways: RunningGateways, change: JsonObject) -> None:
    answer = await llmgateway.post("/v1/videos", BODY | change)
    assert (answer.status_code, await gateways.violations()) == (200, [])


@pytest.mark.parametrize(
    ("word", "status", "kind", "text"),
    [
        ("no-credits", 402, "billing_error", "credits"),
        ("safety-403", 403, "permission_denied", "content filter"),
        ("bad-key-403", 403, "permission_denied", "API key"),
        ("spend-cap-429", 429, "rate_limit_exceeded", "spend limit"),
        ("retired-model", 410, "gone", "deactivated"),
        ("overloaded", 529, "overloaded", "Overloaded"),
    ],
)
async def test_a_refusal_is_in_the_openai_envelope(
    llmgateway: Caller, gateways: RunningGateways, word: str, status: int, kind: str, text: str
) -> None:
    answer = await llmgateway.post("/v1/videos", {**BODY, "prompt": f"[{word}]"})
    assert (answer.status_code, error_of(answer)["type"]) == (status, kind)
    assert text in text_at(error_of(answer), "message")
    assert ("retry-after" in answer.headers) == (word == "overloaded")
    assert await gateways.jobs() == []


async def test_images_come_as_base64_and_a_filtered_request_as_an_empty_list(
    llmgateway: Caller, gateways: RunningGateways
) -> None:
    made = (await llmgateway.post("/v1/images/generations", {"prompt": "a cat", "n": 2})).json()
    filtered = await llmgateway.post("/v1/images/generations", {"prompt": "[content_violation]"})
    assert keys_of(made) == {"created", "data", "usage"}
    contents = [base64.b64decode(text_at(made, "data", index, "b64_json")) for index in range(2)]
    assert [content[:4] for content in contents] == [b"\x89PNG"] * 2
    assert (filtered.status_code, at(filtered.json(), "data")) == (200, [])
    assert [job.phase for job in await gateways.jobs()] == ["succeeded", "failed"]


async def test_edits_take_json_images_and_no_mask(llmgateway: Caller, gateways: RunningGateways) -> None:
    edit: JsonObject = {"prompt": "bluer", "images": [{"image_url": IMAGE}], "output_format": "webp"}
    done = await llmgateway.post("/v1/images/edits", edit)
    assert base64.b64decode(text_at(done.json(), "data", 0, "b64_json")).startswith(b"RIFF")
    assert await gateways.violations() == []
    await llmgateway.post("/v1/images/edits", edit | {"mask": IMAGE})
    assert [found.detail for found in await gateways.violations()] == ["mask"]


@pytest.mark.parametrize(
    ("model", "asked", "content_type"),
    [
        ("eleven-v3", "mp3", "audio/mpeg"),
        ("gemini-2.5-flash-tts", "wav", "audio/wav"),
        ("gemini-2.5-flash-tts", None, "audio/wav"),
        ("qwen3-tts", "wav", "audio/wav"),
    ],
)
async def test_speech_is_bytes(llmgateway: Caller, model: str, asked: str | None, content_type: str) -> None:
    body: JsonObject = {"model": model, "input": "Hello", "voice": "Kore"}
    answer = await llmgateway.post("/v1/audio/speech", body | ({"response_format": asked} if asked else {}))
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    assert len(answer.content) > 1000


async def test_models_say_what_they_make_and_for_how_long(llmgateway: Caller) -> None:
    model = at((await llmgateway.get("/v1/models", no_training="true")).json(), "data", 0)
    assert text_at(model, "id") == "veo-3.1-generate-preview"
    assert at(model, "architecture", "output_modalities") == ["video"]
    assert at(model, "per_request_limits", "max_video_duration_seconds") == "10"


async def test_every_answer_carries_the_rate_limit(llmgateway: Caller) -> None:
    answer = await llmgateway.get("/v1/models")
    assert {"ratelimit-policy", "ratelimit-limit", "ratelimit-remaining"} <= set(answer.headers)
