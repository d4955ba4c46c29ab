"""The same wire formats at other services: Replicate, and OpenAI-style `/v1/videos` servers."""

import httpx
import pytest
from pydantic import JsonValue

from tests.gateways.client import RunningGateways

from .caller import Caller, JsonObject, at, keys_of, text_at

pytestmark = pytest.mark.anyio

PREDICTIONS = "/v1/models/google/veo-3.1/predictions"


@pytest.fixture
def replicate(gateways: RunningGateways) -> Caller:
    return Caller(gateways, "replicate")


@pytest.fixture
def openai(gateways: RunningGateways) -> Caller:
    return Caller(gateways, "openai")


async def predict(replicate: Caller, prompt: str) -> JsonObject:
    answer = await replicate.post(PREDICTIONS, {"input": {"prompt": f"[polls:0]{prompt}"}})
    assert answer.status_code == 201
    done: JsonObject = (await replicate.get(f"/v1/predictions/{text_at(answer.json(), 'id')}")).json()
    return done


async def test_replicate_s_error_is_a_string(replicate: Caller) -> None:
    failed = await predict(replicate, "[content_violation]")
    assert failed["status"] == "failed"
    assert isinstance(failed["error"], str)


@pytest.mark.parametrize(("form", "kind"), [("list", list), ("object", dict), ("nested", dict)])
async def test_replicate_s_output_is_any_json(replicate: Caller, form: str, kind: type) -> None:
    assert isinstance((await predict(replicate, f"[output-form:{form}]"))["output"], kind)


async def test_replicate_can_end_aborted(replicate: Caller) -> None:
    assert (await predict(replicate, "[aborted]"))["status"] == "aborted"


async def test_replicate_s_errors_are_details(replicate: Caller) -> None:
    throttled = await replicate.post(PREDICTIONS, {"input": {"prompt": "[rate-limit]"}})
    wrong = await replicate.post(PREDICTIONS, {"input": {"prompt": "x"}}, Authorization="Bearer wrong")
    invalid = await replicate.post(PREDICTIONS, {"input": {}})
    assert (throttled.status_code, throttled.json()) == (
        429,
        {"detail": "Request was throttled. Your rate limit resets in ~30s."},
    )
    assert (wrong.status_code, keys_of(wrong.json())) == (401, {"title", "detail", "status"})
    assert invalid.status_code == 422


async def test_replicate_takes_small_data_urls_only(replicate: Caller) -> None:
    for size, status in ((1000, 201), (300_000, 422)):
        image = "data:image/png;base64," + "A" * size
        answer = await replicate.post(PREDICTIONS, {"input": {"prompt": "x", "image": image}})
        assert answer.status_code == status


async def video(openai: Caller, prompt: str, **fields: JsonValue) -> str:
    answer = await openai.post("/v1/videos", {"model": "sora-2", "prompt": prompt, "seconds": "4", **fields})
    assert answer.status_code == 200
    return text_at(answer.json(), "id")


async def look(openai: Caller, video_id: str) -> JsonObject:
    content: JsonObject = (await openai.get(f"/v1/videos/{video_id}")).json()
    return content


