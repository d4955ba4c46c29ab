"""Fetching results: never with the key to another host, never from inside the user's network, with honest errors."""

from collections.abc import Callable

import anyio
import httpx
import pytest
from anyio.abc import SocketStream
from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.errors import OutputError, OutputExpired, OutputRejected, OutputUnavailable
from rushes.domain.job import RemoteOutput
from rushes.providers.client.addresses import is_public
from rushes.providers.client.downloads import OutputClient
from rushes.providers.client.proxies import proxy_for

from .replies import KEY, Gateway, always
from .servers import answer, raw, serving

pytestmark = pytest.mark.anyio

BASE = "https://gateway.invalid"
HOSTS = {
    "gateway.invalid": ["93.184.216.34"],
    "cdn.invalid": ["93.184.216.35"],
    "two.invalid": ["93.184.216.36", "93.184.216.37"],
    "inside.invalid": ["10.0.0.5"],
    "mixed.invalid": ["93.184.216.35", "127.0.0.1"],
    "127.0.0.1": ["127.0.0.1"],
    "localhost": ["127.0.0.1"],
}


async def resolve(host: str, port: int) -> list[str]:
    if host not in HOSTS:
        raise OSError("no such host")
    return HOSTS[host]


def client(answers: Callable[[httpx.Request], httpx.Response] | Gateway, base: str = BASE) -> OutputClient:
    transport = httpx.MockTransport(answers)
    return OutputClient(base, KEY, transport=transport, resolve=resolve)


async def fetch(outputs: OutputClient, output: RemoteOutput | str) -> bytes:
    wanted = RemoteOutput(url=output) if isinstance(output, str) else output
    async with outputs.open(wanted) as stream:
        return b"".join([chunk async for chunk in stream])


async def refusal(outputs: OutputClient, output: RemoteOutput | str) -> OutputError:
    with pytest.raises(OutputError) as caught:
        await fetch(outputs, output)
    return caught.value


def host_of(request: httpx.Request) -> str:
    return request.headers["host"]


async def test_a_result_on_another_host_is_fetched_without_the_key() -> None:
    gateway = always(200, content=b"movie", content_type="video/mp4; x=1")
    outputs = client(gateway)
    async with outputs.open(RemoteOutput(url="https://cdn.invalid/v.mp4?e=1&token=a:b")) as stream:
        assert (stream.mime_type, stream.size_bytes) == ("video/mp4", 5)
        assert b"".join([chunk async for chunk in stream]) == b"movie"
    (sent,) = gateway.requests
    assert "authorization" not in sent.headers
    assert sent.url.raw_path == b"/v.mp4?e=1&token=a:b"


async def test_the_connection_goes_to_the_address_that_was_checked_and_tls_proves_the_name() -> None:
    gateway = always(200, content=b"x")
    await fetch(client(gateway), "https://cdn.invalid:8443/v.mp4")
    (sent,) = gateway.requests
    assert sent.url.host == "93.184.216.35"
    assert host_of(sent) == "cdn.invalid:8443"
    assert sent.extensions["sni_hostname"] == "cdn.invalid"


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    def only_second(request: httpx.Request) -> httpx.Response:
        if request.url.host == "93.184.216.36":
            raise httpx.ConnectError("unreachable")
        return httpx.Response(200, content=b"x")

    assert await fetch(client(only_second), "https://two.invalid/v.mp4") == b"x"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/secret",
        "http://localhost/secret",
        "https://inside.invalid/secret",
        "https://mixed.invalid/secret",
        "ftp://cdn.invalid/v.mp4",
        "file:///etc/passwd",
        "https://",
        "https://cdn.invalid:99999/",
        "nonsense",
    ],
)
async def test_a_result_inside_the_network_or_without_http_is_rejected_before_any_request(url: str) -> None:
    gateway = always(200, content=b"secret")
    assert isinstance(await refusal(client(gateway), url), OutputRejected)
    assert gateway.requests == []


async def test_a_gateway_on_loopback_may_give_results_on_loopback() -> None:
    async with serving(answer("200 OK", b"movie")) as media:
        local = OutputClient("http://127.0.0.1:9", KEY)
        assert await fetch(local, f"{media.url}/v.mp4") == b"movie"
        await local.aclose()
        assert "authorization" not in media.heads[0].lower()


async def test_a_public_gateway_may_not() -> None:
    async with serving(answer("200 OK", b"secret")) as media:
        public = OutputClient(BASE, KEY, resolve=resolve)
        assert isinstance(await refusal(public, f"{media.url}/v.mp4"), OutputRejected)
        assert media.heads == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "not an address",
    ],
)
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
)
def test_addresses_outside_are_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_as_public_as_when_it_is_mapped(address: object) -> None:
    assert is_public(f"::ffff:{address}") == is_public(str(address))


