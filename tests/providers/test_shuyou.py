"""Shuyou: from its own pages, which `providers/facts/shuyou.toml` names row by row."""

from datetime import UTC, datetime

import pytest
from pydantic import JsonValue

from rushes.domain.errors import ConfigurationError, RequestRefused
from rushes.domain.job import SUCCESS_WITHOUT_OUTPUT, Observation
from rushes.domain.request import GenerationRequest
from rushes.providers.checks import check_request
from rushes.providers.format import Unintelligible

from .replies import facts_of, job, make_format, plan_of, reply
from .requests import held, linked, request

WIRE = make_format("shuyou")
LINK = "https://example.com/a.png"


def body_of(asked: GenerationRequest, model: str, **options: JsonValue) -> dict[str, JsonValue]:
    check_request(asked, facts_of("shuyou", model, asked.kind), "shuyou")
    return plan_of("shuyou", asked, model, **options).body


def input_of(asked: GenerationRequest, model: str, **options: JsonValue) -> JsonValue:
    return body_of(asked, model, **options)["input"]


def look(data: dict[str, JsonValue], **envelope: JsonValue) -> Observation:
    task: dict[str, JsonValue] = {"task_id": "t", **data}
    return WIRE.observation(job(), reply({"code": "0", "data": task, "request_id": "r", **envelope}))


def test_a_video_with_an_integer_duration_and_an_upper_case_resolution() -> None:
    asked = request(aspect_ratio="16:9", resolution="720p", duration_seconds=8, audio=True, negative_prompt="rain")
    plan = plan_of("shuyou", asked, "veo-3.1")
    assert plan.path == "/v1/predictions"
    assert plan.body == {
        "model": "veo-3.1-generate-preview",
        "function": "video",
        "input": {
            "prompt": "a red fox",
            "aspect_ratio": "16:9",
            "resolution": "720P",
            "duration": 8,
            "generate_audio": True,
            "negative_prompt": "rain",
        },
    }


@pytest.mark.parametrize(
    ("model", "options", "duration"),
    [
        ("veo-3.1", {}, 4),
        ("veo-3.1", {"duration": "string"}, "4"),
        ("vendor/new-video", {}, "4"),
        ("vendor/new-video", {"duration": "integer"}, 4),
    ],
)
def test_a_duration_is_an_integer_where_a_models_page_says_so_and_else_a_string_as_on_the_general_page(
    model: str, options: dict[str, JsonValue], duration: JsonValue
) -> None:
    assert input_of(request(duration_seconds=4), model, **options) == {"prompt": "a red fox", "duration": duration}


def test_only_what_was_asked_for_is_sent() -> None:
    assert input_of(request(), "veo-3.1") == {"prompt": "a red fox"}


def test_defaults_that_would_cost_more_are_replaced_and_told() -> None:
    plan = plan_of("shuyou", request(), "seedance-2.0")
    assert plan.body["input"] == {"prompt": "a red fox", "duration": 5}
    assert plan.warnings == ("duration_seconds was not given; 5 is sent",)
    assert input_of(request(), "happyhorse-1.0-t2v") == {"prompt": "a red fox", "resolution": "720P"}
    assert input_of(request(), "gen-4.5") == {"prompt": "a red fox", "aspect_ratio": "16:9"}


def test_frames_and_references_have_their_own_names() -> None:
    frames = request("video", linked("image"), linked("last_frame", "https://e.x/b.png"))
    assert input_of(frames, "veo-3.1") == {
        "prompt": "a red fox",
        "first_frame_url": LINK,
        "last_frame_url": "https://e.x/b.png",
    }
    media = [
        linked("reference_image"),
        linked("reference_video", "https://e.x/v.mp4"),
        linked("reference_audio", "https://e.x/a.mp3"),
    ]
    assert input_of(request("video", *media, duration_seconds=10), "seedance-2.0") == {
        "prompt": "a red fox",
        "duration": 10,
        "reference_image_urls": [LINK],
        "reference_video_urls": ["https://e.x/v.mp4"],
        "reference_audio_urls": ["https://e.x/a.mp3"],
    }


