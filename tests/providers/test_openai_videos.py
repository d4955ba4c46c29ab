"""Other servers with the format of `/v1/videos`: from OpenAI's reference and client, and what other servers make of it.

`providers/facts/openai-videos.toml` names the sources.
"""

import json
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP

import httpx
import pytest
from pydantic import JsonValue

from rushes.domain.errors import ConfigurationError, RequestRefused
from rushes.domain.job import Observation

from .replies import Gateway, always, job, make_format, plan_of, provider, reply
from .requests import PNG, held, linked, request


def look(body: dict[str, JsonValue], headers: dict[str, str] | None = None, **options: JsonValue) -> Observation:
    answer = reply({"id": "v", **body}, headers=headers)
    return make_format("openai-videos", **options).observation(job("v"), answer)


def test_seconds_are_a_string_by_default_and_an_integer_where_switched() -> None:
    asked = request(duration_seconds=8, aspect_ratio="9:16")
    assert plan_of("openai-videos", asked, "sora-2").body == {
        "model": "sora-2",
        "prompt": "a red fox",
        "seconds": "8",
        "size": "720x1280",
    }
    assert plan_of("openai-videos", asked, "sora-2", seconds="integer").body["seconds"] == 8


def test_nothing_but_prompt_and_model_is_sent_unasked() -> None:
    assert plan_of("openai-videos", request(), "my-model").body == {"model": "my-model", "prompt": "a red fox"}


@pytest.mark.parametrize("options", [{"encoding": "xml"}, {"seconds": 8}, {"download": "ftp"}])
def test_a_switch_with_a_wrong_value_is_a_configuration_error(options: dict[str, JsonValue]) -> None:
    with pytest.raises(ConfigurationError, match="it can be"):
        make_format("openai-videos", **options)


def parts_of(sent: httpx.Request) -> dict[str, Message]:
    head = b"content-type: " + sent.headers["content-type"].encode() + b"\r\n\r\n"
    message = BytesParser(policy=HTTP).parsebytes(head + sent.content)
    parts = list(message.iter_parts())
    return {str(part.get_param("name", header="content-disposition")): part for part in parts}


@pytest.mark.anyio
async def test_vllm_omni_gets_a_form_with_the_picture_as_a_file() -> None:
    gateway = always(json={"id": "v_1", "status": "queued", "created_at": 1})
    made = provider("openai-videos", gateway, encoding="multipart")
    facts = made.unlisted_model("wan", "video")
    assert facts is not None
    options: JsonValue = {"num_inference_steps": 20}
    plan = made.plan(request("video", held("image"), duration_seconds=4, provider_options=options), facts)
    submission = await made.submit(plan)
    assert submission.job.job_id == "v_1"
    (sent,) = gateway.requests
    assert sent.headers["content-type"].startswith("multipart/form-data; boundary=")
    parts = parts_of(sent)
    texts = {name: part.get_payload() for name, part in parts.items() if name != "input_reference"}
    assert texts == {"model": "wan", "prompt": "a red fox", "seconds": "4", "num_inference_steps": "20"}
    picture = parts["input_reference"]
    assert picture.get_filename() == "input_reference.png"
    assert picture.get_content_type() == "image/png"
    assert picture.get_payload(decode=True) == PNG


@pytest.mark.anyio
async def test_a_picture_by_url_goes_into_a_form_as_a_json_reference() -> None:
    gateway = always(json={"id": "v_1"})
    made = provider("openai-videos", gateway, encoding="multipart")
    facts = made.unlisted_model("wan", "video")
    assert facts is not None
    await made.submit(made.plan(request("video", linked("image")), facts))
    reference = parts_of(gateway.requests[0])["image_reference"].get_payload()
    assert json.loads(str(reference)) == {"image_url": "https://example.com/a.png"}


def test_a_picture_in_json_is_a_url_or_a_data_url() -> None:
    asked = request("video", linked("image"))
    assert plan_of("openai-videos", asked, "wan").body["input_reference"] == "https://example.com/a.png"
    data = plan_of("openai-videos", request("video", held("image")), "wan").body["input_reference"]
    assert str(data).startswith("data:image/png;base64,")


@pytest.mark.parametrize("word", ["processing", "unknown", "in_progress"])
def test_words_of_litellm_and_new_api_mean_running(word: str) -> None:
    assert look({"status": word}).state == "running"


@pytest.mark.parametrize(
    "body",
    [{"metadata": {"url": "https://cdn.example/v.mp4"}}, {"url": "https://cdn.example/v.mp4"}],
)
def test_a_url_in_the_finished_job_is_the_output(body: dict[str, JsonValue]) -> None:
    (output,) = look({"status": "completed", **body}).outputs
    assert (output.url, output.authenticated) == ("https://cdn.example/v.mp4", False)
    assert (output.fallback_url, output.expires_at) == ("/v1/videos/v/content", None)
    (output,) = look({"status": "completed", **body}, download="url").outputs
    assert (output.url, output.fallback_url) == ("https://cdn.example/v.mp4", None)
    (output,) = look({"status": "completed", **body}, download="content").outputs
    assert (output.url, output.authenticated) == ("/v1/videos/v/content", True)


def test_without_a_url_the_content_endpoint_is_asked_unless_switched_off() -> None:
    (output,) = look({"status": "completed"}).outputs
    assert (output.url, output.authenticated) == ("/v1/videos/v/content", True)
    assert look({"status": "completed"}, download="url").state == "running"


def test_the_servers_wish_for_the_next_look_is_honoured() -> None:
    headers = {"openai-poll-after-ms": "2500"}
    assert look({"status": "queued"}, headers).poll_after_seconds == 2.5
    plan = plan_of("openai-videos", request(), "sora-2")
    accepted = make_format("openai-videos").submission(plan, reply({"id": "v", "status": "queued"}, headers=headers))
    assert accepted.observation.poll_after_seconds == 2.5


def test_whether_a_failed_job_is_charged_is_unknown_here() -> None:
    seen = look({"status": "failed", "error": {"code": "x", "message": "boom"}})
    assert seen.failure is not None
    assert seen.failure.charged == "unknown"


def test_new_api_tells_an_unknown_id_with_http_400_and_an_unsupported_channel_with_501() -> None:
    wire = make_format("openai-videos")
    body: JsonValue = {"code": "task_not_exist", "message": "task_not_exist", "data": None}
    fault = wire.fault(reply(body, 400), submitting=False)
    assert fault is not None
    assert fault.reason == "not_found"
    quota: JsonValue = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    fault = wire.fault(reply(quota, 429), submitting=True)
    assert fault is not None
    assert fault.reason == "insufficient_credits"
    fault = wire.fault(reply({"error": {"message": "not_implemented"}}, 501), submitting=True)
    assert fault is not None
    assert fault.reason == "unsupported"


def test_images_from_text_and_speech_have_openais_paths() -> None:
    assert plan_of("openai-videos", request("image", count=2), "my-image").path == "/v1/images/generations"
    assert plan_of("openai-videos", request("audio"), "my-voice").path == "/v1/audio/speech"
    with pytest.raises(RequestRefused, match="from text only"):
        plan_of("openai-videos", request("image", linked("input_image")), "my-image")


@pytest.mark.anyio
async def test_a_server_without_a_key_gets_no_authorization() -> None:
    gateway = Gateway(lambda sent: httpx.Response(200, json={"id": "v"}))
    made = provider("openai-videos", gateway, key=None)
    facts = made.unlisted_model("wan", "video")
    assert facts is not None
    await made.submit(made.plan(request(), facts))
    assert "authorization" not in gateway.requests[0].headers
    assert await made.refresh_models() is None