async def test_redirects_are_followed_under_the_same_rule_and_without_the_key() -> None:
    def redirect(request: httpx.Request) -> httpx.Response:
        if host_of(request) == "gateway.invalid":
            return httpx.Response(302, headers={"location": "https://cdn.invalid/a"})
        if request.url.path == "/a":
            return httpx.Response(307, headers={"location": "/b"})
        return httpx.Response(200, content=b"movie")

    gateway = Gateway(redirect)
    output = RemoteOutput(url=f"{BASE}/v1/videos/1/content", authenticated=True)
    assert await fetch(client(gateway), output) == b"movie"
    keys = [(host_of(request), request.headers.get("authorization")) for request in gateway.requests]
    assert keys == [("gateway.invalid", f"Bearer {KEY}"), ("cdn.invalid", None), ("cdn.invalid", None)]


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1/x", "https://inside.invalid/", "file:///etc/passwd", "http://x:99999/"]
)
async def test_a_redirect_to_the_inside_is_rejected(location: str) -> None:
    gateway = always(302, location=location)
    assert isinstance(await refusal(client(gateway), "https://cdn.invalid/v.mp4"), OutputRejected)
    assert len(gateway.requests) == 1


async def test_endless_redirects_end() -> None:
    gateway = always(302, location="https://cdn.invalid/again")
    assert "redirected more than 5 times" in (await refusal(client(gateway), "https://cdn.invalid/v.mp4")).message
    assert len(gateway.requests) == 6


async def test_a_file_on_the_gateways_own_host_gets_the_key_only_when_it_asks_for_it() -> None:
    def guarded(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200 if "authorization" in request.headers else 401, content=b"movie")

    gateway = Gateway(guarded)
    assert await fetch(client(gateway), f"{BASE}/files/1") == b"movie"
    assert ["authorization" in request.headers for request in gateway.requests] == [False, True]


@pytest.mark.parametrize("url", ["http://gateway.invalid/x", "https://gateway.invalid:8443/x", "https://cdn.invalid/x"])
async def test_another_scheme_port_or_host_never_gets_the_key(url: str) -> None:
    gateway = always(401)
    await refusal(client(gateway), RemoteOutput(url=url, authenticated=True))
    assert gateway.requests
    assert all("authorization" not in request.headers for request in gateway.requests)


async def test_a_name_and_password_in_a_url_are_not_sent() -> None:
    gateway = always(200, content=b"x")
    await fetch(client(gateway), "https://me:secret@cdn.invalid/v.mp4")
    assert "authorization" not in gateway.requests[0].headers
    assert "secret" not in str(gateway.requests[0].url)


async def test_the_gateways_content_endpoint_stands_in_for_a_signed_url_that_fails() -> None:
    def only_content(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"movie") if "authorization" in request.headers else httpx.Response(403)

    gateway = Gateway(only_content)
    output = RemoteOutput(url="https://cdn.invalid/signed", fallback_url=f"{BASE}/v1/videos/1/content")
    assert await fetch(client(gateway), output) == b"movie"
    assert [host_of(request) for request in gateway.requests] == ["cdn.invalid", "gateway.invalid"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, OutputExpired),
        (401, OutputExpired),
        (403, OutputExpired),
        (404, OutputExpired),
        (410, OutputExpired),
        (204, OutputUnavailable),
        (409, OutputUnavailable),
        (429, OutputUnavailable),
        (500, OutputUnavailable),
        (503, OutputUnavailable),
        (304, OutputUnavailable),
    ],
)
async def test_a_status_tells_whether_the_fault_may_pass(status: int, kind: type[OutputError]) -> None:
    gateway = always(status)
    assert isinstance(await refusal(client(gateway), "https://cdn.invalid/v.mp4"), kind)
    assert len(gateway.requests) == 1


async def test_a_content_endpoint_without_the_result_may_have_it_later() -> None:
    output = RemoteOutput(url=f"{BASE}/v1/videos/1/content", authenticated=True)
    assert isinstance(await refusal(client(always(404)), output), OutputUnavailable)
    assert isinstance(await refusal(client(always(410)), output), OutputExpired)


async def test_a_passing_fault_of_the_fallback_outweighs_a_signed_url_that_is_gone() -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503 if "authorization" in request.headers else 403)

    output = RemoteOutput(url="https://cdn.invalid/signed", fallback_url=f"{BASE}/v1/videos/1/content")
    assert isinstance(await refusal(client(answers), output), OutputUnavailable)


async def test_a_signed_url_on_the_gateways_own_host_is_never_shown_the_key() -> None:
    gateway = Gateway(lambda request: httpx.Response(401 if "token" in str(request.url) else 200, content=b"movie"))
    output = RemoteOutput(url=f"{BASE}/signed?token=old", fallback_url=f"{BASE}/v1/videos/1/content")
    assert await fetch(client(gateway), output) == b"movie"
    assert [request.url.path for request in gateway.requests] == ["/signed", "/v1/videos/1/content"]
    assert ["authorization" in request.headers for request in gateway.requests] == [False, True]


async def test_a_throttled_fetch_tells_how_long_to_wait() -> None:
    error = await refusal(client(always(503, retry_after="9")), "https://cdn.invalid/v")
    assert isinstance(error, OutputUnavailable)
    assert error.retry_after_seconds == 9


