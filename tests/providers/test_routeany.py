"""RouteAny, from its own pages (`providers/facts/routeany.toml` names them row by row); and Replicate, which speaks the
same, from its HTTP reference.
"""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import JsonValue

from rushes.domain.errors import RequestRefused
from rushes.domain.job import SUCCESS_WITHOUT_OUTPUT, Observation
from rushes.providers.checks import check_request
from rushes.providers.format import Unintelligible
from rushes.providers.formats.comparing import contradicts, shows

from .replies import NOW, facts_of, job, make_format, plan_of, reply
from .requests import held, linked, request

WIRE = make_format("routeany")
PREDICTION: dict[str, JsonValue] = {
    "id": "pred_01HXYZ",
    "model": "google/veo-3.1",
    "capability": "text-to-video",
    "input": {},
    "logs": "string",
    "output": None,
    "data_removed": False,
    "error": None,
    "source": "api",
    "status": "starting",
    "metrics": {"predict_time": 0, "total_time": 0},
    "created_at": "2026-11-20T11:59:58Z",
    "started_at": None,
    "completed_at": None,
    "urls": {"cancel": "http://evil.example/cancel", "get": "http://evil.example/get", "web": "http://evil.example"},
}


def look(**changes: JsonValue) -> Observation:
    return WIRE.observation(job("pred_01HXYZ"), reply({**PREDICTION, **changes}))


def test_text_to_video_is_the_pages_example() -> None:
    asked = request(prompt="A cat walking on the beach at sunset", aspect_ratio="16:9", duration_seconds=5)
    check_request(asked, facts_of("routeany", "veo-3.1"), "routeany")
    plan = plan_of("routeany", asked, "veo-3.1")
    assert plan.path == "/v1/models/google/veo-3.1/predictions"
    assert plan.body == {
        "input": {"prompt": "A cat walking on the beach at sunset", "aspect_ratio": "16:9", "duration": 5}
    }
    assert type(plan.body["input"]["duration"]) is int  # type: ignore[index,call-overload]


@pytest.mark.parametrize("inputs", [{"negative_prompt": "rain"}, {"resolution": "1080p"}, {"audio": True}, {"seed": 1}])
def test_an_input_that_the_gateway_would_ignore_and_charge_for_is_refused(inputs: dict[str, JsonValue]) -> None:
    asked = request(**inputs)
    with pytest.raises(RequestRefused, match=next(iter(inputs))) as caught:
        check_request(asked, facts_of("routeany", "veo-3.1"), "routeany")
    assert caught.value.reason == "unsupported"
    with pytest.raises(RequestRefused, match="documents") as caught:
        plan_of("routeany", asked, "veo-3.1")
    assert caught.value.hint is not None
    assert "provider_options" in caught.value.hint


def test_provider_options_go_into_the_input_under_the_gateways_names() -> None:
    options: JsonValue = {"negative_prompt": "rain", "webhook": "https://me.example/hook"}
    plan = plan_of("routeany", request(provider_options=options), "veo-3.1")
    assert plan.body == {
        "webhook": "https://me.example/hook",
        "input": {"prompt": "a red fox", "negative_prompt": "rain"},
    }


@pytest.mark.parametrize(
    ("options", "inputs"),
    [({"duration": 8}, {"duration_seconds": 4}), ({"prompt": "another"}, {})],
)
def test_provider_options_cannot_contradict_the_request(
    options: dict[str, JsonValue], inputs: dict[str, JsonValue]
) -> None:
    with pytest.raises(RequestRefused, match="contradicts") as caught:
        plan_of("routeany", request(provider_options=options, **inputs), "veo-3.1")
    assert caught.value.reason == "invalid_input"


def test_an_option_that_repeats_the_request_passes() -> None:
    plan = plan_of("routeany", request(duration_seconds=4, provider_options={"duration": 4}), "veo-3.1")
    assert plan.body["input"] == {"prompt": "a red fox", "duration": 4}


def test_assumed_names_of_image_inputs_are_told() -> None:
    asked = request("video", linked("image"), linked("last_frame", "https://example.com/b.png"))
    plan = plan_of("routeany", asked, "veo-3.1")
    assert plan.body["input"] == {
        "prompt": "a red fox",
        "image": "https://example.com/a.png",
        "last_frame": "https://example.com/b.png",
    }
    assert [warning.count("is assumed") for warning in plan.warnings] == [1, 1]
    references = plan_of("routeany", request("video", linked("reference_image")), "veo-3.1")
    assert references.body["input"] == {"prompt": "a red fox", "reference_images": ["https://example.com/a.png"]}


