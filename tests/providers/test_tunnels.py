"""A proxy that makes no tunnel has not sent anything to the gateway, however it fails: nothing is paid."""

import anyio
import pytest
from anyio.abc import SocketStream

from rushes.providers.client.http import HttpClient, Timeouts
from rushes.providers.client.reply import NoReply

from .servers import Conduct, raw, serving

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
