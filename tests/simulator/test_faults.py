"""Faults of answers and connections, the same at every gateway; tried at APIXO and RouteAny."""

import json
from collections.abc import Callable

import anyio
import httpx
import pytest
from pydantic import JsonValue

from tests.gateways.client import RunningGateways

from .caller import Caller, at, text_at

pytestmark = pytest.mark.anyio

CREATE = "/v1/models/google/veo-3.1/predictions"


@pytest.fixture
def routeany(gateways: RunningGateways) -> Caller:
    return Caller(gateways, "routeany")


async def create(routeany: Caller, prompt: str) -> httpx.Response:
    with anyio.fail_after(10):
        return await routeany.post(CREATE, {"input": {"prompt": prompt}})


async def prediction(routeany: Caller, prompt: str) -> str:
    return text_at((await create(routeany, prompt)).json(), "id")


CUTS: list[tuple[str, type[httpx.TransportError]]] = [
    ("lost-after-accept", httpx.RemoteProtocolError),
    ("cut", httpx.RemoteProtocolError),
    ("reset", httpx.ReadError),
    ("half-response", httpx.RemoteProtocolError),
    ("not-http", httpx.RemoteProtocolError),
    ("hang", httpx.ReadTimeout),
]


@pytest.mark.parametrize(("word", "error"), CUTS)
async def test_a_lost_answer_leaves_exactly_one_paid_job(
    routeany: Caller, gateways: RunningGateways, word: str, error: type[httpx.TransportError]
) -> None:
    gateways.http.timeout = httpx.Timeout(20, read=0.5)
    with pytest.raises(error):
        await create(routeany, f"a cat [{word}]")
    gateways.http.timeout = httpx.Timeout(20)
    assert [job.prompt for job in await gateways.jobs()] == [f"a cat [{word}]"]
    assert (await gateways.charges()).total == 1


@pytest.mark.parametrize("word", ["cut-before-accept", "reset-before-accept"])
async def test_the_same_faults_before_acceptance_leave_no_job(
    routeany: Caller, gateways: RunningGateways, word: str
) -> None:
    with pytest.raises(httpx.TransportError):
        await create(routeany, f"a cat [{word}]")
    assert await gateways.jobs() == []


async def test_a_connection_can_end_before_the_body_is_read(routeany: Caller, gateways: RunningGateways) -> None:
    await gateways.set_behaviour("routeany", "reset-before-body")
    with pytest.raises(httpx.TransportError):
        await create(routeany, "x" * 5_000_000)
    assert (await create(routeany, "a cat")).status_code == 201
    assert len(await gateways.jobs()) == 1


@pytest.mark.parametrize(
    ("word", "status", "jobs"),
    [
        ("http:500", 500, 0),
        ("http-after-accept:500", 500, 1),
        ("http-empty:502", 502, 0),
        ("html-502", 502, 0),
        ("html-502-after-accept", 502, 1),
        ("html-200", 200, 1),
        ("junk-json", 200, 1),
        ("empty-200", 200, 1),
        ("redirect:302", 302, 0),
    ],
)
async def test_a_bad_answer_to_a_create_says_in_its_name_whether_the_job_was_accepted(
    routeany: Caller, gateways: RunningGateways, word: str, status: int, jobs: int
) -> None:
    answer = await create(routeany, f"a cat [{word}]")
    assert answer.status_code == status
    assert len(await gateways.jobs()) == jobs


async def test_an_empty_error_has_no_body_and_a_proxy_s_has_html(routeany: Caller) -> None:
    empty, html = await create(routeany, "[http-empty:500]"), await create(routeany, "[html-502]")
    assert empty.content == b""
    assert (html.headers["content-type"].partition(";")[0], html.content[:6]) == ("text/html", b"<html>")


@pytest.mark.parametrize("name", ["junk-json", "bad-utf8", "deep-json"])
async def test_junk_cannot_be_read(routeany: Caller, name: str) -> None:
    answer = await create(routeany, f"[{name}]")
    with pytest.raises((ValueError, RecursionError)):
        json.loads(answer.content)


@pytest.mark.parametrize(("word", "id_now"), [("no-id", None), ("empty-id", "")])
async def test_an_accepted_answer_can_lack_its_id(
    routeany: Caller, gateways: RunningGateways, word: str, id_now: str | None
) -> None:
    content: dict[str, JsonValue] = (await create(routeany, f"[{word}]")).json()
    assert content.get("id") == id_now
    assert at(content, "status") == "starting"
    assert len(await gateways.jobs()) == 1