def test_names_can_be_configured_and_then_pass_the_checks() -> None:
    names: JsonValue = {"image": "start_image", "negative_prompt": "negative_prompt", "reference_videos": "video_refs"}
    facts = make_format("routeany", input_names=names).adapt_facts(facts_of("routeany", "veo-3.1"))
    asked = request("video", linked("image"), negative_prompt="rain")
    check_request(asked, facts, "routeany")
    plan = plan_of("routeany", asked, "veo-3.1", input_names=names)
    assert plan.warnings == ()
    assert plan.body["input"] == {
        "prompt": "a red fox",
        "negative_prompt": "rain",
        "start_image": "https://example.com/a.png",
    }
    videos = plan_of("routeany", request("video", linked("reference_video")), "veo-3.1", input_names=names)
    assert videos.body["input"] == {"prompt": "a red fox", "video_refs": ["https://example.com/a.png"]}


def test_media_held_as_bytes_are_refused() -> None:
    with pytest.raises(RequestRefused, match="by https URL only"):
        check_request(request("video", held("image")), facts_of("routeany", "veo-3.1"), "routeany")


@pytest.mark.parametrize("model", ["veo", "a/b/c", "/x", "x/", "../x", "a/.."])
def test_a_model_must_be_owner_and_name(model: str) -> None:
    with pytest.raises(RequestRefused):
        plan_of("routeany", request(), model)


def test_a_models_name_cannot_change_the_path() -> None:
    assert plan_of("routeany", request(), "acme/m?x=1#y:z").path == "/v1/models/acme/m%3Fx%3D1%23y%3Az/predictions"


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("starting", "queued"),
        ("processing", "running"),
        ("canceled", "cancelled"),
        ("cancelled", "cancelled"),
        ("aborted", "cancelled"),
    ],
)
def test_states(word: str, state: str) -> None:
    assert look(status=word).state == state


def test_an_unknown_state_word_is_running_and_noted() -> None:
    seen = look(status="SUCCEEDED")
    assert seen.state == "running"
    assert seen.notes == ('The gateway\'s status word is not known. The gateway says: "SUCCEEDED"',)


def test_an_answer_without_a_status_is_no_prediction() -> None:
    with pytest.raises(Unintelligible):
        look(status=None)


@pytest.mark.parametrize(
    ("output", "urls"),
    [
        ("https://cdn.example/v.mp4", ["https://cdn.example/v.mp4"]),
        (
            ["https://cdn.example/1.mp4", "", "https://cdn.example/2.mp4"],
            ["https://cdn.example/1.mp4", "https://cdn.example/2.mp4"],
        ),
        ({"video": "https://cdn.example/v.mp4", "seed": 7}, ["https://cdn.example/v.mp4"]),
        ([{"url": "https://cdn.example/v.mp4"}, "https://cdn.example/v.mp4"], ["https://cdn.example/v.mp4"]),
    ],
)
def test_output_is_a_string_here_and_any_json_at_replicate(output: JsonValue, urls: list[str]) -> None:
    seen = look(status="succeeded", output=output)
    assert seen.state == "succeeded"
    assert [one.url for one in seen.outputs] == urls


@pytest.mark.parametrize("output", [None, "", "string", [], {}, 5])
def test_success_without_an_output_is_still_running(output: JsonValue) -> None:
    seen = look(status="succeeded", output=output)
    assert (seen.state, seen.notes) == ("running", (SUCCESS_WITHOUT_OUTPUT,))


def test_success_whose_data_were_removed_has_an_expired_result() -> None:
    seen = look(status="succeeded", output=None, data_removed=True)
    assert seen.state == "failed"
    assert seen.failure is not None
    assert (seen.failure.reason, seen.failure.charged) == ("result_expired", "yes")


def test_data_removed_does_not_hide_an_output_that_is_there() -> None:
    assert look(status="succeeded", output="https://cdn.example/v.mp4", data_removed=True).state == "succeeded"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": "CONTENT_POLICY", "message": "no"}, "content_violation"),
        ({"code": "GENERATION_TIMEOUT", "message": "no"}, "timeout"),
        ({"code": "INVALID_PROMPT", "message": "no"}, "invalid_input"),
        ({"code": "IMAGE_DOWNLOAD_FAILED", "message": "no"}, "invalid_media"),
        ({"code": "CREDIT_LOW", "message": "no"}, "insufficient_credits"),
        ({"code": "E42", "message": "the prompt was flagged as sensitive"}, "content_violation"),
        ({"code": "E42", "message": "no"}, "provider_error"),
        ("NSFW content detected", "content_violation"),
        ("CUDA out of memory", "provider_error"),
        (None, "provider_error"),
        (["odd"], "provider_error"),
    ],
)
def test_a_failed_predictions_error_is_an_object_or_at_replicate_a_string(error: JsonValue, reason: str) -> None:
    seen = look(status="failed", error=error)
    assert seen.failure is not None
    assert (seen.state, seen.failure.reason, seen.failure.charged) == ("failed", reason, "unknown")