@pytest.mark.parametrize(
    ("asked", "model", "message"),
    [
        (request(duration_seconds=7), "veo-3.1", "duration_seconds 7 is not offered by veo-3.1 on shuyou: 4, 6 or 8"),
        (request(aspect_ratio="1:1"), "seedance-2.0", "16:9 or 9:16"),
        (request(resolution="1080p"), "kling-v3", "standard or pro"),
        (request("video", linked("reference_image")), "veo-3.1-fast", "reference_images is not an input"),
        (request("video", *[linked("reference_image")] * 4), "veo-3.1", "at most 3"),
        (request("video", held("image")), "veo-3.1", "by https URL only"),
        (request(prompt="x" * 1001), "veo-3.1", "at most 1000"),
        (request(), "happyhorse-1.0-i2v", "only from a first frame"),
        (request("audio"), "minimax-speech-2.8-hd", "needs voice"),
        (request("audio", voice="Nobody"), "qwen3-tts-flash", "Cherry"),
        (request("audio", language="Klingon"), "qwen3-tts-flash", "Auto, Chinese"),
        (request("audio", voice="x", speed=3), "minimax-speech-2.8-hd", "0.5 to 2"),
        (request("image", linked("mask")), "gpt-image-2", "mask needs images"),
        (request("image", resolution="2k"), "nano-banana", "resolution is not an input"),
        (request("image", size="1024x1024", aspect_ratio="1:1"), "gpt-image-2", "one of the two"),
        (request("audio", instructions="x" * 1001), "gemini-3.1-flash-tts", "at most 1000"),
    ],
)
def test_what_a_models_page_excludes_is_refused(asked: GenerationRequest, model: str, message: str) -> None:
    with pytest.raises(RequestRefused, match=message):
        body_of(asked, model)


def test_klings_resolution_keeps_its_words() -> None:
    assert input_of(request(resolution="pro"), "kling-v3") == {"prompt": "a red fox", "resolution": "pro"}


def test_images() -> None:
    asked = request("image", linked("input_image"), resolution="2k", aspect_ratio="1:1", count=2, output_format="png")
    assert body_of(asked, "nano-banana-pro") == {
        "model": "gemini-3-pro-image-preview",
        "function": "image",
        "input": {
            "prompt": "a red fox",
            "aspect_ratio": "1:1",
            "resolution": "2K",
            "num_images": 2,
            "output_format": "png",
            "image_urls": [LINK],
        },
    }
    masked = request(
        "image", linked("input_image"), linked("mask", "https://e.x/m.png"), size="1024x1024", quality="low", count=4
    )
    assert input_of(masked, "gpt-image-2") == {
        "prompt": "a red fox",
        "size": "1024x1024",
        "quality": "low",
        "n": 4,
        "image_urls": [LINK],
        "mask_url": "https://e.x/m.png",
    }


def test_speech() -> None:
    asked = request("audio", voice="Cherry", language="English")
    assert body_of(asked, "qwen3-tts-flash") == {
        "model": "qwen3-tts-flash",
        "function": "audio",
        "input": {"prompt": "a red fox", "voice": "Cherry", "language": "English"},
    }
    minimax = request("audio", voice="English_Graceful_Lady", speed=1.5, output_format="wav")
    assert input_of(minimax, "minimax-speech-2.8-hd") == {
        "prompt": "a red fox",
        "voice": "English_Graceful_Lady",
        "speed": 1.5,
        "format": "wav",
    }
    gemini = request("audio", instructions="cheerful", output_format="mp3")
    assert input_of(gemini, "gemini-3.1-flash-tts") == {
        "prompt": "a red fox",
        "style_instructions": "cheerful",
        "output_format": "mp3",
    }


def test_the_word_for_the_audio_function_is_a_switch() -> None:
    assert body_of(request("audio"), "qwen3-tts-flash", audio_function="textToSpeech")["function"] == "textToSpeech"
    with pytest.raises(ConfigurationError, match="audio_function"):
        make_format("shuyou", audio_function="tts")


