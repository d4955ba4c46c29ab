"""The unified format of Yuto AI: from its own page, and what else is known of it.

`providers/facts/unified.toml` names the sources.
"""

import base64
from datetime import UTC, datetime

import pytest
from pydantic import JsonValue

from rushes.domain.errors import RequestRefused
from rushes.domain.job import SUCCESS_WITHOUT_OUTPUT, Observation
from rushes.domain.request import GenerationRequest
from rushes.providers.checks import check_request
from rushes.providers.format import Unintelligible

from .replies import facts_of, job, make_format, plan_of, reply
from .requests import PNG, held, linked, request

WIRE = make_format("unified")
TASK: dict[str, JsonValue] = {
    "task_id": "veo3:1756693796-YQVHH4A3Lg",
    "platform": "google",
    "action": "google-videos",
    "status": "SUCCESS",
    "fail_reason": "",
    "submit_time": 1756693797,
    "start_time": 1756693808,
    "finish_time": 1756693898,
    "progress": "100%",
    "data": {"output": "https://filesystem.site/cdn/20250901/v.mp4"},
    "search_item": "",
}


def body_of(asked: GenerationRequest, model: str) -> dict[str, JsonValue]:
    check_request(asked, facts_of("unified", model, asked.kind), "yuto")
    return plan_of("unified", asked, model).body


def look(**changes: JsonValue) -> Observation:
    return WIRE.observation(job(), reply({**TASK, **changes}))


def test_text_to_video_is_the_pages_example() -> None:
    plan = plan_of("unified", request(prompt="A cat surfing in sunset, cinematic"), "veo3")
    assert plan.path == "/v2/videos/generations"
    assert plan.body == {"prompt": "A cat surfing in sunset, cinematic", "model": "veo3"}


def test_all_documented_inputs() -> None:
    asked = request(
        duration_seconds=5, aspect_ratio="16:9", resolution="720p", size="1280x720", watermark=False, seed=7
    )
    assert body_of(asked, "veo-3.1") == {
        "prompt": "a red fox",
        "model": "veo3.1",
        "duration": 5,
        "aspect_ratio": "16:9",
        "size": "1280x720",
        "resolution": "720P",
        "watermark": False,
        "seed": 7,
    }


def test_images_are_urls_or_data_urls_and_videos_only_urls() -> None:
    asked = request("video", linked("image"), held("last_frame"))
    assert body_of(asked, "veo-3.1")["images"] == [
        "https://example.com/a.png",
        "data:image/png;base64," + base64.b64encode(PNG).decode(),
    ]
    assert body_of(request("video", linked("reference_video", "https://e.x/v.mp4")), "new-model")["videos"] == [
        "https://e.x/v.mp4"
    ]
    with pytest.raises(RequestRefused, match="by https URL only"):
        body_of(request("video", held("reference_video", b"v", "video/mp4")), "new-model")


@pytest.mark.parametrize("model", ["veo3", "veo3-fast", "veo3-pro"])
def test_a_picture_makes_it_image_to_video_on_the_models_of_the_pages_example_too(model: str) -> None:
    asked = request("video", linked("image"))
    check_request(asked, facts_of("unified", model), "yuto")
    assert body_of(asked, model)["images"] == ["https://example.com/a.png"]


@pytest.mark.parametrize(
    ("asked", "scope", "model"),
    [
        (request(), "videos", "veo3"),
        (request("image", linked("input_image"), aspect_ratio="1:1"), "images", "new-image"),
        (request("audio"), "audio", "new-voice"),
    ],
)
def test_a_job_is_polled_in_the_scope_it_was_submitted_to(asked: GenerationRequest, scope: str, model: str) -> None:
    plan = plan_of("unified", asked, model)
    assert plan.path == f"/v2/{scope}/generations"
    submission = WIRE.submission(plan, reply({"task_id": "veo3:1756693796-YQVHH4A3Lg"}))
    assert submission.job.job_id == "veo3:1756693796-YQVHH4A3Lg"
    assert WIRE.poll_call(submission.job).path == f"/v2/{scope}/generations/veo3%3A1756693796-YQVHH4A3Lg"


