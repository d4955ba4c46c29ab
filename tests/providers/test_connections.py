"""Connections to a gateway: used again while they live, bounded in number, and never after a broken answer."""

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import SocketStream

from rushes.providers.client.http import NO_QUERY, HttpClient, Timeouts
from rushes.providers.client.reply import NoReply, Reply

from .servers import Conduct, answer, raw, serving

pytestmark = pytest.mark.anyio

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}"
TIMES = Timeouts(total=10)


async def ask(client: HttpClient, path: str = "/jobs/1", timeouts: Timeouts = TIMES) -> Reply:
    with anyio.fail_after(20):
        return await client.call("GET", path, NO_QUERY, timeouts)


def answering(times: int, requests: list[bytes]) -> Conduct:
    """Answers so often on one connection, then ends it."""

    async def conduct(stream: SocketStream, head: str) -> None:
        requests.append(head.encode())
        await stream.send(ANSWER)
        for _ in range(times - 1):
            requests.append(await stream.receive())
            await stream.send(ANSWER)

    return conduct


async def test_one_connection_serves_one_request_after_another() -> None:
    requests: list[bytes] = []
    async with serving(answering(5, requests)) as server:
        client = HttpClient(server.url, "sk-0123456789")
        assert [(await ask(client, f"/jobs/{number}")).body for number in range(5)] == [{}] * 5
        assert len(server.heads) == 1
        assert [request.split()[1] for request in requests] == [b"/jobs/%d" % number for number in range(5)]
        await client.aclose()


async def test_a_connection_that_the_gateway_closed_meanwhile_is_not_used_again() -> None:
    closed = anyio.Event()

    async def conduct(stream: SocketStream, head: str) -> None:
        await stream.send(ANSWER)
        await stream.aclose()
        closed.set()

    async with serving(conduct) as server:
        client = HttpClient(server.url, None)
        for _ in range(3):
            closed = anyio.Event()
            assert (await ask(client)).body == {}
            await closed.wait()
        assert len(server.heads) == 3
        await client.aclose()


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", b"SSH-2.0-OpenSSH_9.2\r\n"], ids=["half", "no HTTP"]
)
async def test_after_a_broken_answer_the_next_request_gets_another_connection(data: bytes) -> None:
    async with serving(raw(data)) as server:
        client = HttpClient(server.url, None, requests_max=1)
        for count in (1, 2, 3):
            with pytest.raises(NoReply):
                await ask(client)
            assert len(server.heads) == count
        await client.aclose()


async def test_a_request_that_is_given_up_frees_its_place_and_its_connection() -> None:
    async def silence(stream: SocketStream, head: str) -> None:
        await anyio.sleep_forever()

    async with serving(silence) as server:
        client = HttpClient(server.url, None, requests_max=1)
        for count in (1, 2):
            with pytest.raises(NoReply) as caught:
                await ask(client, timeouts=Timeouts(total=1))
            assert caught.value.outcome == "lost"
            assert len(server.heads) == count
        await client.aclose()


async def test_a_request_that_is_given_up_while_its_connection_is_encrypted_closes_it() -> None:
    asked, closed = anyio.Event(), anyio.Event()

    async def silence(stream: SocketStream, head: str) -> None:
        asked.set()
        async for _ in stream:
            pass
        closed.set()

    async with serving(silence, end_of_head=b"\x16") as server:
        client = HttpClient(server.url.replace("http:", "https:"), None)
        async with anyio.create_task_group() as group:
            group.start_soon(ask, client)
            await asked.wait()
            group.cancel_scope.cancel()
        with anyio.fail_after(5):
            await closed.wait()
        await client.aclose()


async def test_no_more_requests_are_under_way_than_allowed_and_who_waits_too_long_was_never_sent() -> None:
    asked, answered = anyio.Event(), anyio.Event()

    async def late(stream: SocketStream, head: str) -> None:
        asked.set()
        await answered.wait()
        await stream.send(ANSWER)

    async with serving(late) as server, anyio.create_task_group() as group:
        client = HttpClient(server.url, None, requests_max=1)
        group.start_soon(ask, client)
        await asked.wait()
        with pytest.raises(NoReply, match="too many requests") as caught:
            await ask(client, timeouts=Timeouts(total=10, pool=0.05))
        assert caught.value.outcome == "refused"
        assert len(server.heads) == 1
        answered.set()
        assert (await ask(client)).body == {}
        await client.aclose()


async def test_a_client_that_was_closed_opens_anew() -> None:
    requests: list[bytes] = []
    async with serving(answering(2, requests)) as server:
        client = HttpClient(server.url, None)
        for count in (1, 2):
            assert (await ask(client)).body == {}
            await client.aclose()
            assert len(server.heads) == count


async def test_without_readable_certificates_nothing_is_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    async with serving(answer("200 OK"), end_of_head=b"\x16") as server:
        client = HttpClient(server.url.replace("http:", "https:"), None)
        with pytest.raises(NoReply) as caught:
            await client.post("/jobs", {}, headers={}, timeouts=TIMES)
        assert caught.value.outcome == "refused"
        assert server.heads == []
        await client.aclose()


@pytest.mark.parametrize("moments", range(8))
async def test_a_client_that_is_closed_as_a_request_goes_out_tells_whether_it_was_sent(moments: int) -> None:
    requests: list[bytes] = []
    outcomes: list[str] = []

    async def ask_again() -> None:
        try:
            await ask(client, "/jobs/2")
        except NoReply as error:
            outcomes.append(error.outcome)

    async with serving(answering(2, requests)) as server:
        client = HttpClient(server.url, None)
        await ask(client)
        async with anyio.create_task_group() as group:
            group.start_soon(ask_again)
            for _ in range(moments):
                await anyio.lowlevel.checkpoint()
            await client.aclose()
        await client.aclose()
    if outcomes == ["refused"]:
        assert [request.split()[1] for request in requests] == [b"/jobs/1"]


async def test_no_cookie_of_a_gateway_is_sent_back() -> None:
    async with serving(answer("200 OK", b"{}", set_cookie="a=b")) as server:
        client = HttpClient(server.url, None)
        await ask(client)
        await ask(client)
        assert not any("cookie" in head.lower() for head in server.heads)
        await client.aclose()


async def test_the_environments_proxy_makes_the_connection_and_sees_neither_key_nor_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving(answer("403 Forbidden")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//me:word@"))
        client = HttpClient("https://gateway.invalid", "sk-0123456789")
        with pytest.raises(NoReply, match="proxy") as caught:
            await ask(client)
        assert caught.value.outcome == "refused"
        (head,) = proxy.heads
        assert head.startswith("CONNECT gateway.invalid:443 ")
        assert "proxy-authorization: basic " in head.lower()
        assert "sk-0123456789" not in head
        await client.aclose()


async def test_plain_http_goes_past_the_environments_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(answer("200 OK", b"{}")) as server, serving(answer("403 Forbidden")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        client = HttpClient(server.url, "sk-0123456789")
        assert (await ask(client)).body == {}
        assert proxy.heads == []
        await client.aclose()