def test_a_webhook_goes_beside_the_input_and_other_options_into_it() -> None:
    options: JsonValue = {"webhook": "https://me.example/x", "seed": 5}
    body = body_of(request(provider_options=options), "veo-3.1")
    assert body["webhook"] == "https://me.example/x"
    assert body["input"] == {"prompt": "a red fox", "seed": 5}


def test_the_answer_to_the_post_has_no_code() -> None:
    answer = reply({"data": {"task_id": "2c4d50261173430290971a2395a3b607", "task_status": "processing"}})
    assert WIRE.fault(answer, submitting=True) is None
    submission = WIRE.submission(plan_of("shuyou", request(), "veo-3.1"), answer)
    assert submission.job.job_id == "2c4d50261173430290971a2395a3b607"
    assert submission.observation.state == "running"
    assert WIRE.poll_call(submission.job).path == "/v1/predictions/2c4d50261173430290971a2395a3b607"


@pytest.mark.parametrize(
    "body", [{}, [], b"", {"data": None}, {"data": {"task_id": None}}, {"data": {"task_id": True}}]
)
def test_a_success_without_a_task_id_tells_of_no_job(body: JsonValue | bytes) -> None:
    with pytest.raises(Unintelligible):
        WIRE.submission(plan_of("shuyou", request(), "veo-3.1"), reply(body))


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("processing", "running"),
        ("pending", "queued"),
        ("queued", "queued"),
        ("running", "running"),
        ("cancelled", "cancelled"),
        ("canceled", "cancelled"),
        ("Success!", "running"),
    ],
)
def test_states(word: str, state: str) -> None:
    assert look({"task_status": word}).state == state


def test_an_older_revision_calls_the_state_status() -> None:
    body: JsonValue = {"code": "0", "data": {"task_id": "t", "status": "processing"}}
    assert WIRE.fault(reply(body), submitting=False) is None
    assert WIRE.observation(job(), reply(body)).state == "running"


URL = "https://cdn.shuyou.ai/model/20a6.png?e=1778427598&token=Lk3K:cZUt="


@pytest.mark.parametrize("word", ["success", "succeeded"])
@pytest.mark.parametrize(
    "item",
    [
        {"type": "image", "image": URL},
        {"type": "video", "video": URL, "cover": "https://cdn.shuyou.ai/cover.png"},
        {"type": "audio", "url": URL},
        {"type": "audio", "file": URL, "other": "https://cdn.shuyou.ai/other.png"},
        URL,
    ],
)
def test_an_outputs_url_is_under_the_key_named_by_its_type_else_found(word: str, item: JsonValue) -> None:
    seen = look({"task_status": word, "output": [item]}, usage={"cost": 0.02925, "discount_percent": 0.75})
    (output,) = seen.outputs
    assert output.url == URL
    assert output.expires_at == datetime.fromtimestamp(1778427598, UTC)
    assert seen.cost is not None
    assert str(seen.cost.amount) == "0.02925"


def test_several_outputs_keep_their_order() -> None:
    items: JsonValue = [{"type": "image", "image": f"https://c.x/{n}.png"} for n in range(3)]
    assert [one.url for one in look({"task_status": "success", "output": items}).outputs] == [
        "https://c.x/0.png",
        "https://c.x/1.png",
        "https://c.x/2.png",
    ]


@pytest.mark.parametrize("output", [None, [], [{}], "odd", {"type": "image", "image": ""}])
def test_success_without_an_output_is_still_running(output: JsonValue) -> None:
    seen = look({"task_status": "success", "output": output})
    assert (seen.state, seen.notes) == ("running", (SUCCESS_WITHOUT_OUTPUT,))


