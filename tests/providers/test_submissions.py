"""What counts as definitely refused and what as lost: a test for each row of the tables in `http.py` and `verdict.py`.

Lost means that the gateway may have accepted and may charge; refused means that nothing is charged.
"""

import json
import socket
import struct

import anyio
import httpx
import pytest
from anyio.abc import SocketAttribute, SocketStream
from pydantic import JsonValue

from rushes.domain.errors import GatewayUnavailable, SubmissionLost, SubmissionRefused
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.client.http import OUTCOMES
from rushes.providers.client.verdict import submission_outcome
from rushes.providers.fact_files import load_facts
from rushes.providers.provider import ProviderSettings
from rushes.providers.registry import build_provider, format_class

from .replies import KEY, Gateway, always, job, make_format, plan_of, provider, reply, settings
from .requests import request
from .servers import answer, raw, serving

pytestmark = pytest.mark.anyio

PLAN = plan_of("routeany", request(), "veo-3.1")
JSON = {"content_type": "application/json"}


async def submit(base_url: str, timeout_seconds: float) -> None:
    configured = settings("routeany", base_url=base_url)
    made = build_provider(configured.model_copy(update={"timeout_seconds": timeout_seconds}))
    try:
        with anyio.fail_after(20):
            await made.submit(PLAN)
    finally:
        await made.aclose()


async def refusal(base_url: str, timeout_seconds: float = 5) -> SubmissionRefused:
    with pytest.raises(SubmissionRefused) as caught:
        await submit(base_url, timeout_seconds)
    assert caught.value.charged == "no"
    return caught.value


async def loss(base_url: str, timeout_seconds: float = 5) -> SubmissionLost:
    with pytest.raises(SubmissionLost) as caught:
        await submit(base_url, timeout_seconds)
    assert (caught.value.reason, caught.value.charged) == ("outcome_unknown", "unknown")
    return caught.value


async def test_dns_failure_is_refused() -> None:
    assert "could not be opened" in (await refusal("https://no-such-host.invalid")).message


async def test_connection_refused_is_refused() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        assert (await refusal(f"http://127.0.0.1:{port}")).reason == "provider_error"


async def test_tls_failure_is_refused() -> None:
    async with serving(raw(b"this is no TLS"), end_of_head=b"") as server:
        await refusal(server.url.replace("http:", "https:"))


async def test_a_tls_handshake_that_never_ends_is_refused() -> None:
    async with serving(raw(b"")) as server:
        await refusal(server.url.replace("http:", "https:"), timeout_seconds=0.2)


@pytest.mark.parametrize("error", list(OUTCOMES), ids=lambda error: error.__name__)
async def test_each_fault_on_the_way_has_an_outcome(error: type[Exception]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("injected")

    outcome, words = OUTCOMES[error]
    expected = SubmissionRefused if outcome == "refused" else SubmissionLost
    with pytest.raises(expected, match=words):
        await provider("routeany", Gateway(fail)).submit(PLAN)


def test_the_table_takes_the_most_specific_row_first() -> None:
    kinds = list(OUTCOMES)
    for index, kind in enumerate(kinds):
        assert not any(issubclass(kind, earlier) for earlier in kinds[:index])


async def test_no_answer_in_time_is_lost() -> None:
    async def silence(stream: SocketStream, head: str) -> None:
        await anyio.sleep_forever()

    async with serving(silence) as server:
        await loss(server.url, timeout_seconds=0.1)


async def test_a_reset_after_the_request_is_lost() -> None:
    async def reset(stream: SocketStream, head: str) -> None:
        raw_socket = stream.extra(SocketAttribute.raw_socket)  # noqa: S610
        raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async with serving(reset) as server:
        await loss(server.url)
        assert len(server.heads) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-len",
        b'HTTP/1.1 201 Created\r\ncontent-length: 400\r\n\r\n{"id": "pred_1",',
        b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\njunk",
    ],
    ids=["nothing", "half a head", "half a body", "half a chunk", "no HTTP", "broken compression"],
)
async def test_half_an_answer_is_lost_and_nothing_is_sent_again(data: bytes) -> None:
    async with serving(raw(data)) as server:
        await loss(server.url)
        assert len(server.heads) == 1


async def test_an_answer_that_drips_past_the_limit_is_lost() -> None:
    async def drip(stream: SocketStream, head: str) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while True:
            await stream.send(b" ")
            await anyio.sleep(0.01)

    async with serving(drip) as server:
        await loss(server.url, timeout_seconds=0.1)


async def test_an_answer_beyond_the_size_limit_is_lost() -> None:
    async with serving(answer("200 OK", b" " * (4 * 1024 * 1024 + 1))) as server:
        assert "larger than 4 MiB" in (await loss(server.url)).message