@pytest.mark.parametrize(
    ("asked", "model", "message"),
    [
        (request(aspect_ratio="1:1"), "veo-3.1", "16:9 or 9:16"),
        (request(aspect_ratio="16:9"), "veo-2", "aspect_ratio is not an input"),
        (request(audio=True), "veo-3.1", "audio is not an input"),
        (request(negative_prompt="x"), "veo-3.1", "negative_prompt is not an input"),
        (request(count=2), "veo-3.1", "count is not an input"),
        (request(duration_seconds=5), "sora-2", "10, 15 or 25"),
        (request("video", linked("reference_image")), "veo-3.1", "reference_images is not an input"),
        (request("video", *[linked("reference_image")] * 4), "veo-3.1-components", "at most 3"),
        (request("video", linked("image"), linked("reference_image")), "new", "frames and references together"),
        (request("audio", voice="x"), "new-voice", "voice is not an input"),
    ],
)
def test_what_the_format_cannot_say_is_refused(asked: GenerationRequest, model: str, message: str) -> None:
    with pytest.raises(RequestRefused, match=message):
        body_of(asked, model)


def test_frames_and_references_would_be_one_list() -> None:
    asked = request("video", linked("image"), linked("reference_image"))
    with pytest.raises(RequestRefused, match="cannot be told apart"):
        plan_of("unified", asked, "new")


def test_soras_duration_is_a_string() -> None:
    assert body_of(request(duration_seconds=10), "sora-2")["duration"] == "10"


def test_options_of_the_family_go_into_the_body() -> None:
    options: JsonValue = {"enhance_prompt": True, "enable_upsample": False}
    assert body_of(request(provider_options=options), "veo3")["enhance_prompt"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"task_id": "t1"},
        {"code": "success", "message": "", "data": {"task_id": "t1"}},
        {"code": "success", "message": "", "data": "t1"},
        {"data": "t1"},
    ],
)
def test_the_task_id_is_flat_wrapped_or_the_data_itself(body: JsonValue) -> None:
    assert WIRE.fault(reply(body), submitting=True) is None
    assert WIRE.submission(plan_of("unified", request(), "veo3"), reply(body)).job.job_id == "t1"


@pytest.mark.parametrize("body", [{}, [], b"", {"task_id": ""}, {"task_id": None, "data": None}])
def test_a_success_without_a_task_id_tells_of_no_job(body: JsonValue | bytes) -> None:
    assert WIRE.fault(reply(body), submitting=True) is None
    with pytest.raises(Unintelligible):
        WIRE.submission(plan_of("unified", request(), "veo3"), reply(body))


def test_a_finished_task_is_the_pages_example() -> None:
    seen = look()
    assert seen.state == "succeeded"
    assert [one.url for one in seen.outputs] == ["https://filesystem.site/cdn/20250901/v.mp4"]
    assert seen.started_at == datetime.fromtimestamp(1756693808, UTC)


@pytest.mark.parametrize(
    ("data", "urls"),
    [
        ({"output": "", "outputs": ["", ""]}, []),
        ({"output": "https://a/1", "outputs": ["", "https://a/2", "https://a/1"]}, ["https://a/1", "https://a/2"]),
        ({"outputs": ["https://a/1"], "cover": "https://a/c.png"}, ["https://a/1"]),
        ({"video_url": "https://a/1"}, ["https://a/1"]),
        ({"data": [{"url": "https://a/1"}, {"url": "https://a/2"}]}, ["https://a/1", "https://a/2"]),
        ("https://a/1", ["https://a/1"]),
        (None, []),
    ],
)
def test_output_and_outputs_are_merged_without_empty_strings(data: JsonValue, urls: list[str]) -> None:
    seen = look(data=data)
    assert [one.url for one in seen.outputs] == urls
    assert seen.state == ("succeeded" if urls else "running")
    assert seen.notes == (() if urls else (SUCCESS_WITHOUT_OUTPUT,))


def test_a_url_in_fail_reason_on_success_is_no_failure_but_the_result() -> None:
    seen = look(fail_reason="https://cdn.example/v.mp4", data=None)
    assert seen.state == "succeeded"
    assert [one.url for one in seen.outputs] == ["https://cdn.example/v.mp4"]
    assert [one.url for one in look(fail_reason="https://cdn.example/old.mp4").outputs] == [
        "https://filesystem.site/cdn/20250901/v.mp4"
    ]