def test_an_error_beside_a_running_status_does_not_end_the_job() -> None:
    assert look(status="processing", error={"code": "X", "message": "retrying"}).state == "running"


PROBLEMS: list[tuple[int, dict[str, JsonValue], str]] = [
    (
        400,
        {
            "type": "https://api.routeany.com/errors/validation-error",
            "title": "Validation Error",
            "status": 400,
            "detail": "The 'prompt' field is required",
            "code": "VALIDATION_INVALID_ARGUMENT",
            "errors": [{"field": "input.prompt", "code": "VALIDATION_MISSING_FIELD", "message": "prompt is required"}],
        },
        "invalid_input",
    ),
    (
        401,
        {"title": "Unauthorized", "detail": "Invalid or missing API key", "code": "AUTH_INVALID_TOKEN"},
        "unauthorized",
    ),
    (404, {"title": "Not Found", "detail": "The resource was not found", "code": "RESOURCE_NOT_FOUND"}, "unsupported"),
    (429, {"detail": "Please retry after 60 seconds.", "code": "RATE_LIMIT_EXCEEDED"}, "rate_limited"),
    (429, {"detail": "Request was throttled, quota used up. Your rate limit resets in ~30s."}, "rate_limited"),
    (
        500,
        {"title": "Internal Server Error", "detail": "An unexpected error occurred", "code": "INTERNAL"},
        "provider_error",
    ),
    (402, {"title": "Payment required", "detail": "You have insufficient credit"}, "insufficient_credits"),
    (403, {"detail": "Account balance too low", "code": "BILLING"}, "insufficient_credits"),
    (403, {"detail": "Forbidden"}, "unauthorized"),
    (422, {"detail": "Input validation failed"}, "invalid_input"),
]


@pytest.mark.parametrize(("status", "body", "reason"), PROBLEMS)
def test_a_problem_document_becomes_a_reason(status: int, body: dict[str, JsonValue], reason: str) -> None:
    fault = WIRE.fault(reply(body, status), submitting=True)
    assert fault is not None
    assert fault.reason == reason
    assert str(body.get("detail", body.get("title"))) in fault.message


def test_a_problem_names_the_fields_at_fault() -> None:
    body: JsonValue = {
        "detail": "Bad input",
        "errors": [{"field": "input.seed", "message": "must be a number"}, "odd", 5],
    }
    fault = WIRE.fault(reply(body, 400), submitting=True)
    assert fault is not None
    assert fault.message == "Bad input; input.seed: must be a number"


def test_the_http_status_is_trusted_over_the_bodys() -> None:
    fault = WIRE.fault(reply({"status": 400, "detail": "x"}, 500), submitting=True)
    assert fault is not None
    assert fault.reason == "provider_error"


def test_a_prediction_is_polled_and_cancelled_by_its_id_and_never_by_its_own_urls() -> None:
    plan = plan_of("routeany", request(), "veo-3.1")
    submitted = WIRE.submission(plan, reply(PREDICTION, 201)).job
    assert WIRE.poll_call(submitted).path == "/v1/predictions/pred_01HXYZ"
    cancel = WIRE.cancel_call(submitted)
    assert (cancel.method, cancel.path) == ("POST", "/v1/predictions/pred_01HXYZ/cancel")
    assert WIRE.poll_call(job("a/b:c")).path == "/v1/predictions/a%2Fb%3Ac"


@pytest.mark.parametrize(
    "body", [{}, [], b"ok", {**PREDICTION, "id": None}, {**PREDICTION, "id": ".."}, {"id": "x" * 1025}]
)
def test_a_success_without_an_id_tells_of_no_job(body: JsonValue | bytes) -> None:
    with pytest.raises(Unintelligible):
        WIRE.submission(plan_of("routeany", request(), "veo-3.1"), reply(body))


def test_inputs_that_the_gateway_did_not_take_are_noted() -> None:
    plan = plan_of("routeany", request(duration_seconds=8, aspect_ratio="16:9"), "veo-3.1")
    shown: JsonValue = {"prompt": "a red fox", "duration": 5}
    submission = WIRE.submission(plan, reply({**PREDICTION, "input": shown}))
    assert submission.observation.notes == (
        "the gateway does not show these inputs as it got them: aspect_ratio, duration",
    )


def test_an_empty_input_in_the_answer_says_nothing() -> None:
    plan = plan_of("routeany", request(duration_seconds=8), "veo-3.1")
    assert WIRE.submission(plan, reply(PREDICTION)).observation.notes == ()