OWN: dict[str, JsonValue] = {
    "routeany": {"type": "about", "title": "No", "detail": "no", "code": "X"},
    "unified": {"error": {"message": "no", "type": "new_api_error", "code": ""}},
    "shuyou": {"error": {"code": "1", "type": "x", "message": "no"}},
    "llmgateway": {"error": {"message": "no", "type": "x", "param": None}},
    "openai-videos": {"error": {"message": "no", "code": "x"}},
    "apixo": {"code": 429, "message": "no", "data": None},
}
"""An error in the documented form of each format."""

FOREIGN: list[JsonValue | bytes] = [
    b"",
    b"<html>no</html>",
    b"no",
    None,
    {},
    [],
    {"message": "no"},
    {"error": "no"},
    {"status": 503, "error": "no", "path": "/"},
    {"type": "about:blank", "title": "No", "status": 503, "detail": "no", "instance": "/"},
    {"cloudflare_error": True, "title": "No", "detail": "no", "code": "1"},
    {"code": 14, "message": "no", "details": []},
]
NAMING_A_JOB: list[JsonValue] = [
    {"id": "x-1"},
    {"task_id": "x-1"},
    {"data": {"taskId": "x-1"}},
    {"data": {"task_id": 12345}},
    {"error": {"message": "no", "type": "x", "details": {"job_id": "x-1"}}},
    {"prediction": {"id": "x-1"}},
]
NAMING_NO_JOB: list[JsonValue] = [
    {"request_id": "x-1", "trace_id": "x-2"},
    {"error": {"id": "x-1", "message": "no", "type": "x"}},
    {"id": ""},
    {"task_id": None},
    {"code": "task_not_exist", "data": None},
]
REFUSED = [400, 401, 402, 403, 404, 405, 410, 413, 415, 422, 451]
SURE_IF_OWN = [429, 503, 529]
LOST = [301, 302, 303, 304, 307, 308, 408, 409, 499, 500, 501, 502, 504, 505, 520, 522, 524, 530]


def outcome(wire: str, body: JsonValue | bytes, status: int) -> str:
    return submission_outcome(make_format(wire), reply(body, status)).outcome


@pytest.mark.parametrize("wire", OWN)
def test_an_error_in_the_gateways_own_form_is_judged_by_its_status(wire: str) -> None:
    assert {outcome(wire, OWN[wire], status) for status in [*REFUSED, *SURE_IF_OWN]} == {"refused"}
    assert {outcome(wire, OWN[wire], status) for status in LOST} == {"lost"}


@pytest.mark.parametrize("wire", OWN)
@pytest.mark.parametrize("body", FOREIGN, ids=str)
def test_an_error_in_another_form_is_a_refusal_only_where_no_proxy_writes_it_for_a_job_that_was_taken(
    wire: str, body: JsonValue | bytes
) -> None:
    assert {outcome(wire, body, status) for status in [*SURE_IF_OWN, *LOST]} == {"lost"}
    assert {outcome(wire, body, status) for status in REFUSED} == {"refused"}


@pytest.mark.parametrize("wire", OWN)
@pytest.mark.parametrize("body", NAMING_A_JOB, ids=str)
def test_a_reply_that_names_a_job_is_no_refusal_whatever_its_status(wire: str, body: JsonValue) -> None:
    verdicts = [submission_outcome(make_format(wire), reply(body, s)) for s in [*REFUSED, *SURE_IF_OWN, *LOST]]
    assert {verdict.outcome for verdict in verdicts} == {"lost"}
    assert all("came with the id of a job" in verdict.why for verdict in verdicts)


@pytest.mark.parametrize("body", NAMING_NO_JOB, ids=str)
def test_ids_of_requests_traces_and_errors_are_no_jobs(body: JsonValue) -> None:
    assert {outcome(wire, body, 400) for wire in OWN} == {"refused"}


@pytest.mark.parametrize(
    ("wire", "body", "expected"),
    [
        ("apixo", {"code": 400, "message": "Insufficient credits", "data": None}, "refused"),
        ("apixo", {"code": 429, "message": "Rate limit exceeded", "data": None}, "refused"),
        ("apixo", {"code": 503, "message": "Service unavailable", "data": None}, "refused"),
        ("apixo", {"code": 500, "message": "boom", "data": None}, "lost"),
        ("apixo", {"code": 408, "message": "boom", "data": None}, "lost"),
        ("apixo", {"code": 400, "message": "boom", "data": {"taskId": "t-1"}}, "lost"),
        ("apixo", {"code": 1001, "message": "boom", "data": None}, "lost"),
        ("shuyou", {"code": "400", "message": "bad parameter"}, "refused"),
        ("shuyou", {"code": "429", "message": "slow down"}, "refused"),
        ("shuyou", {"code": "500", "message": "boom"}, "lost"),
        ("shuyou", {"error": {"type": "insufficient_credit", "message": "no"}}, "refused"),
        ("shuyou", {"error": {"type": "provider_error", "message": "no"}}, "lost"),
        ("shuyou", {"code": "E17", "message": "boom"}, "lost"),
        ("unified", {"code": "error", "message": "quota exhausted"}, "refused"),
        ("unified", {"code": "error", "message": "boom"}, "lost"),
        ("llmgateway", {"error": {"message": "The API key is invalid", "type": "x"}}, "refused"),
        ("llmgateway", {"error": {"message": "boom", "type": "x"}}, "lost"),
        ("routeany", b"junk", "answered"),
        ("routeany", {"id": "x"}, "answered"),
    ],
)
def test_a_200_is_judged_by_what_its_body_says(wire: str, body: JsonValue | bytes, expected: str) -> None:
    assert outcome(wire, body, 200) == expected