@pytest.mark.parametrize(
    ("word", "state", "known"),
    [
        ("NOT_START", "queued", True),
        ("SUBMITTED", "queued", True),
        ("QUEUED", "queued", True),
        ("IN_PROGRESS", "running", True),
        ("UNKNOWN", "running", False),
        ("success", "running", False),
        ("failure", "running", False),
    ],
)
def test_states(word: str, state: str, known: bool) -> None:
    seen = look(status=word, progress="30%", start_time=0)
    assert (seen.state, seen.progress, seen.started_at) == (state, 0.3, None)
    assert (seen.notes == ()) == known


def test_a_wrapped_task_is_unwrapped() -> None:
    seen = WIRE.observation(job(), reply({"code": "success", "message": "", "data": TASK}))
    assert seen.state == "succeeded"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The prompt violates our policy", "content_violation"),
        ("图片包含真人", "content_violation"),
        ("任务超时", "timeout"),
        ("failed to download image", "invalid_media"),
        ("upstream crashed", "provider_error"),
        ("", "provider_error"),
        (None, "provider_error"),
    ],
)
def test_a_failed_tasks_reason_is_in_its_free_text(text: JsonValue, reason: str) -> None:
    seen = look(status="FAILURE", fail_reason=text, data=None)
    assert seen.failure is not None
    assert (seen.state, seen.failure.reason, seen.failure.charged) == ("failed", reason, "unknown")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (
            401,
            {"error": {"message": "无效的令牌 (request id: 1)", "type": "new_api_error", "code": ""}},
            "unauthorized",
        ),
        (402, {"error": {"message": "no"}}, "insufficient_credits"),
        (403, {"error": {"message": "x", "code": "insufficient_user_quota"}}, "insufficient_credits"),
        (403, {"error": {"message": "用户额度不足"}}, "insufficient_credits"),
        (403, {"error": {"message": "forbidden"}}, "unauthorized"),
        (404, {"message": "no"}, "unsupported"),
        (400, {"error": {"message": "bad size"}}, "invalid_input"),
        (422, {"error": "bad size"}, "invalid_input"),
        (429, {"error": {"message": "Too many requests"}}, "rate_limited"),
        (500, {"error": {"message": "当前分组上游负载已饱和"}}, "rate_limited"),
        (503, {"error": {"message": "No available channel for model x"}}, "unsupported"),
        (503, {"error": {"message": "x", "code": "model_not_found"}}, "unsupported"),
        (503, {"error": {"message": "down"}}, "provider_error"),
        (500, {"fail_reason": "boom"}, "provider_error"),
        (200, {"error": {"message": "余额不足"}}, "insufficient_credits"),
        (200, {"code": "fail", "message": "boom", "data": None}, "provider_error"),
        (503, b"<html>", "provider_error"),
    ],
)
def test_errors_come_in_many_shapes(status: int, body: JsonValue | bytes, reason: str) -> None:
    fault = WIRE.fault(reply(body, status), submitting=True)
    assert fault is not None
    assert fault.reason == reason


def test_an_unknown_task_is_http_400_task_not_exist() -> None:
    body: JsonValue = {"code": "task_not_exist", "message": "task_not_exist", "data": None}
    fault = WIRE.fault(reply(body, 400), submitting=False)
    assert fault is not None
    assert fault.reason == "not_found"


def test_a_failed_task_is_no_fault_of_the_poll() -> None:
    failed: dict[str, JsonValue] = {**TASK, "status": "FAILURE", "fail_reason": "boom"}
    assert WIRE.fault(reply(failed), submitting=False) is None
    assert WIRE.fault(reply({"code": "success", "data": failed}), submitting=False) is None


@pytest.mark.parametrize("body", [b"", [], {}, {"status": None}, {"data": {"x": 1}}])
def test_a_poll_that_holds_no_task_is_unintelligible(body: JsonValue | bytes) -> None:
    with pytest.raises(Unintelligible):
        WIRE.observation(job(), reply(body))


def test_nothing_can_be_checked_without_spending() -> None:
    assert WIRE.account_call() is None
    assert WIRE.models_call() is None
