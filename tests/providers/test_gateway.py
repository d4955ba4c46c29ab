"""The parts put together: polls, cancelling, finding, accounts and the connection pool."""

import json
from datetime import UTC, datetime, timedelta

import anyio
import anyio.lowlevel
import httpx
import pytest
from anyio.abc import SocketStream
from pydantic import JsonValue

from rushes.domain.errors import GatewayUnavailable
from rushes.providers.provider import ProviderSettings
from rushes.providers.registry import build_provider

from .replies import KEY, Gateway, always, job, plan_of, provider, settings
from .requests import request
from .servers import serving

pytestmark = pytest.mark.anyio

JOB = job("pred_1", "google/veo-3.1")


async def unavailable(gateway: Gateway) -> GatewayUnavailable:
    with pytest.raises(GatewayUnavailable) as caught:
        await provider("routeany", gateway).poll(JOB)
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, {"detail": "x", "code": "INTERNAL"}, "provider_error"),
        (502, None, "provider_error"),
        (504, None, "timeout"),
        (401, {"detail": "x", "code": "AUTH_INVALID_TOKEN"}, "unauthorized"),
        (404, {"detail": "x", "code": "RESOURCE_NOT_FOUND"}, "not_found"),
        (200, [], "provider_error"),
        (200, {"status": None}, "provider_error"),
        (302, None, "provider_error"),
    ],
)
async def test_a_poll_that_fails_says_nothing_about_the_job(status: int, body: JsonValue, reason: str) -> None:
    error = await unavailable(always(status, body))
    assert error.reason == reason
    assert error.charged == "unknown"


async def test_a_throttled_poll_tells_how_long_to_wait() -> None:
    error = await unavailable(always(429, {"detail": "x"}, retry_after="17"))
    assert (error.reason, error.retry_after_seconds) == ("rate_limited", 17)
    error = await unavailable(always(429, {"detail": "Your rate limit resets in ~30s."}))
    assert error.retry_after_seconds == 30


async def test_a_wish_for_the_next_look_is_passed_on() -> None:
    gateway = always(200, {"id": "pred_1", "status": "processing"}, retry_after="12")
    assert (await provider("routeany", gateway).poll(JOB)).poll_after_seconds == 12


@pytest.mark.parametrize(
    ("base_url", "path", "url"),
    [
        ("https://a.invalid", "/files/v.mp4", "https://a.invalid/files/v.mp4"),
        ("https://a.invalid/gate", "/files/v.mp4", "https://a.invalid/gate/files/v.mp4"),
        ("https://a.invalid/gate/", "/gate/files/v.mp4", "https://a.invalid/gate/files/v.mp4"),
        ("https://a.invalid/gate", "https://b.invalid/v.mp4", "https://b.invalid/v.mp4"),
    ],
)
async def test_a_relative_result_is_on_the_gateways_host(base_url: str, path: str, url: str) -> None:
    gateway = always(200, {"id": "pred_1", "status": "succeeded", "output": path})
    seen = await provider("routeany", gateway, base_url=base_url).poll(JOB)
    assert seen.outputs[0].url == url


async def test_the_own_urls_of_a_prediction_are_never_asked() -> None:
    urls: JsonValue = {"get": "http://evil.invalid/get", "cancel": "http://evil.invalid/cancel"}
    gateway = always(200, {"id": "pred_1", "status": "processing", "urls": urls})
    made = provider("routeany", gateway)
    await made.poll(JOB)
    await made.cancel(JOB)
    assert gateway.paths == ["GET /v1/predictions/pred_1", "POST /v1/predictions/pred_1/cancel"]
    assert {request.url.host for request in gateway.requests} == {"routeany.invalid"}


async def test_cancelling_answers_with_what_the_gateway_then_says() -> None:
    gateway = always(200, {"id": "pred_1", "status": "canceled"})
    made = provider("routeany", gateway)
    assert made.traits.cancels
    seen = await made.cancel(JOB)
    assert seen.state == "cancelled"
    assert seen.failure is not None
    assert seen.failure.reason == "cancelled"