@pytest.mark.parametrize(
    "body", [b"", b"OK", b"<html>welcome</html>", b"[]", b"{}", b'{"id":null}', b'{"status":"starting"}']
)
async def test_a_success_with_junk_or_without_an_id_is_lost(body: bytes) -> None:
    async with serving(answer("200 OK", body)) as server:
        await loss(server.url)


async def test_a_server_error_that_names_a_job_is_lost() -> None:
    async with serving(answer("500 Internal Server Error", b'{"id":"pred_1","status":"starting"}', **JSON)) as server:
        assert "came with the id of a job" in (await loss(server.url)).message


async def test_an_answer_that_says_nothing_is_quoted() -> None:
    body = b'{"detail":"upstream timed out","code":"X"}'
    async with serving(answer("504 Gateway Timeout", body, **JSON)) as server:
        error = await loss(server.url)
    assert error.message.endswith('HTTP 504 says nothing about the job. The gateway says: "upstream timed out"')


async def test_a_page_instead_of_the_gateway_hints_at_the_base_url() -> None:
    async with serving(answer("404 Not Found", b"<html>nothing here</html>", content_type="text/html")) as server:
        error = await refusal(server.url)
    assert error.hint is not None
    assert "ROUTEANY_BASE_URL" in error.hint


async def test_a_refusal_tells_reason_message_code_and_wait() -> None:
    body = {"detail": "Please retry after 60 seconds.", "code": "RATE_LIMIT_EXCEEDED"}
    async with serving(answer("429 Too Many Requests", json.dumps(body).encode(), **JSON)) as server:
        error = await refusal(server.url)
    assert (error.reason, error.provider_code, error.retry_after_seconds) == ("rate_limited", "RATE_LIMIT_EXCEEDED", 60)
    assert error.message == 'routeany refused the request. The gateway says: "Please retry after 60 seconds."'


async def test_the_post_is_exactly_the_plan_with_the_key() -> None:
    gateway = always(201, json={"id": "pred_1", "status": "starting"})
    submission = await provider("routeany", gateway).submit(PLAN)
    assert submission.job.job_id == "pred_1"
    (sent,) = gateway.requests
    assert gateway.paths == ["POST /v1/models/google/veo-3.1/predictions"]
    assert json.loads(sent.content) == PLAN.body
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["content-type"] == "application/json"


async def test_a_prefix_of_the_base_url_stands_before_the_documented_path() -> None:
    gateway = always(201, json={"id": "pred_1"})
    configured = settings("routeany", base_url="https://host.invalid/gate/")
    made = HttpProvider(
        configured, format_class("routeany")(configured), load_facts("routeany"), transport=httpx.MockTransport(gateway)
    )
    await made.submit(PLAN)
    assert str(gateway.requests[0].url) == "https://host.invalid/gate/v1/models/google/veo-3.1/predictions"


async def test_a_redirect_of_the_post_is_not_followed() -> None:
    async with serving(answer("200 OK", b'{"id":"stolen"}')) as elsewhere:
        async with serving(answer("307 Temporary Redirect", location=f"{elsewhere.url}/x")) as server:
            error = await loss(server.url)
        assert error.hint is not None
        assert "ROUTEANY_BASE_URL" in error.hint
        assert elsewhere.heads == []


async def test_a_gateway_without_a_base_url_gets_nothing() -> None:
    made = build_provider(ProviderSettings(name="mine", wire="routeany"))
    with pytest.raises(SubmissionRefused, match="MINE_BASE_URL"):
        await made.submit(PLAN)
    with pytest.raises(GatewayUnavailable, match="MINE_BASE_URL"):
        await made.poll(job())


@pytest.mark.parametrize("prompt", ["half an emoji \ud83d"])
async def test_a_request_that_cannot_be_written_down_is_refused(prompt: str) -> None:
    plan = PLAN.model_copy(update={"body": {"input": {"prompt": prompt}}})
    gateway = always(201, json={"id": "x"})
    with pytest.raises(SubmissionRefused, match="could not be formed"):
        await provider("routeany", gateway).submit(plan)
    assert gateway.requests == []


async def test_a_gateway_that_repeats_the_key_does_not_make_it_known() -> None:
    gateway = always(401, json={"detail": f"Bad key {KEY}", "code": KEY})
    with pytest.raises(SubmissionRefused) as caught:
        await provider("routeany", gateway).submit(PLAN)
    assert KEY not in str(vars(caught.value))
    assert "[key]" in caught.value.message