@pytest.mark.parametrize(
    ("data", "envelope", "reason", "charged"),
    [
        ({"error": {"message": "blocked", "type": "safety_check_failed"}}, {}, "content_violation", "unknown"),
        ({"error": {"message": "prompt is sensitive", "code": "E1"}}, {}, "content_violation", "unknown"),
        ({"error": "generation timed out"}, {}, "timeout", "unknown"),
        ({"message": "failed to download image"}, {}, "invalid_media", "unknown"),
        ({"fail_reason": "boom"}, {}, "provider_error", "unknown"),
        ({}, {"message": "内容违规"}, "content_violation", "unknown"),
        ({}, {"error": {"message": "no", "type": "provider_error"}}, "provider_error", "unknown"),
        ({}, {"code": "1", "msg": "boom"}, "provider_error", "unknown"),
        ({}, {}, "provider_error", "unknown"),
        ({}, {"usage": {"cost": 0}}, "provider_error", "no"),
        ({}, {"usage": {"cost": 0.1}}, "provider_error", "yes"),
    ],
)
def test_a_failed_task_tells_its_reason_somewhere(
    data: dict[str, JsonValue], envelope: dict[str, JsonValue], reason: str, charged: str
) -> None:
    seen = look({"task_status": "failed", **data}, **envelope)
    assert seen.failure is not None
    assert (seen.failure.reason, seen.failure.charged) == (reason, charged)


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, "invalid_params", "invalid_input"),
        (402, "insufficient_credit", "insufficient_credits"),
        (402, "reject_no_credit", "insufficient_credits"),
        (402, "quote_exceeded", "insufficient_credits"),
        (403, "access_denied", "unauthorized"),
        (403, "safety_check_failed", "content_violation"),
        (401, "unauthorized", "unauthorized"),
        (404, "invalid_model", "unsupported"),
        (404, "model_not_available", "unsupported"),
        (404, "model_not_supported", "unsupported"),
        (413, "invalid_params", "invalid_input"),
        (422, "provider_unprocessable_entity_error", "invalid_input"),
        (429, "rate_limit", "rate_limited"),
        (500, "internal_server_error", "provider_error"),
        (502, "no_provider_available", "provider_error"),
        (520, "provider_internal_server_error", "provider_error"),
        (524, "provider_internal_server_error", "timeout"),
        (403, "brand_new", "unauthorized"),
    ],
)
def test_the_type_of_an_error_is_trusted_over_its_status(status: int, kind: str, reason: str) -> None:
    fault = WIRE.fault(reply({"error": {"code": str(status), "type": kind, "message": "no"}}, status), submitting=True)
    assert fault is not None
    assert (fault.reason, fault.provider_code, fault.message) == (reason, kind, "no")


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"code": "400", "message": "bad parameter", "data": None}, 200, "invalid_input"),
        ({"code": "500", "message": "boom", "data": None}, 200, "provider_error"),
        ({"code": "402", "message": "insufficient balance"}, 200, "insufficient_credits"),
        ({"error": {"message": "no", "type": "access_denied"}}, 200, "unauthorized"),
        (b"<html>", 502, "provider_error"),
        (b"gone fishing", 503, "provider_error"),
    ],
)
def test_other_errors(body: JsonValue | bytes, status: int, reason: str) -> None:
    fault = WIRE.fault(reply(body, status), submitting=True)
    assert fault is not None
    assert fault.reason == reason


def test_an_unknown_prediction_is_not_found_while_polling() -> None:
    fault = WIRE.fault(reply({"error": {"type": "not_found", "message": "no"}}, 404), submitting=False)
    assert fault is not None
    assert fault.reason == "not_found"


@pytest.mark.parametrize("body", [b"", [], {}, {"code": "0"}, {"code": "0", "data": {}}, {"code": "0", "data": []}])
def test_a_poll_that_holds_no_task_is_unintelligible(body: JsonValue | bytes) -> None:
    with pytest.raises(Unintelligible):
        WIRE.observation(job(), reply(body))


def test_credits_are_the_cheapest_read_and_models_are_listed() -> None:
    account, models = WIRE.account_call(), WIRE.models_call()
    assert account is not None
    assert models is not None
    assert (account.path, models.path) == ("/v1/credits", "/v1/models")
    check = WIRE.account(reply({"data": {"total_credits": 10, "total_usage": 2.5, "balance": 7.5}}))
    assert (check.ok, str(check.balance)) == (True, "7.5")
    assert WIRE.account(reply({"data": 5})).ok
    rows: JsonValue = [{"id": "new", "output_modalities": ["video"], "created": 1778427598000}]
    assert [(row.id, row.kind) for row in WIRE.live_models(reply({"object": "list", "data": rows}))] == [
        ("new", "video")
    ]