POLL_FAULTS: list[tuple[str, Callable[[httpx.Response], bool]]] = [
    ("poll-500", lambda answer: answer.status_code == 500),
    ("poll-http:503", lambda answer: answer.status_code == 503),
    ("poll-junk", lambda answer: answer.content.startswith(b'{"id": "abc"')),
    ("poll-html-502", lambda answer: answer.status_code == 502),
    ("poll-retry-after:7", lambda answer: answer.headers["retry-after"] == "7"),
    ("poll-retry-after-date:7", lambda answer: answer.headers["retry-after"].endswith("GMT")),
    ("poll-redirect:307", lambda answer: "/followed/" in answer.headers["location"]),
]


@pytest.mark.parametrize(("word", "shows"), POLL_FAULTS)
async def test_a_counted_poll_fault_passes_and_the_job_goes_on(
    routeany: Caller, word: str, shows: Callable[[httpx.Response], bool]
) -> None:
    prediction_id = await prediction(routeany, f"[{word}:2]")
    answers = [await routeany.get(f"/v1/predictions/{prediction_id}") for _ in range(3)]
    assert [shows(answer) for answer in answers[:2]] == [True, True]
    assert at(answers[2].json(), "status") == "succeeded"


async def test_a_poll_can_be_cut_off(routeany: Caller) -> None:
    prediction_id = await prediction(routeany, "[poll-reset][poll-half-response]")
    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            await routeany.get(f"/v1/predictions/{prediction_id}")
    assert (await routeany.get(f"/v1/predictions/{prediction_id}")).status_code == 200


async def test_blanks_drip_for_longer_than_any_read_timeout_notices(
    routeany: Caller, gateways: RunningGateways
) -> None:
    prediction_id = await prediction(routeany, "[poll-slow-drip:0.01]")
    url = f"{routeany.base_url}/v1/predictions/{prediction_id}"
    headers = {"Authorization": f"Bearer {routeany.key}"}
    async with gateways.http.stream("GET", url, headers=headers) as answer:
        received = b""
        async for drop in answer.aiter_bytes():
            received += drop
            if len(received) == 5:
                break
    assert received == b"     "


STATES: list[tuple[str, list[str]]] = [
    ("[polls:0]", ["succeeded", "succeeded"]),
    ("[states:queued,SUBMITTED]", ["queued", "SUBMITTED", "succeeded"]),
    ("[unknown-state:reticulating:1]", ["reticulating", "processing", "succeeded"]),
    ("[stuck]", ["processing"] * 5),
    ("[manual]", ["starting"] * 5),
    ("[cancelled]", ["starting", "processing", "canceled"]),
    ("[cancelled][cancelled-word:cancelled]", ["starting", "processing", "cancelled"]),
    ("[fail:ODD_CODE]", ["starting", "processing", "failed"]),
]


@pytest.mark.parametrize(("prompt", "expected"), STATES)
async def test_the_states_over_time_are_told_by_words(routeany: Caller, prompt: str, expected: list[str]) -> None:
    prediction_id = await prediction(routeany, prompt)
    answers = [await routeany.get(f"/v1/predictions/{prediction_id}") for _ in expected]
    assert [at(answer.json(), "status") for answer in answers] == expected


async def test_the_control_api_moves_a_job(routeany: Caller, gateways: RunningGateways) -> None:
    prediction_id = await prediction(routeany, "[manual]")
    seen: list[JsonValue] = []
    for phase in ("running", "failed", "succeeded"):
        await gateways.set_phase("routeany", prediction_id, phase)
        seen.append(at((await routeany.get(f"/v1/predictions/{prediction_id}")).json(), "status"))
    assert seen == ["processing", "failed", "succeeded"]


async def test_success_may_come_before_its_output_or_without(routeany: Caller) -> None:
    late, never = (
        await prediction(routeany, "[polls:0][output-after:2]"),
        await prediction(routeany, "[polls:0][success-no-output]"),
    )
    outputs = [at((await routeany.get(f"/v1/predictions/{late}")).json(), "output") for _ in range(3)]
    nothing = [at((await routeany.get(f"/v1/predictions/{never}")).json(), "output") for _ in range(3)]
    assert [output is None for output in outputs] == [True, True, False]
    assert nothing == [None] * 3


async def test_a_job_can_vanish(routeany: Caller) -> None:
    prediction_id = await prediction(routeany, "[vanish:2]")
    answers = [await routeany.get(f"/v1/predictions/{prediction_id}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 404]