async def test_a_lost_job_is_searched_for_page_by_page() -> None:
    plan = plan_of("routeany", request(), "veo-3.1")
    now = datetime.now(UTC)
    wanted = {"id": "b", "model": plan.model, "input": {"prompt": "a red fox"}, "created_at": now.isoformat()}

    def page(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params["offset"])
        rows = [{"id": f"{offset}-{n}", "model": "x/y"} for n in range(100)] if offset == 0 else [wanted]
        return httpx.Response(200, json={"results": rows, "next": "http://evil.invalid/next", "total_count": 101})

    gateway = Gateway(page)
    made = provider("routeany", gateway)
    found = await made.find_job(plan, timedelta(seconds=1))
    assert found is not None
    assert (found.job_id, found.model) == ("b", plan.model)
    assert gateway.paths == ["GET /v1/predictions?limit=100&offset=0", "GET /v1/predictions?limit=100&offset=100"]
    assert await made.find_job(plan, timedelta(seconds=1), known={"b"}) is None


async def test_a_search_ends_after_a_bounded_number_of_pages() -> None:
    rows: list[JsonValue] = [{"id": str(n), "model": "x/y"} for n in range(100)]
    gateway = always(200, {"results": rows})
    plan = plan_of("routeany", request(), "veo-3.1")
    assert await provider("routeany", gateway).find_job(plan, timedelta(0)) is None
    assert len(gateway.requests) == 5


async def test_a_list_that_cannot_be_read_is_unavailable() -> None:
    with pytest.raises(GatewayUnavailable):
        await provider("routeany", always(200, [])).find_job(plan_of("routeany", request(), "veo-3.1"), timedelta(0))


async def test_a_live_list_that_is_junk_is_unavailable() -> None:
    with pytest.raises(GatewayUnavailable):
        await provider("shuyou", always(200, {"code": "0"})).refresh_models()


async def test_a_model_of_the_live_list_takes_what_the_gateway_takes_for_its_kind() -> None:
    rows: JsonValue = [{"id": "new-video", "output_modalities": ["video"]}]
    live = await provider("llmgateway", always(200, {"data": rows})).refresh_models()
    assert live is not None
    assert (live[0].id, live[0].certainty, live[0].image_forms) == ("new-video", "live", ("url", "data"))
    assert live[0].required_inputs == ("duration_seconds",)


async def test_an_account_without_a_base_url_or_a_free_read_says_so() -> None:
    unset = build_provider(ProviderSettings(name="yuto", wire="unified"))
    assert (await unset.check_account()).message == "no base URL: set YUTO_BASE_URL"
    check = await provider("unified", always()).check_account()
    assert check.ok
    assert not check.checked
    assert "documents no read" in check.message


async def test_the_account_check_spends_nothing_and_names_a_refused_key() -> None:
    gateway = always(200, {"code": 200, "data": 12.5})
    check = await provider("apixo", gateway).check_account()
    assert (check.ok, str(check.balance)) == (True, "12.5")
    assert gateway.paths == ["GET /api/v1/apikeys/current-balance"]
    bad = await provider("apixo", always(401, {"code": 401, "message": "Invalid API Key"})).check_account()
    assert not bad.ok
    assert "Invalid API Key" in bad.message


async def test_an_account_check_of_an_unreachable_gateway_is_not_ok() -> None:
    made = build_provider(settings("apixo", base_url="https://nowhere.invalid"))
    with anyio.fail_after(10):
        check = await made.check_account()
    assert not check.ok
    assert "could not be opened" in check.message


async def test_requests_share_one_connection_that_closes_at_the_end() -> None:
    ended = anyio.Event()
    body = json.dumps({"id": "pred_1", "status": "processing"}).encode()

    async def keep_alive(stream: SocketStream, head: str) -> None:
        try:
            while True:
                await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
                await stream.receive()
        except anyio.EndOfStream:
            ended.set()

    async with serving(keep_alive) as server:
        made = build_provider(settings("routeany", base_url=server.url))
        for _ in range(3):
            await made.poll(JOB)
        assert len(server.heads) == 1
        await made.aclose()
        with anyio.fail_after(5):
            await ended.wait()


async def test_at_most_so_many_requests_are_under_way_at_once() -> None:
    under_way, most, release = 0, 0, anyio.Event()

    async def hold(stream: SocketStream, head: str) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == 2:
            release.set()
        await release.wait()
        await anyio.lowlevel.checkpoint()
        under_way -= 1
        body = b'{"id":"x","status":"processing"}'
        await stream.send(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    async with serving(hold) as server:
        bounded = settings("routeany", base_url=server.url).model_copy(update={"requests_max": 2})
        made = build_provider(bounded)
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                for _ in range(6):
                    tasks.start_soon(made.poll, JOB)
        assert most == 2
        assert len(server.heads) == 6
        await made.aclose()


async def test_the_key_is_in_no_text_of_the_provider() -> None:
    made = provider("routeany", always(200, {}))
    assert KEY not in repr(made)
    assert KEY not in repr(settings("routeany"))
