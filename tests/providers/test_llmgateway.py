"""LLMGateway: from its own pages and open code, which `providers/facts/llmgateway.toml` names row by row."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import JsonValue

from rushes.domain.errors import RequestRefused
from rushes.domain.job import Observation, Plan
from rushes.domain.request import GenerationRequest
from rushes.providers.checks import check_request
from rushes.providers.format import Unintelligible
from rushes.providers.formats.sizes import COMMON_SIZES, sizes_for

from .replies import NOW, facts_of, job, make_format, plan_of, reply
from .requests import PNG, held, linked, request

WIRE = make_format("llmgateway")
VIDEO: dict[str, JsonValue] = {
    "id": "v_123",
    "object": "video",
    "model": "veo-3.1-generate-preview",
    "status": "queued",
    "progress": 0,
    "created_at": 1773600000,
    "completed_at": None,
    "expires_at": None,
    "error": None,
}


def checked(asked: GenerationRequest, model: str = "veo-3.1") -> Plan:
    check_request(asked, facts_of("llmgateway", model, asked.kind), "llmgateway")
    return plan_of("llmgateway", asked, model)


def look(**changes: JsonValue) -> Observation:
    return WIRE.observation(job("v_123"), reply({**VIDEO, **changes}))


def test_the_pages_example_with_seconds_as_an_integer() -> None:
    prompt = "A cinematic drone shot flying through a neon-lit futuristic city at night"
    plan = checked(request(prompt=prompt, duration_seconds=8.0))
    assert plan.path == "/v1/videos"
    assert plan.body == {"model": "veo-3.1-generate-preview", "prompt": prompt, "seconds": 8}
    assert type(plan.body["seconds"]) is int
    assert plan.asynchronous


def test_seconds_are_required_so_a_known_model_has_a_default_that_is_told() -> None:
    plan = checked(request())
    assert plan.body["seconds"] == 8
    assert plan.warnings == ("duration_seconds was not given; 8 is sent",)
    with pytest.raises(RequestRefused, match="needs duration_seconds"):
        checked(request(), "somebody/new-video")


def test_a_fraction_of_a_second_is_refused() -> None:
    with pytest.raises(RequestRefused, match="a whole number"):
        plan_of("llmgateway", request(duration_seconds=4.5), "somebody/new-video")


@pytest.mark.parametrize(
    ("inputs", "size"),
    [
        ({"aspect_ratio": "9:16"}, "720x1280"),
        ({"aspect_ratio": "16:9"}, "1280x720"),
        ({"resolution": "1080p"}, "1920x1080"),
        ({"resolution": "4K", "aspect_ratio": "9:16"}, "2160x3840"),
        ({"size": "1080x1920"}, "1080x1920"),
        ({"size": "1080x1920", "resolution": "1080p", "aspect_ratio": "9:16"}, "1080x1920"),
    ],
)
def test_aspect_ratio_and_resolution_become_a_size(inputs: dict[str, JsonValue], size: str) -> None:
    assert checked(request(**inputs)).body["size"] == size


def test_no_size_is_sent_when_none_was_asked_for() -> None:
    assert "size" not in checked(request()).body


@pytest.mark.parametrize(
    ("inputs", "model", "message"),
    [
        ({"size": "1280x720", "resolution": "1080p"}, "veo-3.1", "contradicts resolution 1080p"),
        ({"size": "640x480"}, "veo-3.1", "1280x720, 720x1280"),
        ({"aspect_ratio": "1:1"}, "veo-3.1", "16:9 or 9:16"),
        ({"aspect_ratio": "1:1"}, "somebody/new-video", "aspect_ratio 1:1 is not offered"),
        (
            {"duration_seconds": 7},
            "veo-3.1",
            "duration_seconds 7 is not offered by veo-3.1 on llmgateway: 4, 6, 8 or 10",
        ),
        ({"audio": False}, "kling-v3-turbo", "audio false is not offered"),
        ({"negative_prompt": "rain"}, "veo-3.1", "negative_prompt is not an input"),
        ({"count": 2}, "veo-3.1", "count is not an input"),
    ],
)
def test_what_the_gateway_would_refuse_is_refused_first(inputs: dict[str, JsonValue], model: str, message: str) -> None:
    given = inputs if "duration_seconds" in inputs else {**inputs, "duration_seconds": 10}
    with pytest.raises(RequestRefused, match=message):
        checked(request(**given), model)


@pytest.mark.parametrize(
    ("ratio", "resolution", "best"),
    [
        ("16:9", "480p", "848x480"),
        ("9:16", "480p", "480x854"),
        (None, "720p", "1280x720"),
        ("9:16", None, "720x1280"),
        ("16:9", "8k", None),
        ("x", None, None),
        ("0:0", None, None),
    ],
)
def test_sizes_of_a_model(ratio: str | None, resolution: str | None, best: str | None) -> None:
    sizes = ["848x480", "854x480", "480x854", "1280x720", "720x1280"]
    assert next(iter(sizes_for(sizes, ratio, resolution)), None) == best


def test_a_model_without_720p_gets_its_nearest_tier() -> None:
    assert sizes_for(["848x480", "1366x768"], "16:9", None) == ["1366x768"]
    assert sizes_for(["1792x1024"], "7:4", None) == ["1792x1024"]
    assert sizes_for(COMMON_SIZES, "16:9", "1080p") == ["1920x1080"]


def test_frames_are_urls_or_data_urls() -> None:
    plan = checked(request("video", held("image"), linked("last_frame"), duration_seconds=4, audio=False))
    assert plan.body == {
        "model": "veo-3.1-generate-preview",
        "prompt": "a red fox",
        "seconds": 4,
        "audio": False,
        "image": "data:image/png;base64," + base64.b64encode(PNG).decode(),
        "last_frame": "https://example.com/a.png",
    }


def test_references_of_every_kind() -> None:
    media = [
        linked("reference_image"),
        linked("reference_video", "https://e.x/v.mp4"),
        linked("reference_audio", "https://e.x/a.mp3"),
    ]
    body = checked(request("video", *media, duration_seconds=5), "seedance-2.0").body
    assert body["reference_images"] == ["https://example.com/a.png"]
    assert body["reference_videos"] == ["https://e.x/v.mp4"]
    assert body["reference_audios"] == ["https://e.x/a.mp3"]


@pytest.mark.parametrize(
    ("asked", "model", "message"),
    [
        (request("video", linked("last_frame")), "veo-3.1", "last_frame needs image"),
        (request("video", linked("image"), linked("reference_image")), "veo-3.1", "frames and references together"),
        (request("video", *[linked("reference_image")] * 4, duration_seconds=8), "veo-3.1", "at most 3"),
        (request("video", linked("reference_image"), duration_seconds=4), "veo-3.1", "from references: 8"),
        (request("video", linked("reference_image")), "veo-3.1-fast", "reference_images is not an input"),
        (request("video", linked("image")), "sora-2", "image is not an input"),
        (request("video", *[linked("reference_image")] * 2), "sora-2", "at most 1"),
        (request("video", linked("reference_video")), "veo-3.1", "reference_videos is not an input"),
        (request("video", held("reference_video", b"v", "video/mp4")), "seedance-2.0", "by https URL only"),
        (request("video", held("image", b"x" * 20_000_001)), "veo-3.1", "at most 20 MB"),
    ],
)
def test_combinations_that_the_gateway_does_not_take(asked: GenerationRequest, model: str, message: str) -> None:
    with pytest.raises(RequestRefused, match=message):
        checked(asked, model)


def test_up_to_nine_references_where_the_source_says_so() -> None:
    asked = request("video", *[linked("reference_image")] * 9, duration_seconds=5)
    references = checked(asked, "seedance-2.0").body["reference_images"]
    assert isinstance(references, list)
    assert len(references) == 9


def test_frames_and_references_exclude_each_other_for_unknown_models_too() -> None:
    asked = request("video", linked("image"), linked("reference_image"), duration_seconds=5)
    with pytest.raises(RequestRefused, match="exclude each other"):
        plan_of("llmgateway", asked, "somebody/new-video")


def test_an_upstream_may_stand_in_front_of_the_id() -> None:
    plan = checked(request(duration_seconds=8), "avalanche/veo-3.1-generate-preview")
    assert plan.body["model"] == "avalanche/veo-3.1-generate-preview"
    with pytest.raises(RequestRefused, match="4, 6, 8 or 10"):
        checked(request(duration_seconds=7), "avalanche/veo-3.1-generate-preview")


@pytest.mark.parametrize("options", [{"callback_url": "https://me.example"}, {"callback_secret": "s"}])
def test_callback_url_and_secret_go_together(options: dict[str, JsonValue]) -> None:
    with pytest.raises(RequestRefused, match="go together"):
        checked(request(provider_options=options))
    both: JsonValue = {"callback_url": "https://me.example", "callback_secret": "s"}
    assert checked(request(provider_options=both)).body["callback_secret"] == "s"


def test_the_answer_to_the_post_is_the_job() -> None:
    submission = WIRE.submission(checked(request()), reply(VIDEO))
    assert submission.job.job_id == "v_123"
    assert (submission.observation.state, submission.observation.progress) == ("queued", 0)
    assert WIRE.poll_call(job("v/1")).path == "/v1/videos/v%2F1"


@pytest.mark.parametrize(
    ("word", "state"),
    [("queued", "queued"), ("in_progress", "running"), ("processing", "running"), ("weird", "running")],
)
def test_states_before_the_end(word: str, state: str) -> None:
    seen = look(status=word, progress=42)
    assert (seen.state, seen.progress) == (state, 0.42)


@pytest.mark.parametrize("word", ["canceled", "cancelled"])
def test_cancelled_is_spelt_either_way_and_costs_nothing(word: str) -> None:
    seen = look(status=word)
    assert seen.failure is not None
    assert (seen.state, seen.failure.reason, seen.failure.charged) == ("cancelled", "cancelled", "no")


def test_a_finished_video_is_at_its_signed_url_with_the_content_endpoint_behind_it() -> None:
    url = "https://api.llmgateway.io/v1/videos/logs/1/content?token=abc"
    content: JsonValue = [{"type": "video", "url": url, "mime_type": "video/mp4"}]
    seen = look(status="completed", progress=100, content=content, usage={"cost": 0.4, "cost_details": {}})
    (output,) = seen.outputs
    assert (output.url, output.authenticated) == (url, False)
    assert output.fallback_url == "/v1/videos/v_123/content"
    assert output.expires_at == NOW + timedelta(days=7)
    assert seen.cost is not None
    assert (str(seen.cost.amount), seen.cost.currency) == ("0.4", "USD")


@pytest.mark.parametrize("content", [None, [], [{}], "odd"])
def test_without_a_signed_url_the_content_endpoint_gives_the_video_for_the_key(content: JsonValue) -> None:
    seen = look(status="completed", content=content, expires_at=1773700000)
    (output,) = seen.outputs
    assert (output.url, output.authenticated) == ("/v1/videos/v_123/content", True)
    assert output.expires_at == datetime.fromtimestamp(1773700000, UTC)


@pytest.mark.parametrize(
    ("changes", "reason", "charged"),
    [
        ({"error": {"code": "timeout", "message": "took too long"}}, "timeout", "no"),
        ({"error": {"code": "poll_error", "message": "5 times"}}, "provider_error", "no"),
        ({"error": {"message": "Blocked by the content filter"}}, "content_violation", "no"),
        ({"error": {"code": "content_filter", "message": "x"}}, "content_violation", "no"),
        ({"error": {"message": "Upstream provider error (502 Bad Gateway)"}}, "provider_error", "no"),
        ({"error": None}, "provider_error", "no"),
        ({"error": "text"}, "provider_error", "no"),
        ({"error": {"message": "x"}, "usage": {"cost": 0.2}}, "provider_error", "yes"),
        ({"error": {"message": "x"}, "usage": {"cost": 0}}, "provider_error", "no"),
        ({"status": "expired"}, "timeout", "no"),
    ],
)
def test_a_failed_video_has_a_reason_and_usage_tells_whether_it_was_billed(
    changes: dict[str, JsonValue], reason: str, charged: str
) -> None:
    seen = look(**{"status": "failed", "progress": 100, **changes})
    assert seen.failure is not None
    assert (seen.state, seen.failure.reason, seen.failure.charged) == ("failed", reason, charged)
    assert seen.progress is None


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [
        (400, {"message": "seconds is required", "type": "invalid_request_error", "param": "seconds"}, "invalid_input"),
        (400, {"message": "Invalid image input: cannot fetch", "type": "invalid_request_error"}, "invalid_media"),
        (400, {"message": "Unsupported video model: x", "code": "model_not_found"}, "unsupported"),
        (400, {"message": "Requested parameters are not supported for x"}, "unsupported"),
        (401, {"message": "bad key", "code": "invalid_api_key"}, "unauthorized"),
        (402, {"message": "add credits", "type": "billing_error"}, "insufficient_credits"),
        (403, {"message": "Blocked by the gateway content filter", "type": "permission_denied"}, "content_violation"),
        (403, {"message": "Your plan does not allow this", "type": "permission_denied"}, "unauthorized"),
        (404, {"message": "no", "type": "not_found"}, "unsupported"),
        (408, {"message": "timeout"}, "timeout"),
        (410, {"message": "Model has been deactivated"}, "unsupported"),
        (410, {"message": "Project has been archived"}, "unauthorized"),
        (413, {"message": "too large", "code": "request_too_large"}, "invalid_media"),
        (415, {"message": "no", "code": "unsupported_media_type"}, "invalid_media"),
        (429, {"message": "Rate limit exceeded"}, "rate_limited"),
        (429, {"message": "Daily spend limit reached"}, "insufficient_credits"),
        (429, {"message": "You exceeded your current quota", "type": "insufficient_quota"}, "insufficient_credits"),
        (429, {"message": "no more", "code": "insufficient_quota"}, "insufficient_credits"),
        (499, {"message": "cancelled", "code": "request_cancelled"}, "cancelled"),
        (500, {"message": "boom", "type": "api_error"}, "provider_error"),
        (502, {"message": "boom", "type": "upstream_error"}, "provider_error"),
        (504, {"message": "timeout"}, "timeout"),
        (529, {"message": "overloaded"}, "rate_limited"),
        (200, {"message": "the model is overloaded"}, "rate_limited"),
    ],
)
def test_an_error_envelope_becomes_a_reason(status: int, error: JsonValue, reason: str) -> None:
    fault = WIRE.fault(reply({"error": error}, status), submitting=True)
    assert fault is not None
    assert fault.reason == reason


def test_a_spending_cap_says_what_to_do() -> None:
    fault = WIRE.fault(reply({"error": {"message": "Monthly spend limit reached"}}, 429), submitting=True)
    assert fault is not None
    assert fault.hint is not None
    assert "spending cap" in fault.hint


@pytest.mark.parametrize("body", [b"", b"<html>", {"detail": "Not Found"}, {"error": "plain text"}, {"message": "x"}])
def test_other_bodies_of_an_error_do_not_hide_it(body: JsonValue | bytes) -> None:
    fault = WIRE.fault(reply(body, 503), submitting=False)
    assert fault is not None
    assert fault.reason == "provider_error"


def image(asked: GenerationRequest, model: str = "nano-banana-pro") -> Plan:
    return checked(asked, model)


def test_an_image_is_in_the_answer_to_its_post() -> None:
    plan = image(request("image", resolution="2k", count=2, quality="high"))
    assert plan.path == "/v1/images/generations"
    assert not plan.asynchronous
    assert plan.body == {
        "model": "gemini-3-pro-image",
        "prompt": "a red fox",
        "n": 2,
        "quality": "high",
        "size": "2K",
    }
    data: JsonValue = [{"b64_json": base64.b64encode(PNG).decode()}, {"url": "https://cdn.example/2.png"}, {"odd": 1}]
    submission = WIRE.submission(plan, reply({"created": 1, "data": data, "usage": {"cost": 0.00692}}))
    seen = submission.observation
    assert (seen.state, submission.job.job_id) == ("succeeded", "answered-at-once")
    assert [one.content for one in seen.outputs] == [PNG, None]
    assert seen.outputs[1].url == "https://cdn.example/2.png"
    assert seen.cost is not None
    assert str(seen.cost.amount) == "0.00692"


def test_an_edit_is_json_with_a_list_of_image_urls() -> None:
    plan = image(request("image", linked("input_image"), held("input_image"), aspect_ratio="16:9", output_format="png"))
    assert plan.path == "/v1/images/edits"
    assert plan.body == {
        "model": "gemini-3-pro-image",
        "prompt": "a red fox",
        "images": [
            {"image_url": "https://example.com/a.png"},
            {"image_url": "data:image/png;base64," + base64.b64encode(PNG).decode()},
        ],
        "aspect_ratio": "16:9",
        "output_format": "png",
    }


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            request("image", aspect_ratio="16:9"),
            "aspect_ratio is not an input of nano-banana-pro on llmgateway from text",
        ),
        (
            request("image", output_format="png"),
            "output_format is not an input of nano-banana-pro on llmgateway from text",
        ),
        (request("image", size="1024x1024", resolution="1k"), "one of the two"),
        (request("image", linked("input_image"), linked("mask")), "mask is not an input"),
        (request("image", count=11), "at most 10"),
        (request("image", resolution="8k"), "1k, 2k or 4k"),
    ],
)
def test_image_inputs_that_the_endpoint_does_not_take(asked: GenerationRequest, message: str) -> None:
    with pytest.raises(RequestRefused, match=message):
        image(asked)


@pytest.mark.parametrize(
    ("usage", "charged"), [(None, "unknown"), ({"cost": 0}, "no"), ({"cost": 0.001}, "yes"), ({}, "unknown")]
)
def test_an_empty_list_of_images_is_a_filtered_request_although_the_status_is_200(
    usage: JsonValue, charged: str
) -> None:
    answer = reply({"created": 1, "data": [], "usage": usage})
    assert WIRE.fault(answer, submitting=True) is None
    seen = WIRE.submission(image(request("image")), answer).observation
    assert seen.failure is not None
    assert (seen.state, seen.failure.reason, seen.failure.charged) == ("failed", "content_violation", charged)


@pytest.mark.parametrize(
    "body", [b"", [], {"data": "x"}, {"data": [{"b64_json": "this is no picture!"}]}, {"data": [5]}, {"data": [None]}]
)
def test_junk_instead_of_images_is_unintelligible(body: JsonValue | bytes) -> None:
    with pytest.raises(Unintelligible):
        WIRE.submission(image(request("image")), reply(body))


def test_speech_is_the_answer_to_its_post() -> None:
    asked = request("audio", voice="Sarah", output_format="mp3", speed=1.25, instructions="cheerfully")
    plan = checked(asked, "eleven-v3")
    assert (plan.path, plan.asynchronous) == ("/v1/audio/speech", False)
    assert plan.body == {
        "model": "eleven-v3",
        "input": "a red fox",
        "voice": "Sarah",
        "response_format": "mp3",
        "speed": 1.25,
        "instructions": "cheerfully",
    }
    seen = WIRE.submission(plan, reply(b"ID3 sound", headers={"content-type": "audio/mpeg"})).observation
    assert [(one.content, one.mime_type) for one in seen.outputs] == [(b"ID3 sound", "audio/mpeg")]
    plain = WIRE.submission(
        plan, reply(b"ID3", headers={"content-type": "application/octet-stream", "x-request-id": "r1"})
    )
    assert (plain.job.job_id, plain.observation.outputs[0].mime_type) == ("r1", None)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"", "audio/mpeg"), ({"odd": 1}, "application/json"), (b"<html>", "text/html; charset=utf-8")],
)
def test_junk_instead_of_sound_is_unintelligible(body: JsonValue | bytes, content_type: str) -> None:
    with pytest.raises(Unintelligible):
        WIRE.submission(checked(request("audio"), "eleven-v3"), reply(body, headers={"content-type": content_type}))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"speed": 5}, "0.25 to 4"),
        ({"output_format": "aac"}, "mp3, wav, pcm or opus"),
        ({"language": "de"}, "language"),
    ],
)
def test_speech_inputs_that_the_model_does_not_take(inputs: dict[str, JsonValue], message: str) -> None:
    with pytest.raises(RequestRefused, match=message):
        checked(request("audio", **inputs), "eleven-v3")


def test_the_live_list_gives_ids_and_kinds() -> None:
    call = WIRE.models_call()
    assert call is not None
    assert (call.path, dict(call.query)) == ("/v1/models", {"exclude_deprecated": "true"})
    rows: list[JsonValue] = [
        {"id": "new-video", "architecture": {"output_modalities": ["video"]}},
        {"id": "new-image", "architecture": {"output_modalities": ["image", "text"]}},
        {"id": "new-voice", "output_modalities": ["audio"]},
        {"id": "talker", "architecture": {"output_modalities": ["text", "audio"]}},
        {"id": "writer", "architecture": {"output_modalities": ["text"]}},
        {"id": "gone", "architecture": {"output_modalities": ["video"]}, "deactivated_at": "2026-01-01"},
        {"id": 5},
        {"id": "x\n", "output_modalities": ["video"]},
        "odd",
        {"id": "new-video", "output_modalities": ["image"]},
    ]
    live = WIRE.live_models(reply({"data": rows}))
    assert [(row.id, row.kind, row.certainty) for row in live] == [
        ("new-video", "video", "live"),
        ("new-image", "image", "live"),
        ("new-voice", "audio", "live"),
    ]


@pytest.mark.parametrize("junk", [b"", [], {"data": "x"}])
def test_junk_instead_of_a_list_of_models_is_unintelligible(junk: JsonValue | bytes) -> None:
    with pytest.raises(Unintelligible):
        WIRE.live_models(reply(junk))


def test_the_account_check_says_what_it_proves() -> None:
    call = WIRE.account_call()
    assert call is not None
    assert call.path == "/v1/credits"
    check = WIRE.account(reply({"balance": "-0.25", "total_used": "20.25"}))
    assert (check.ok, str(check.balance), check.currency) == (True, "-0.25", "USD")
    assert WIRE.account(reply({"data": []})).ok
