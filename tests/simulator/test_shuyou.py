"""Shuyou as its pages print it."""

import pytest
from pydantic import JsonValue

from tests.gateways.client import RunningGateways

from .caller import Caller, JsonObject, at, keys_of, text_at

pytestmark = pytest.mark.anyio

CREATE = "/v1/predictions"
VEO = "veo-3.1-generate-preview"


@pytest.fixture
def shuyou(gateways: RunningGateways) -> Caller:
    return Caller(gateways, "shuyou")


def body(prompt: str, model: str = VEO, function: str = "video", **inputs: JsonValue) -> JsonObject:
    return {"model": model, "function": function, "input": {"prompt": prompt, **inputs}}


async def create(shuyou: Caller, prompt: str, model: str = VEO, function: str = "video", **inputs: JsonValue) -> str:
    answer = await shuyou.post(CREATE, body(prompt, model, function, **inputs))
    assert (answer.status_code, keys_of(answer.json())) == (200, {"data"})
    assert keys_of(at(answer.json(), "data")) == {"task_id", "task_status"}
    assert at(answer.json(), "data", "task_status") == "processing"
    return text_at(answer.json(), "data", "task_id")


async def look(shuyou: Caller, task_id: str) -> JsonObject:
    answer = await shuyou.get(f"{CREATE}/{task_id}")
    assert answer.status_code == 200
    assert "X-ShuYou-RequestId" in answer.headers
    content: JsonObject = answer.json()
    return content


async def test_a_look_has_the_envelope_that_a_create_has_not(shuyou: Caller, gateways: RunningGateways) -> None:
    task_id = await create(shuyou, "a cat", duration=8, aspect_ratio="16:9", resolution="720P", generate_audio=False)
    looks = [await look(shuyou, task_id) for _ in range(3)]
    assert [at(seen, "data", "task_status") for seen in looks] == ["processing", "processing", "success"]
    assert set(looks[0]) == {"code", "data", "request_id"}
    assert set(looks[-1]) == {"code", "data", "request_id", "usage"}
    assert looks[-1]["code"] == "0"
    assert (at(looks[-1], "usage", "cost"), at(looks[-1], "usage", "discount_percent")) == (0.8, 0.75)
    assert at(looks[-1], "data", "output", 0, "type") == "video"
    url = text_at(looks[-1], "data", "output", 0, "video")
    assert "?e=" in url
    assert "&token=" in url
    assert (await gateways.http.get(url)).content[4:8] == b"ftyp"
    assert await gateways.violations() == []


@pytest.mark.parametrize(
    ("model", "function", "inputs", "magic"),
    [
        ("gemini-2.5-flash-image", "image", {"num_images": 2, "image_urls": []}, b"\x89PNG"),
        ("gpt-image-2", "image", {"output_format": "jpeg", "n": 1}, b"\xff\xd8"),
        ("speech-2.8-hd", "audio", {"voice": "x", "format": "wav"}, b"RIFF"),
        ("gemini-3.1-flash-tts-preview", "audio", {"output_format": "ogg_opus"}, b"OggS"),
    ],
)
async def test_images_and_audio_come_under_a_key_named_after_their_type(
    shuyou: Caller, gateways: RunningGateways, model: str, function: str, inputs: JsonObject, magic: bytes
) -> None:
    done = await look(shuyou, await create(shuyou, "[polls:0]", model, function, **inputs))
    url = text_at(done, "data", "output", 0, function)
    assert (await gateways.http.get(url)).content.startswith(magic)
    assert await gateways.violations() == []


REFUSALS = [
    ("no-credits", 402, "insufficient_credit"),
    ("quote-exceeded", 402, "quote_exceeded"),
    ("bad-key-403", 403, "access_denied"),
    ("safety-403", 403, "safety_check_failed"),
    ("unknown-model", 404, "invalid_model"),
    ("prompt-too-long", 413, "invalid_params"),
    ("unprocessable", 422, "provider_unprocessable_entity_error"),
    ("rate-limit", 429, "rate_limit"),
    ("no-provider", 502, "no_provider_available"),
    ("provider-timeout", 524, "provider_internal_server_error"),
]


@pytest.mark.parametrize(("word", "status", "kind"), REFUSALS)
async def test_a_refusal_has_its_status_as_text_and_its_type(
    shuyou: Caller, gateways: RunningGateways, word: str, status: int, kind: str
) -> None:
    answer = await shuyou.post(CREATE, body(f"[{word}]"))
    assert answer.status_code == status
    assert keys_of(at(answer.json(), "error")) == {"code", "type", "message"}
    assert (at(answer.json(), "error", "code"), at(answer.json(), "error", "type")) == (str(status), kind)
    assert await gateways.jobs() == []


async def test_a_bad_key_is_a_403_and_other_headers_carry_it_too(shuyou: Caller, gateways: RunningGateways) -> None:
    wrong = await shuyou.post(CREATE, body("a cat"), Authorization="Bearer wrong")
    other = await gateways.http.get(shuyou.base_url + "/v1/credits", headers={"x-api-key": shuyou.key})
    assert (wrong.status_code, at(wrong.json(), "error", "type")) == (403, "access_denied")
    assert keys_of(at(other.json(), "data")) == {"total_credits", "total_usage", "balance"}


BAD_INPUTS: list[JsonObject] = [
    {"duration": 5},
    {"duration": 8.0},
    {"resolution": "720p"},
    {"aspect_ratio": "1:1"},
    {"reference_image_urls": list[JsonValue](["https://example.com/1.png"] * 4)},
    {"first_frame_url": "data:image/png;base64,AAAA"},
    {"generate_audio": "yes"},
    {"seed": 1},
]


@pytest.mark.parametrize("inputs", BAD_INPUTS)
async def test_input_that_the_model_page_does_not_allow_is_recorded_and_refused_if_wrong(
    shuyou: Caller, gateways: RunningGateways, inputs: JsonObject
) -> None:
    answer = await shuyou.post(CREATE, {"model": VEO, "function": "video", "input": {"prompt": "a cat", **inputs}})
    kind = "unknown-field" if "seed" in inputs else "refused-field"
    assert answer.status_code == (200 if kind == "unknown-field" else 400)
    assert [found.kind for found in await gateways.violations()] == [kind]


async def test_models_are_listed_with_milliseconds(shuyou: Caller) -> None:
    listing = (await shuyou.get("/v1/models")).json()
    assert at(listing, "object") == "list"
    created = at(listing, "data", 0, "created")
    assert isinstance(created, int)
    assert created > 10**12