async def as_form(openai: Caller, fields: dict[str, str], files: dict[str, bytes]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {openai.key}"}
    return await openai.gateways.http.post(
        f"{openai.base_url}/v1/videos", data=fields, files=files or {"unused": b""}, headers=headers
    )


async def test_an_openai_video_repeats_its_seconds_as_text(openai: Caller, gateways: RunningGateways) -> None:
    video_id = await video(openai, "a cat", size="1280x720")
    looks = [await look(openai, video_id) for _ in range(3)]
    assert [seen["status"] for seen in looks] == ["queued", "in_progress", "completed"]
    assert (looks[0]["seconds"], looks[0]["size"], looks[0]["object"]) == ("4", "1280x720", "video")
    content = await openai.get(f"/v1/videos/{video_id}/content", variant="video")
    assert (content.headers["content-type"], content.content[4:8]) == ("video/mp4", b"ftyp")
    assert await gateways.violations() == []


async def test_seconds_have_the_type_that_the_server_wants(openai: Caller, gateways: RunningGateways) -> None:
    body: JsonObject = {"model": "sora-2", "prompt": "a cat"}
    assert (await openai.post("/v1/videos", body | {"seconds": 4})).status_code == 400
    await gateways.set_behaviour("openai", "seconds-integer")
    assert (await openai.post("/v1/videos", body | {"seconds": 4})).status_code == 200
    assert (await openai.post("/v1/videos", body | {"seconds": "4"})).status_code == 400


async def test_a_form_is_taken_with_its_file_and_can_be_the_only_way(openai: Caller, gateways: RunningGateways) -> None:
    await gateways.set_behaviour("openai", "form-only")
    fields = {"model": "sora-2", "prompt": "a cat", "seconds": "4"}
    taken = await as_form(openai, fields, {"input_reference": b"\x89PNG"})
    refused = await openai.post("/v1/videos", dict(fields))
    assert (taken.status_code, refused.status_code) == (200, 422)
    (entry, _) = await gateways.requests("openai")
    assert text_at(entry.body, "input_reference").startswith("(file ")


async def test_a_record_can_be_minimal_and_begin_as_processing(openai: Caller, gateways: RunningGateways) -> None:
    await gateways.set_behaviour("openai", "minimal")
    await gateways.set_behaviour("openai", "processing")
    first = await look(openai, await video(openai, "a cat"))
    assert (set(first), first["status"]) == ({"id", "status", "created_at"}, "processing")


@pytest.mark.parametrize(("word", "path"), [("metadata-url", ("metadata", "url")), ("plain-url", ("url",))])
async def test_the_address_can_stand_in_the_record(
    openai: Caller, gateways: RunningGateways, word: str, path: tuple[str, ...]
) -> None:
    done = await look(openai, await video(openai, f"[polls:0][{word}]"))
    assert (await gateways.http.get(text_at(done, *path))).content[4:8] == b"ftyp"


@pytest.mark.parametrize(("word", "start"), [("content-json", "http://"), ("content-relative", "/openai/files/")])
async def test_the_content_can_be_an_address_in_json(openai: Caller, word: str, start: str) -> None:
    video_id = await video(openai, f"[polls:0][{word}]")
    await look(openai, video_id)
    content = await openai.get(f"/v1/videos/{video_id}/content")
    assert content.headers["content-type"] == "application/json"
    address = text_at(content.json(), "url")
    assert address.startswith(start)
    if word == "content-relative":
        assert (await openai.get(address.removeprefix("/openai"))).content[4:8] == b"ftyp"


async def test_the_content_can_be_elsewhere_or_nowhere(openai: Caller) -> None:
    moved, gone = await video(openai, "[polls:0][content-redirect]"), await video(openai, "[no-content-endpoint]")
    await look(openai, moved)
    answer = await openai.get(f"/v1/videos/{moved}/content")
    assert (answer.status_code, answer.headers["location"].startswith("http://")) == (302, True)
    assert (await openai.get(f"/v1/videos/{gone}/content")).status_code == 404


async def test_an_unknown_id_is_404_or_new_api_s_400(openai: Caller, gateways: RunningGateways) -> None:
    assert (await openai.get("/v1/videos/video_x")).status_code == 404
    await gateways.set_behaviour("openai", "task-not-exist")
    answer = await openai.get("/v1/videos/video_x")
    assert (answer.status_code, at(answer.json(), "code")) == (400, "task_not_exist")


async def test_a_video_is_listed_and_deleted(openai: Caller) -> None:
    video_id = await video(openai, "a cat")
    listing = (await openai.get("/v1/videos", limit="5")).json()
    assert at(listing, "data", 0, "id") == video_id
    headers = {"Authorization": f"Bearer {openai.key}"}
    deleted = await openai.gateways.http.delete(f"{openai.base_url}/v1/videos/{video_id}", headers=headers)
    assert deleted.json() == {"id": video_id, "object": "video.deleted", "deleted": True}


async def test_an_image_can_be_an_address(openai: Caller, gateways: RunningGateways) -> None:
    await gateways.set_behaviour("openai", "image-url")
    answer = await openai.post("/v1/images/generations", {"prompt": "a cat", "model": "gpt-image-1"})
    url = text_at(answer.json(), "data", 0, "url")
    assert (await gateways.http.get(url)).content.startswith(b"\x89PNG")
