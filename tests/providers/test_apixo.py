"""APIXO: from its own pages, which `providers/facts/apixo.toml` names row by row."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import JsonValue

from rushes.domain.errors import RequestRefused
from rushes.domain.job import SUCCESS_WITHOUT_OUTPUT, Observation
from rushes.domain.request import GenerationRequest
from rushes.providers.checks import check_request
from rushes.providers.format import Unintelligible

from .replies import facts_of, job, make_format, plan_of, reply
from .requests import held, linked, request

WIRE = make_format("apixo")
VEO = facts_of("apixo", "veo-3.1")


def veo_plan(asked: GenerationRequest) -> dict[str, JsonValue]:
    check_request(asked, VEO, "apixo")
    return plan_of("apixo", asked, "veo-3.1").body


def look(data: JsonValue, **envelope: JsonValue) -> Observation:
    return WIRE.observation(job(), reply({"code": 200, "message": "success", "data": data, **envelope}))


def test_text_to_video_is_the_pages_example() -> None:
    asked = request(
        prompt="a cinematic flyover of a futuristic city at sunrise", quality="quality", aspect_ratio="16:9"
    )
    plan = plan_of("apixo", asked, "veo-3.1")
    assert plan.path == "/api/v1/generateTask/veo-3-1"
    assert plan.body == {
        "request_type": "async",
        "input": {
            "mode": "quality",
            "prompt": "a cinematic flyover of a futuristic city at sunrise",
            "generationType": "TEXT_2_VIDEO",
            "aspect_ratio": "16:9",
        },
    }


def test_nothing_that_was_not_asked_for_is_sent_but_the_required_mode_and_type() -> None:
    plan = plan_of("apixo", request(), "veo-3.1")
    assert plan.body["input"] == {"prompt": "a red fox", "mode": "quality", "generationType": "TEXT_2_VIDEO"}
    assert plan.warnings == ()


def test_first_and_last_frame_is_the_pages_example() -> None:
    frames = [linked("image", "https://example.com/frame_start.jpg"), linked("last_frame", "https://example.com/e.jpg")]
    assert veo_plan(request("video", *frames, aspect_ratio="9:16"))["input"] == {
        "prompt": "a red fox",
        "mode": "quality",
        "generationType": "FIRST_AND_LAST_FRAMES_2_VIDEO",
        "aspect_ratio": "9:16",
        "image_urls": ["https://example.com/frame_start.jpg", "https://example.com/e.jpg"],
    }


def test_references_run_in_fast_mode_at_16_9_and_say_so() -> None:
    asked = request(
        "video", linked("reference_image", "https://e.x/1.jpg"), linked("reference_image", "https://e.x/2.jpg")
    )
    plan = plan_of("apixo", asked, "veo-3.1")
    assert plan.body["input"] == {
        "prompt": "a red fox",
        "mode": "fast",
        "generationType": "REFERENCE_2_VIDEO",
        "aspect_ratio": "16:9",
        "image_urls": ["https://e.x/1.jpg", "https://e.x/2.jpg"],
    }
    assert plan.warnings == ("quality was not given; fast is sent",)


@pytest.mark.parametrize(
    ("inputs", "offered"),
    [({"quality": "quality"}, "fast"), ({"aspect_ratio": "9:16"}, "16:9"), ({"duration_seconds": 8}, "aspect_ratio")],
)
def test_references_and_durations_that_the_page_excludes_are_refused(
    inputs: dict[str, JsonValue], offered: str
) -> None:
    with pytest.raises(RequestRefused, match=offered) as caught:
        veo_plan(request("video", linked("reference_image"), **inputs))
    assert caught.value.reason == "unsupported"


def test_a_fourth_reference_is_refused() -> None:
    with pytest.raises(RequestRefused, match="at most 3"):
        veo_plan(request("video", *[linked("reference_image")] * 4))


def test_media_held_as_bytes_are_refused_since_apixo_takes_urls_only() -> None:
    with pytest.raises(RequestRefused, match="by https URL only") as caught:
        veo_plan(request("video", held("image")))
    assert caught.value.reason == "invalid_media"


def test_a_watermark_is_a_text_there_so_true_cannot_be_sent_and_false_is_no_watermark() -> None:
    with pytest.raises(RequestRefused, match="watermark true is not offered") as refused:
        veo_plan(request(watermark=True))
    assert refused.value.hint == "Its own field of that name is its text: provider_options.watermark."
    assert "watermark" not in str(veo_plan(request(watermark=False)))


def test_routing_words_go_beside_the_input_and_other_options_into_it() -> None:
    body = veo_plan(request(provider_options={"provider": "value", "watermark": "rushes"}))
    assert body["provider"] == "value"
    assert body["input"] == {
        "prompt": "a red fox",
        "mode": "quality",
        "generationType": "TEXT_2_VIDEO",
        "watermark": "rushes",
    }


def test_callback_needs_its_url() -> None:
    with pytest.raises(RequestRefused, match="callback_url"):
        veo_plan(request(provider_options={"request_type": "callback"}))
    body = veo_plan(request(provider_options={"request_type": "callback", "callback_url": "https://me.example/x"}))
    assert (body["request_type"], body["callback_url"]) == ("callback", "https://me.example/x")


def test_a_callback_url_alone_asks_for_the_callback_and_beside_async_is_refused() -> None:
    body = veo_plan(request(provider_options={"callback_url": "https://me.example/x"}))
    assert (body["request_type"], body["callback_url"]) == ("callback", "https://me.example/x")
    with pytest.raises(RequestRefused, match="go together"):
        veo_plan(request(provider_options={"request_type": "async", "callback_url": "https://me.example/x"}))


def test_an_option_may_replace_a_default_but_not_what_was_asked() -> None:
    body = veo_plan(request(provider_options={"mode": "fast"}))
    assert isinstance(body["input"], dict)
    assert body["input"]["mode"] == "fast"
    with pytest.raises(RequestRefused, match="mode contradicts quality"):
        veo_plan(request(quality="quality", provider_options={"mode": "fast"}))


def test_the_fast_name_is_the_same_model_in_fast_mode() -> None:
    plan = plan_of("apixo", request(), "veo-3.1-fast")
    assert plan.model == "veo-3-1"
    assert plan.body["input"] == {"prompt": "a red fox", "mode": "fast", "generationType": "TEXT_2_VIDEO"}


def test_sora_has_its_own_words_and_only_the_official_route() -> None:
    asked = request("video", linked("image"), aspect_ratio="9:16", duration_seconds=8, watermark=False)
    assert plan_of("apixo", asked, "sora-2").body == {
        "request_type": "async",
        "provider": "official",
        "input": {
            "mode": "image-to-video",
            "prompt": "a red fox",
            "duration": 8,
            "aspect_ratio": "portrait",
            "image_urls": ["https://example.com/a.png"],
            "remove_watermark": True,
        },
    }
    sized = plan_of("apixo", request(size="1280x720"), "sora-2-pro").body["input"]
    assert sized == {"mode": "text-to-video", "prompt": "a red fox", "size": "1280*720"}


def test_kling_puts_quality_and_kind_into_its_mode() -> None:
    asked = request("video", linked("image"), quality="pro", duration_seconds=10, negative_prompt="rain")
    assert plan_of("apixo", asked, "kling-2.1").body["input"] == {
        "mode": "pro-image-to-video",
        "prompt": "a red fox",
        "duration": 10,
        "negative_prompt": "rain",
        "image_urls": ["https://example.com/a.png"],
    }
    plan = plan_of("apixo", request(), "kling-2.1")
    assert plan.body["input"] == {"mode": "master-text-to-video", "prompt": "a red fox"}
    assert plan.warnings == ("quality was not given; master is sent",)


def test_an_image_and_a_song() -> None:
    asked = request("image", linked("input_image"), resolution="2k", output_format="png", aspect_ratio="1:1")
    assert plan_of("apixo", asked, "nano-banana").body["input"] == {
        "mode": "image-to-image",
        "prompt": "a red fox",
        "aspect_ratio": "1:1",
        "resolution": "2K",
        "output_format": "png",
        "image_urls": ["https://example.com/a.png"],
    }
    song = plan_of("apixo", request("audio", provider_options={"instrumental": True}), "suno").body["input"]
    assert song == {"mode": "V5", "customMode": False, "instrumental": True, "prompt": "a red fox"}


def test_models_that_the_data_does_not_know_take_the_common_inputs() -> None:
    asked = request("video", linked("image"), duration_seconds=5, seed=3)
    assert plan_of("apixo", asked, "new-video-9").body["input"] == {
        "mode": "image-to-video",
        "prompt": "a red fox",
        "duration": 5,
        "seed": 3,
        "image_urls": ["https://example.com/a.png"],
    }
    assert plan_of("apixo", request("audio"), "new-song").body["input"] == {"prompt": "a red fox"}
    with pytest.raises(RequestRefused, match="resolution is not an input that apixo documents"):
        plan_of("apixo", request(resolution="720p"), "new-video-9")


def test_the_task_id_is_in_data() -> None:
    plan = plan_of("apixo", request(), "veo-3.1")
    answer = reply({"code": 200, "message": "success", "data": {"taskId": "task_12345678"}})
    submission = WIRE.submission(plan, answer)
    assert (submission.job.job_id, submission.job.model) == ("task_12345678", "veo-3-1")
    assert submission.observation.state == "queued"


@pytest.mark.parametrize(
    "body", [{}, [], "ok", None, {"code": 200, "data": None}, {"code": 200, "data": {"taskId": ""}}]
)
def test_a_success_without_a_task_id_tells_of_no_job(body: JsonValue) -> None:
    answer = reply(body)
    assert WIRE.fault(answer, submitting=True) is None
    with pytest.raises(Unintelligible):
        WIRE.submission(plan_of("apixo", request(), "veo-3.1"), answer)


def test_a_task_is_polled_under_its_models_path() -> None:
    call = WIRE.poll_call(job("task/1 2", "veo-3-1"))
    assert (call.method, call.path, dict(call.query)) == ("GET", "/api/v1/statusTask/veo-3-1", {"taskId": "task/1 2"})


@pytest.mark.parametrize(
    "result",
    [
        '{ "resultUrls" :[ "https://r2.apixo.ai/video.mp4" ]}',
        {"resultUrls": ["https://r2.apixo.ai/video.mp4", "", "https://r2.apixo.ai/video.mp4"]},
        {"url": "https://r2.apixo.ai/video.mp4"},
        "https://r2.apixo.ai/video.mp4",
    ],
)
def test_result_json_is_a_json_string_or_an_object_and_lives_15_days(result: JsonValue) -> None:
    seen = look({"taskId": "t", "state": "success", "resultJson": result, "completeTime": 1767965730929})
    assert seen.state == "succeeded"
    assert [output.url for output in seen.outputs] == ["https://r2.apixo.ai/video.mp4"]
    done = datetime.fromtimestamp(1767965730.929, UTC)
    assert seen.outputs[0].expires_at == done + timedelta(days=15)


def test_a_songs_cover_picture_is_no_output() -> None:
    tracks: JsonValue = [
        {"audio_url": "https://c.x/1.mp3", "image_url": "https://c.x/1.jpg"},
        {"source_audio_url": "https://c.x/2.mp3", "image_url": "https://c.x/2.jpg"},
    ]
    seen = look({"state": "success", "resultJson": {"data": tracks}})
    assert [output.url for output in seen.outputs] == ["https://c.x/1.mp3", "https://c.x/2.mp3"]


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("pending", "queued"),
        ("processing", "running"),
        ("waiting", "queued"),
        ("queuing", "queued"),
        ("generating", "running"),
    ],
)
def test_states_before_the_end(word: str, state: str) -> None:
    assert look({"taskId": "t", "state": word}).state == state


@pytest.mark.parametrize("word", ["warming_up", "Success", 7])
def test_an_unknown_state_word_is_running_and_noted(word: JsonValue) -> None:
    seen = look({"taskId": "t", "state": word})
    assert seen.state == "running"
    assert len(seen.notes) == 1


@pytest.mark.parametrize("result", [None, "", "{}", '{"resultUrls":[]}', '{"resultUrls":[""]}', "not json", 5])
def test_success_without_an_output_is_still_running(result: JsonValue) -> None:
    seen = look({"state": "success", "resultJson": result})
    assert (seen.state, seen.notes) == ("running", (SUCCESS_WITHOUT_OUTPUT,))


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        ("CONTENT_VIOLATION", "Content does not meet safety guidelines", "content_violation"),
        ("NSFW_DETECTED", "x", "content_violation"),
        ("SensitiveContentDetected", "x", "content_violation"),
        ("InputImageSensitiveContentDetected", "x", "content_violation"),
        ("INVALID_PROMPT", "x", "invalid_input"),
        ("PromptLengthExceeded", "x", "invalid_input"),
        ("INVALID_IMAGE_URL", "Cannot access provided image URL", "invalid_media"),
        ("IMAGE_TOO_LARGE", "x", "invalid_media"),
        ("PROCESSING_TIMEOUT", "x", "timeout"),
        ("GENERATION_FAILED", "x", "provider_error"),
        ("INSUFFICIENT_CREDITS", "x", "insufficient_credits"),
        ("WHO_KNOWS", "The prompt violates our policy", "content_violation"),
        ("WHO_KNOWS", "something broke", "provider_error"),
        (None, "something broke", "provider_error"),
        (None, None, "provider_error"),
    ],
)
def test_a_failed_task_is_told_by_its_state_although_the_envelope_says_success(
    code: str | None, message: str | None, reason: str
) -> None:
    seen = look({"taskId": "t", "state": "failed", "failCode": code, "failMsg": message})
    assert seen.state == "failed"
    assert seen.failure is not None
    assert (seen.failure.reason, seen.failure.charged) == (reason, "unknown")
    assert seen.failure.provider_code == code


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, {"code": 400, "message": "Insufficient credits", "data": None}, "insufficient_credits"),
        (400, {"code": 400, "message": "Insufficient credits", "data": None}, "insufficient_credits"),
        (
            400,
            {"code": 400, "message": "Bad request", "data": {"error": "Missing field: input.prompt"}},
            "invalid_input",
        ),
        (200, {"code": 401, "message": "Invalid API key", "data": None}, "unauthorized"),
        (401, {"code": 401, "message": "Invalid or missing API Key", "data": None}, "unauthorized"),
        (402, {"code": 402, "message": "Insufficient balance", "data": None}, "insufficient_credits"),
        (403, {"code": 403, "message": "Content violates policy", "data": None}, "content_violation"),
        (403, {"code": 403, "message": "API key lacks permission", "data": None}, "unauthorized"),
        (400, {"code": 400, "message": "SensitiveContent: try again", "data": None}, "content_violation"),
        (404, {"code": 404, "message": "Model not found", "data": None}, "unsupported"),
        (429, {"code": 429, "message": "Rate limit exceeded", "data": None}, "rate_limited"),
        (200, {"code": 429, "message": "Rate limit exceeded", "data": None}, "rate_limited"),
        (503, {"code": 503, "message": "unavailable", "data": None}, "provider_error"),
        (200, {"code": 500, "message": "boom", "data": None}, "provider_error"),
        (401, b"", "unauthorized"),
        (429, b"slow down", "rate_limited"),
    ],
)
def test_an_error_is_read_from_the_http_status_and_from_the_bodys_code(
    status: int, body: JsonValue | bytes, reason: str
) -> None:
    fault = WIRE.fault(reply(body, status), submitting=True)
    assert fault is not None
    assert fault.reason == reason
    assert fault.message


def test_an_unknown_task_is_not_found_while_polling() -> None:
    fault = WIRE.fault(reply({"code": 404, "message": "Task not found", "data": None}, 200), submitting=False)
    assert fault is not None
    assert fault.reason == "not_found"


@pytest.mark.parametrize(
    "body", [b"<html>", [], {}, {"code": 200, "data": "x"}, {"data": {"taskId": "t", "state": ""}}]
)
def test_a_poll_that_holds_no_task_is_unintelligible(body: JsonValue | bytes) -> None:
    with pytest.raises(Unintelligible):
        WIRE.observation(job(), reply(body))


def test_the_balance_is_the_cheapest_documented_read() -> None:
    call = WIRE.account_call()
    assert call is not None
    assert (call.method, call.path) == ("GET", "/api/v1/apikeys/current-balance")
    check = WIRE.account(reply({"code": 200, "message": "success", "data": 74.87}))
    assert (check.ok, str(check.balance), check.currency) == (True, "74.87", "USD")
    assert WIRE.account(reply({"code": 200, "data": {"odd": 1}})).ok
