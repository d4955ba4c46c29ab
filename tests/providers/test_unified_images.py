"""Images of the unified format's relatives, by `/v1/images/…?async=true`: from their clients and a new-api's page.

`providers/formats/unified_images.py` says what is known of it.
"""

import base64

import pytest
from pydantic import JsonValue

from rushes.domain.errors import RequestRefused
from rushes.domain.hooks import TOKEN_STAND_IN, HookKeys, HookReading, HookRequest, asking_to_call
from rushes.domain.job import Job, Observation, Plan
from rushes.domain.request import GenerationRequest
from rushes.providers.checks import check_request
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.client.multipart import form_parts
from rushes.providers.fact_files import load_facts
from rushes.providers.registry import format_class

from .replies import NOW, make_format, reply, settings
from .requests import PNG, held, linked, request

ASYNC: dict[str, JsonValue] = {"images": "async"}
WIRE = make_format("unified", **ASYNC)
PUBLIC = "https://rushes.example"
PNG_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()


def provider(*, public_url: str | None = PUBLIC, **options: JsonValue) -> HttpProvider:
    configured = settings("unified", options={**ASYNC, **options}).model_copy(update={"public_url": public_url})
    return HttpProvider(configured, format_class("unified")(configured), load_facts("unified"))


def planned(asked: GenerationRequest, made: HttpProvider | None = None) -> Plan:
    made = made or provider()
    facts = made.unlisted_model("nano-banana-2", "image")
    assert facts is not None
    check_request(asked, facts, "yuto")
    return made.plan(asked, facts)


def look(**task: JsonValue) -> Observation:
    job = Job(job_id="task_1", model="m", details={"scope": "images", "async": True})
    return WIRE.observation(job, reply({"code": "success", "message": "", "data": {"task_id": "task_1", **task}}))


def test_text_becomes_json_with_the_fields_that_clients_send() -> None:
    asked = request("image", aspect_ratio="16:9", resolution="2k", size="1024x1024", count=2, seed=7)
    plan = planned(asked)
    assert (plan.path, plan.query, plan.encoding) == ("/v1/images/generations", {"async": "true"}, "json")
    assert plan.body == {
        "prompt": "a red fox",
        "model": "nano-banana-2",
        "aspect_ratio": "16:9",
        "size": "1024x1024",
        "image_size": "2K",
        "n": 2,
        "seed": 7,
    }


def test_images_become_the_parts_of_a_form_each_under_the_same_name() -> None:
    plan = planned(request("image", held("input_image"), held("input_image"), seed=7))
    assert (plan.path, plan.encoding) == ("/v1/images/edits", "multipart")
    parts = form_parts(plan.body)
    assert [(name, part[0]) for name, part in parts] == [
        ("prompt", None),
        ("model", None),
        ("seed", None),
        ("image", "image.png"),
        ("image", "image.png"),
    ]
    assert parts[3][1][1] == PNG
    with pytest.raises(RequestRefused, match="as a file or data URL only"):
        planned(request("image", linked("input_image")))


def test_videos_and_without_the_switch_images_too_go_the_way_of_the_vendors_page() -> None:
    facts = load_facts("unified")
    assert WIRE.plan(request(), facts.unlisted_model("new", "video")).path == "/v2/videos/generations"
    plain = make_format("unified")
    assert plain.plan(request("image"), facts.unlisted_model("new", "image")).path == "/v2/images/generations"


@pytest.mark.parametrize("answer", [{"task_id": "task_1"}, {"code": "success", "message": "", "data": "task_1234"}])
def test_the_job_is_polled_where_its_images_are(answer: dict[str, JsonValue]) -> None:
    submission = WIRE.submission(planned(request("image")), reply(answer))
    assert WIRE.poll_call(submission.job).path == f"/v1/images/tasks/{submission.job.job_id}"


def test_a_look_shows_the_images_that_openais_endpoint_would_have_given() -> None:
    rows: list[JsonValue] = [{"url": "https://cdn.example/1.png"}, {"b64_json": base64.b64encode(PNG).decode()}]
    seen = look(status="SUCCESS", progress="100%", fail_reason="", data={"created": 1, "data": rows})
    assert seen.state == "succeeded"
    assert [(output.url, output.content) for output in seen.outputs] == [
        ("https://cdn.example/1.png", None),
        (None, PNG),
    ]
    assert [look(status=word, data=None).state for word in ("NOT_START", "IN_PROGRESS")] == ["queued", "running"]
    failed = look(status="FAILURE", fail_reason="sensitive words detected", data=None)
    assert failed.failure is not None
    assert failed.failure.reason == "content_violation"
    assert look(status="SUCCESS", data={"data": []}).state == "running"


def test_the_webhook_is_a_field_of_the_query_and_stands_in_no_body() -> None:
    plan = planned(request("image"))
    assert (plan.callback, plan.query) == ({"webhook": f"{PUBLIC}/hooks/unified/{TOKEN_STAND_IN}"}, {"async": "true"})
    post = asking_to_call(plan, HookKeys("t0ken", "s3cret"))
    assert post.query == {"async": "true", "webhook": f"{PUBLIC}/hooks/unified/t0ken"}
    assert (post.body, post.path, post.callback) == (plan.body, plan.path, {})


def test_videos_beside_it_are_asked_to_call_back_only_where_the_configuration_says_so() -> None:
    veo = load_facts("unified").unlisted_model("veo", "video")
    assert provider().plan(request(), veo).callback == {}
    assert set(provider(callback="notify_hook").plan(request(), veo).callback) == {"notify_hook"}
    assert set(planned(request("image"), provider(callback="notify_hook")).callback) == {"webhook"}


def test_a_webhook_of_the_persons_own_goes_into_the_query_and_ours_is_left_out_with_a_word() -> None:
    plan = planned(request("image", provider_options={"webhook": "https://me.example/x"}))
    assert (plan.query["webhook"], plan.callback) == ("https://me.example/x", {})
    assert "webhook" not in plan.body
    assert any("looks by itself" in warning for warning in plan.warnings)


@pytest.mark.parametrize("url", ["http://me.example/x", "https://10.0.0.7/x", "not a url", 7])
def test_an_own_webhook_that_cannot_be_called_is_refused_before_it_is_paid_for(url: JsonValue) -> None:
    with pytest.raises(RequestRefused, match=r"provider_options\.webhook must be an https URL") as caught:
        planned(request("image", provider_options={"webhook": url}))
    assert caught.value.charged == "no"


@pytest.mark.parametrize(("status", "goes_on"), [("IN_PROGRESS", True), ("SUCCESS", False), ("FAILURE", False)])
def test_a_hook_is_read_as_a_look_is(status: str, goes_on: bool) -> None:
    body = f'{{"code": "success", "data": {{"task_id": "t", "status": "{status}"}}}}'.encode()
    assert provider().read_hook(HookRequest({}, body), "", NOW) == HookReading(None, goes_on)