def listed(**changes: JsonValue) -> dict[str, JsonValue]:
    return {**PREDICTION, "input": {"prompt": "a red fox", "duration": 8}, **changes}


def find(*rows: JsonValue, date: str | None = None, known: tuple[str, ...] = ()) -> list[str] | None:
    plan = plan_of("routeany", request(duration_seconds=8), "veo-3.1")
    headers = {"date": date} if date else {}
    jobs = WIRE.found_jobs(plan, reply({"results": list(rows)}, headers=headers), NOW, known)
    return None if jobs is None else [one.job_id for one in jobs]


EXACT_DATE = "Fri, 20 Nov 2026 12:00:00 GMT"


def test_a_lost_job_is_found_by_model_input_and_time_newest_first() -> None:
    at = [(NOW + timedelta(seconds=offset)).isoformat() for offset in (1, 2)]
    rows = [listed(id="a", created_at=at[0]), listed(id="b", created_at=at[1])]
    assert find(*rows, date=EXACT_DATE) == ["b", "a"]
    assert find(*rows, date=EXACT_DATE, known=("b",)) == ["a"]


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "openai/sora-2"},
        {"input": {"prompt": "a blue fox", "duration": 8}},
        {"input": {"prompt": "a red fox", "duration": "5"}},
        {"created_at": "2026-11-20T11:59:40Z"},
        {"created_at": None},
        {"id": None},
    ],
)
def test_another_job_is_not_taken_for_the_lost_one(changes: dict[str, JsonValue]) -> None:
    assert find(listed(**{"created_at": "2026-11-20T12:00:01Z", **changes}), date=EXACT_DATE) is None


def test_the_gateways_clock_counts_where_it_shows_one() -> None:
    row = listed(created_at="2026-11-20T11:00:01Z")
    assert find(row, date="Fri, 20 Nov 2026 11:00:00 GMT") == ["pred_01HXYZ"]
    assert find(row, date=EXACT_DATE) is None
    assert find(listed(created_at="2026-11-20T11:59:30Z")) == ["pred_01HXYZ"]


def test_a_full_page_without_a_match_asks_for_the_next() -> None:
    assert find(*[listed(model="x/y")] * 100) == []
    call = WIRE.jobs_call(100)
    assert (call.path, dict(call.query)) == ("/v1/predictions", {"limit": "100", "offset": "100"})


@pytest.mark.parametrize("body", [b"", [], {"results": "x"}])
def test_junk_instead_of_a_list_is_unintelligible(body: JsonValue | bytes) -> None:
    with pytest.raises(Unintelligible):
        WIRE.found_jobs(plan_of("routeany", request(), "veo-3.1"), reply(body), datetime.now(UTC), ())


def test_listing_one_prediction_checks_the_key() -> None:
    call = WIRE.account_call()
    assert call is not None
    assert (call.method, call.path, dict(call.query)) == ("GET", "/v1/predictions", {"limit": "1"})
    assert WIRE.account(reply({"results": [], "total_count": 3})).ok
    assert WIRE.account(reply([])).ok


@pytest.mark.parametrize(
    "shown",
    [
        {},
        None,
        {"prompt": "a red fox"},
        {"prompt": " a  red fox", "duration": "8"},
        {"prompt": "a red fox", "duration": 8.0, "aspect_ratio": "16:9"},
        {"duration": None},
    ],
)
def test_a_lost_job_is_found_though_the_list_shows_its_input_in_another_form(shown: JsonValue) -> None:
    assert find(listed(input=shown, created_at="2026-11-20T12:00:01Z"), date=EXACT_DATE) == ["pred_01HXYZ"]


def test_of_two_jobs_that_may_be_the_lost_one_none_is_taken() -> None:
    rows = [listed(id=name, input={}, created_at="2026-11-20T12:00:01Z") for name in ("a", "b")]
    assert find(*rows, date=EXACT_DATE) is None
    assert find(*rows, date=EXACT_DATE, known=("b",)) == ["a"]
    sure = listed(id="c", created_at="2026-11-20T12:00:01Z")
    assert find(*rows, sure, date=EXACT_DATE) == ["c"]


def test_a_job_of_which_nothing_is_shown_must_have_been_made_soon_after() -> None:
    assert find(listed(input={}, created_at="2026-11-20T12:30:00Z"), date=EXACT_DATE) is None


def test_media_that_the_gateway_copied_are_still_the_ones_that_were_sent() -> None:
    sent: JsonValue = {"image": "https://mine.example/a.png", "refs": ["https://mine.example/b.png"]}
    assert shows(sent, {"image": "https://gate.example/1", "refs": ["https://gate.example/2"]})
    assert contradicts(sent, {"refs": ["https://gate.example/2", "https://gate.example/3"]})
    assert contradicts(sent, {"image": "none"})