async def test_a_result_that_breaks_off_is_a_passing_fault() -> None:
    async with serving(raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")) as media:
        local = OutputClient(media.url, None)
        assert isinstance(await refusal(local, f"{media.url}/v.mp4"), OutputUnavailable)
        await local.aclose()


async def test_a_host_that_is_down_or_unknown_is_a_passing_fault() -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset")

    assert isinstance(await refusal(client(down), "https://cdn.invalid/v.mp4"), OutputUnavailable)
    assert isinstance(await refusal(client(down), "https://unknown.invalid/v.mp4"), OutputUnavailable)
    assert isinstance(await refusal(client(down), "https://gateway.invalid/v.mp4"), OutputUnavailable)


async def test_a_content_endpoint_that_answers_with_a_url_is_followed_without_the_key() -> None:
    def linked(request: httpx.Request) -> httpx.Response:
        if host_of(request) == "gateway.invalid":
            return httpx.Response(200, json={"url": "https://cdn.invalid/v.mp4"})
        return httpx.Response(200, content=b"movie")

    gateway = Gateway(linked)
    output = RemoteOutput(url=f"{BASE}/v1/videos/1/content", authenticated=True)
    assert await fetch(client(gateway), output) == b"movie"
    assert "authorization" not in gateway.requests[1].headers


async def test_a_content_endpoint_that_answers_with_a_path_means_one_below_the_base_url() -> None:
    def linked(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/content"):
            return httpx.Response(200, json={"url": "/files/v.mp4"})
        return httpx.Response(200, content=b"movie")

    gateway = Gateway(linked)
    output = RemoteOutput(url=f"{BASE}/prefix/v1/videos/1/content", authenticated=True)
    assert await fetch(client(gateway, f"{BASE}/prefix"), output) == b"movie"
    assert gateway.paths[1] == "GET /prefix/files/v.mp4"


@pytest.mark.parametrize("status", [401, 403, 409, 425])
async def test_the_gateways_own_refusal_of_a_result_that_it_told_of_is_a_passing_fault(status: int) -> None:
    output = RemoteOutput(url=f"{BASE}/v1/videos/1/content", authenticated=True)
    assert isinstance(await refusal(client(always(status)), output), OutputUnavailable)


@pytest.mark.parametrize("body", [{"status": "processing"}, ["x"]])
async def test_a_content_endpoint_that_answers_with_other_json_is_a_passing_fault(body: object) -> None:
    output = RemoteOutput(url=f"{BASE}/v1/videos/1/content", authenticated=True)
    assert isinstance(await refusal(client(always(200, json=body)), output), OutputUnavailable)


async def test_an_output_without_a_url_is_rejected() -> None:
    assert isinstance(await refusal(client(always(200)), RemoteOutput()), OutputRejected)


async def test_a_proxy_of_the_environment_is_used_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(answer("200 OK", b"movie")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        outputs = OutputClient(BASE, KEY, resolve=resolve)
        assert await fetch(outputs, "http://cdn.invalid/v.mp4") == b"movie"
        assert await fetch(outputs, "http://known-to-the-proxy-only.invalid/v.mp4") == b"movie"
        assert isinstance(await refusal(outputs, "http://inside.invalid/secret"), OutputRejected)
        await outputs.aclose()
    assert [head.partition("\r\n")[0] for head in proxy.heads] == [
        "GET http://cdn.invalid/v.mp4 HTTP/1.1",
        "GET http://known-to-the-proxy-only.invalid/v.mp4 HTTP/1.1",
    ]
    assert "authorization" not in str(proxy.heads).lower()


async def test_a_gateway_on_plain_http_is_never_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(answer("200 OK", b"stolen")) as proxy, serving(answer("200 OK", b"movie")) as gateway:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        local = OutputClient(gateway.url, KEY)
        output = RemoteOutput(url=f"{gateway.url}/v1/videos/1/content", authenticated=True)
        assert await fetch(local, output) == b"movie"
        await local.aclose()
    assert proxy.heads == []


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ({"ALL_PROXY": "p:1"}, "http://p:1"),
        ({"HTTPS_PROXY": "socks5://p:1"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "cdn.invalid"}, None),
        ({"HTTP_PROXY": "http://p:1"}, None),
    ],
)
def test_the_proxy_is_the_environments(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], proxy: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for("https", "cdn.invalid") == proxy


async def test_a_result_that_comes_too_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(answer("200 OK", b"movie")) as media:
        local = OutputClient(media.url, None, seconds_max=-1)
        assert "too slowly" in (await refusal(local, f"{media.url}/v.mp4")).message
        await local.aclose()


async def test_leaving_early_closes_the_connection() -> None:
    closed = anyio.Event()

    async def endless(stream: SocketStream, head: str) -> None:
        await stream.send(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                await stream.send(b"x" * 1000)
        finally:
            closed.set()

    async with serving(endless) as media:
        local = OutputClient(media.url, None)
        async with local.open(RemoteOutput(url=f"{media.url}/v.mp4")) as stream:
            async for _ in stream:
                break
        await local.aclose()
        with anyio.fail_after(5):
            await closed.wait()
