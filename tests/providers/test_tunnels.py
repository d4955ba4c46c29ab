"""A proxy that makes no tunnel has not sent anything to the gateway, however it fails: nothing is paid."""

from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream

from rushes.providers.client.http import NO_QUERY, HttpClient, Timeouts
from rushes.providers.client.reply import NoReply

from .certified import certified
from .servers import Conduct, raw, serving
from .test_connections import answering

pytestmark = pytest.mark.anyio


async def silence(stream: SocketStream, head: str) -> None:
    await anyio.sleep_forever()


async def silence_in_the_tunnel(stream: SocketStream, head: str) -> None:
    await stream.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await anyio.sleep_forever()


async def told_without_a_tunnel(monkeypatch: pytest.MonkeyPatch, conduct: Conduct, timeouts: Timeouts) -> NoReply:
    async with serving(conduct) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        client = HttpClient("https://gateway.invalid", "sk-0123456789")
        with anyio.fail_after(20), pytest.raises(NoReply) as caught:
            await client.post("/jobs", {}, headers={}, timeouts=timeouts)
        assert len(proxy.heads) == 1
        await client.aclose()
    return caught.value


async def tunnel(stream: SocketStream, head: str) -> None:
    """What a proxy does for CONNECT."""

    async def pass_on(source: SocketStream, target: SocketStream) -> None:
        async for data in source:
            await target.send(data)

    host, _, port = head.split()[1].rpartition(":")
    async with await anyio.connect_tcp(host, int(port)) as gateway, anyio.create_task_group() as ways:
        await stream.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        ways.start_soon(pass_on, gateway, stream)
        await pass_on(stream, gateway)
        ways.cancel_scope.cancel()


async def test_requests_go_through_one_tunnel_whose_proxy_sees_none_of_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    requests: list[bytes] = []
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with serving(answering(2, requests), tls=certified(tmp_path)) as gateway, serving(tunnel) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//me:word@"))
        client = HttpClient(gateway.url.replace("http:", "https:"), "sk-0123456789")
        with anyio.fail_after(10):
            told = [await client.call("GET", "/jobs/1", NO_QUERY, Timeouts(total=10)) for _ in range(2)]
        await client.aclose()
    assert [reply.body for reply in told] == [{}, {}]
    assert all(request.startswith(b"GET /jobs/1 ") for request in requests)
    (head,) = proxy.heads
    assert head.startswith(f"CONNECT 127.0.0.1:{gateway.port} ")
    assert "basic " in head.lower()
    assert "sk-0123456789" not in head


@pytest.mark.parametrize("conduct", [silence, silence_in_the_tunnel])
async def test_a_proxy_that_is_silent(monkeypatch: pytest.MonkeyPatch, conduct: Conduct) -> None:
    told = await told_without_a_tunnel(monkeypatch, conduct, Timeouts(total=30, connect=0.2))
    assert (told.outcome, told.message) == ("refused", "the connection could not be opened in time")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 Connection est",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 9\r\n\r\nno",
    ],
    ids=["nothing", "half an answer", "no HTTP", "no tunnel", "half a refusal"],
)
async def test_a_proxy_that_breaks_off(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    told = await told_without_a_tunnel(monkeypatch, raw(data), Timeouts(total=30))
    assert (told.outcome, told.message) == ("refused", "the proxy did not let the connection through")
