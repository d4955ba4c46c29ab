"""RouteAny as its four pages print it."""

import re

import httpx
import pytest

from tests.gateways.client import RunningGateways

from .caller import Caller, JsonObject, at, keys_of, text_at

pytestmark = pytest.mark.anyio

CREATE = "/v1/models/google/veo-3.1/predictions"
PREDICTION = {
    "id", "model", "capability", "input", "logs", "output", "data_removed", "error", "source", "status", "metrics",
    "created_at", "started_at", "completed_at", "urls",
}  # fmt: skip
INPUT: JsonObject = {"prompt": "A cat walking on the beach at sunset", "aspect_ratio": "16:9", "duration": 5}


@pytest.fixture
def routeany(gateways: RunningGateways) -> Caller:
    return Caller(gateways, "routeany")


async def create(routeany: Caller, prompt: str, **inputs: str | int) -> str:
    answer = await routeany.post(CREATE, {"input": {"prompt": prompt, **inputs}})
    assert answer.status_code == 201
    return text_at(answer.json(), "id")


async def look(routeany: Caller, prediction_id: str) -> JsonObject:
    answer = await routeany.get(f"/v1/predictions/{prediction_id}")
    assert answer.status_code == 200
    content: JsonObject = answer.json()
    return content


def problem_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    assert keys_of(answer.json()) - {"errors"} == {"type", "title", "status", "detail", "code"}
    assert at(answer.json(), "status") == answer.status_code
    return answer.status_code, text_at(answer.json(), "code")


async def test_a_prediction_goes_from_starting_over_processing_to_one_output_address(
    routeany: Caller, gateways: RunningGateways
) -> None:
    answer = await routeany.post(CREATE, {"input": INPUT})
    created = answer.json()
    assert keys_of(created) == PREDICTION
    assert re.fullmatch(r"pred_[0-9A-Z]{26}", text_at(created, "id"))
    assert (at(created, "model"), at(created, "capability")) == ("google/veo-3.1", "text-to-video")
    assert (at(created, "source"), at(created, "status"), at(created, "input")) == ("api", "starting", INPUT)
    looks = [await look(routeany, text_at(created, "id")) for _ in range(3)]
    assert [seen["status"] for seen in looks] == ["starting", "processing", "succeeded"]
    assert [seen["started_at"] is None for seen in looks] == [True, False, False]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text_at(looks[-1], "completed_at"))
    media = await gateways.http.get(text_at(looks[-1], "output"))
    assert (media.status_code, media.content[4:8]) == (200, b"ftyp")
    assert await gateways.violations() == []


async def test_a_missing_prompt_is_the_page_s_validation_error(routeany: Caller) -> None:
    answer = await routeany.post(CREATE, {"input": {"aspect_ratio": "16:9"}})
    assert problem_of(answer) == (400, "VALIDATION_INVALID_ARGUMENT")
    assert at(answer.json(), "errors", 0, "field") == "input.prompt"
    assert at(answer.json(), "errors", 0, "code") == "VALIDATION_MISSING_FIELD"


async def test_unknown_input_is_silently_ignored_paid_and_recorded(routeany: Caller, gateways: RunningGateways) -> None:
    await create(routeany, "a cat", aspectRatio="9:16")
    assert [(found.kind, found.detail) for found in await gateways.violations()] == [
        ("unknown-field", "input.aspectRatio")
    ]
    assert (await gateways.charges()).total == 1


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("rate-limit", (429, "RATE_LIMIT_EXCEEDED")),
        ("server-error", (500, "INTERNAL")),
        ("unknown-model", (404, "RESOURCE_NOT_FOUND")),
        ("no-credits", (402, "BILLING_INSUFFICIENT_CREDIT")),
    ],
)
async def test_a_refusal_is_a_problem_and_creates_no_job(
    routeany: Caller, gateways: RunningGateways, word: str, expected: tuple[int, str]
) -> None:
    answer = await routeany.post(CREATE, {"input": {"prompt": f"[{word}]"}})
    assert problem_of(answer) == expected
    assert await gateways.jobs() == []


async def test_a_key_is_needed(routeany: Caller) -> None:
    answer = await routeany.post(CREATE, {"input": INPUT}, Authorization="Bearer rk_live_wrong")
    assert problem_of(answer) == (401, "AUTH_INVALID_TOKEN")


async def test_cancelling_answers_canceled_with_one_l_and_stays_so(routeany: Caller) -> None:
    prediction_id = await create(routeany, "a cat")
    answer = await routeany.post(f"/v1/predictions/{prediction_id}/cancel")
    assert at(answer.json(), "status") == "canceled"
    assert [(await look(routeany, prediction_id))["status"] for _ in range(4)] == ["canceled"] * 4


async def test_the_list_is_newest_first_in_pages(routeany: Caller) -> None:
    ids = [await create(routeany, f"number {number}") for number in range(3)]
    first = (await routeany.get("/v1/predictions", limit="2")).json()
    rest = (await routeany.get("/v1/predictions", limit="2", offset="2")).json()
    assert keys_of(first) == {"results", "next", "previous", "total_count"}
    assert [at(first, "results", index, "id") for index in range(2)] == [ids[2], ids[1]]
    assert [at(rest, "results", 0, "id"), at(rest, "next"), at(rest, "total_count")] == [ids[0], None, 3]
