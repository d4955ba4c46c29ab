"""Every sentence of `sentences.toml`, in a failed task of every gateway and as the refusal of a POST."""

import pytest
from pydantic import JsonValue

from rushes.domain.errors import SubmissionRefused
from rushes.domain.failure import Failure
from rushes.domain.job import Job
from rushes.domain.request import GenerationRequest, MediaRole

from .replies import Gateway, always, facts_of, job, make_format, provider, reply
from .requests import linked, request
from .sentences import INVENTED, PAGES, REFUSED, RefusedPost, Sentence

ROLES: dict[str, MediaRole] = {"image": "image", "video": "reference_video", "audio": "reference_audio"}


def in_a_failed_task(text: str) -> dict[str, tuple[str, dict[str, JsonValue]]]:
    """Where each gateway says why a task failed: the wire, and the body of the answer to a look."""
    shuyou: dict[str, JsonValue] = {"task_id": "t", "task_status": "failed"}
    return {
        "routeany": ("routeany", {"id": "p", "status": "failed", "error": {"code": "E42", "message": text}}),
        "replicate": ("routeany", {"id": "p", "status": "failed", "error": text}),
        "yuto": ("unified", {"task_id": "t", "status": "FAILURE", "fail_reason": text}),
        "shuyou": ("shuyou", {"code": "0", "data": {**shuyou, "error": {"type": "other", "message": text}}}),
        "shuyou, text": ("shuyou", {"code": "0", "data": {**shuyou, "fail_reason": text}}),
        "llmgateway": ("llmgateway", {"id": "v", "status": "failed", "error": {"message": text}}),
        "openai": ("openai-videos", {"id": "v", "status": "failed", "error": {"code": "failed", "message": text}}),
        "apixo": ("apixo", {"code": 200, "message": "success", "data": {"state": "failed", "failMsg": text}}),
    }


def the_job(given: frozenset[str]) -> Job:
    media: list[JsonValue] = [*sorted(given)]
    return job(media=media)


def failure_of(wire: str, body: dict[str, JsonValue], given: frozenset[str]) -> Failure:
    seen = make_format(wire).observation(the_job(given), reply(body))
    assert seen.failure is not None
    return seen.failure


@pytest.mark.parametrize("sentence", [*PAGES, *INVENTED], ids=lambda each: f"{each.text} {sorted(each.given)}")
def test_a_sentence_gives_its_reason_and_money_state_at_every_gateway(sentence: Sentence) -> None:
    told = {
        name: failure_of(wire, body, sentence.given) for name, (wire, body) in in_a_failed_task(sentence.text).items()
    }
    documented = {"llmgateway": "no"}
    expected = {name: (sentence.reason, sentence.money or documented.get(name, "unknown")) for name in told}
    assert {name: (why.reason, why.charged) for name, why in told.items()} == expected
    assert all(sentence.text in why.message for why in told.values())


def test_the_table_is_large_enough_and_says_where_each_sentence_is_from() -> None:
    assert len(PAGES) + len(INVENTED) >= 150
    assert all(each.source for each in PAGES)
    assert not any(each.source for each in INVENTED)
    keys = [(each.text, each.given) for each in [*PAGES, *INVENTED]]
    assert len(keys) == len(set(keys))


def asked(gateway: str, given: frozenset[str]) -> GenerationRequest:
    seconds: dict[str, JsonValue] = {} if gateway == "apixo" else {"duration_seconds": 8}
    return request("video", *(linked(ROLES[kind]) for kind in sorted(given)), **seconds)


def refusing(row: RefusedPost) -> Gateway:
    """The gateway's own form of an error."""
    code = row.code or str(row.status)
    bodies: dict[str, JsonValue] = {
        "routeany": {"title": "No", "detail": row.text, "code": row.code or "REFUSED", "status": row.status},
        "apixo": {"code": int(code) if code.isdigit() else row.status, "message": row.text, "data": None},
        "shuyou": {"code": code, "message": row.text, "data": None}
        if row.status == 200
        else {"error": {"code": code, "type": "other", "message": row.text}},
    }
    openai: JsonValue = {"error": {"message": row.text, "type": row.code or "other"}}
    return always(row.status, json=bodies.get(row.gateway, openai))


@pytest.mark.anyio
@pytest.mark.parametrize("row", REFUSED, ids=lambda row: f"{row.gateway} {row.status} {row.text} {sorted(row.given)}")
async def test_a_refused_post_has_its_reason_and_costs_nothing(row: RefusedPost) -> None:
    made = provider(row.gateway, refusing(row))
    facts = facts_of(row.gateway, "google/veo-3.1" if row.gateway == "routeany" else "veo-3.1")
    with pytest.raises(SubmissionRefused) as caught:
        await made.submit(made.plan(asked(row.gateway, row.given), facts))
    assert (caught.value.reason, caught.value.charged) == (row.reason, "no")
    assert row.text in caught.value.message


@pytest.mark.anyio
@pytest.mark.parametrize("given", [frozenset[str](), frozenset({"image"})], ids=["text", "image"])
async def test_a_job_knows_which_media_went_in(given: frozenset[str]) -> None:
    made = provider("shuyou", always(200, json={"data": {"task_id": "t", "task_status": "processing"}}))
    submission = await made.submit(made.plan(asked("shuyou", given), facts_of("shuyou", "veo-3.1")))
    body = in_a_failed_task("failed to download image")["shuyou"][1]
    seen = make_format("shuyou").observation(submission.job, reply(body))
    assert seen.failure is not None
    assert seen.failure.reason == ("invalid_media" if given else "provider_error")


@pytest.mark.parametrize("cost", [0.3, 0])
def test_a_cost_that_is_told_in_numbers_is_believed_over_words(cost: float) -> None:
    data: dict[str, JsonValue] = {"task_id": "t", "task_status": "failed", "fail_reason": "Credits refunded"}
    seen = make_format("shuyou").observation(job(), reply({"code": "0", "data": data, "usage": {"cost": cost}}))
    assert seen.failure is not None
    assert seen.failure.charged == ("yes" if cost else "no")


@pytest.mark.parametrize(
    "text",
    [
        "You may request a refund of your credits",
        "Credits are not refundable",
        "Your credits could not be refunded",
        "Failed to refund credits",
        "We were unable to refund your credits",
        "The refund of your credits has failed",
        "Credits were returned as an invalid number",
        "If credits were deducted they will be refunded",
        "The payment service returned an error",
        "Upstream returned an invalid balance",
        "You were charged 12 credits",
        'Unknown words in "a sign that says no credits were charged"',
        "退款失败: 不支持退款",
    ],
)
def test_a_refund_that_is_only_possible_or_denied_says_nothing_about_money(text: str) -> None:
    for wire, body in in_a_failed_task(text).values():
        if wire != "llmgateway":
            assert failure_of(wire, body, frozenset()).charged == "unknown"


@pytest.mark.parametrize(
    "text",
    [
        "Failed (credits returned)",
        "Your 12 credits have been returned.",
        "Generation failed, your balance has been restored",
        "Generation failed to start. Credits refunded",
        "Refund issued because the generation failed",
    ],
)
def test_what_was_given_back_was_not_charged(text: str) -> None:
    for wire, body in in_a_failed_task(text).values():
        assert failure_of(wire, body, frozenset()).charged == "no"


def test_the_code_of_a_failed_prediction_speaks_of_what_went_in_only_if_something_did() -> None:
    for code, given, reason in [
        ("IMAGE_GENERATION_FAILED", {"image"}, "provider_error"),
        ("IMAGE_GENERATION_FAILED", set[str](), "provider_error"),
        ("IMAGE_DOWNLOAD_FAILED", {"image"}, "invalid_media"),
        ("IMAGE_DOWNLOAD_FAILED", set[str](), "provider_error"),
        ("INVALID_IMAGE", {"image"}, "invalid_media"),
        ("INVALID_PROMPT", {"image"}, "invalid_input"),
    ]:
        body: dict[str, JsonValue] = {"id": "p", "status": "failed", "error": {"code": code, "message": "no"}}
        assert failure_of("routeany", body, frozenset(given)).reason == reason


def test_a_long_text_takes_no_long_time_to_be_read() -> None:
    for text in ("image " * 4000, "no credits " * 3000, "a" * 100_000, "failed to download the " * 2000):
        body = in_a_failed_task(text)["apixo"][1]
        assert failure_of("apixo", body, frozenset({"image"})).message
