"""Streamable HTTP and SSE on loopback: who is answered, what is shared, and how the server ends."""

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import anyio
import httpx
import pytest
from mcp import Client
from mcp.client.sse import sse_client

from rushes.domain.errors import ConfigurationError
from rushes.server.mcp.server import build_server
from rushes.server.transports.http import is_loopback
from rushes.server.transports.serve import serve_http, serve_sse
from rushes.tools import ALL_TOOLS, already

from ..tools.fake_service import FakeService, record
from .clients import document

pytestmark = pytest.mark.anyio

WAYS = [("http", "auto"), ("http", "legacy"), ("sse", "legacy")]
every_way = pytest.mark.parametrize(("transport", "era"), WAYS, ids=[" ".join(way) for way in WAYS])
each_transport = pytest.mark.parametrize("transport", ["http", "sse"])


@asynccontextmanager
async def serving(transport: str, service: FakeService | None = None) -> AsyncGenerator[str]:
    """The URL of a server on a free port; it is asked to stop at the end."""
    server = build_server(already(service or FakeService()), local_files=False)
    serve = serve_http if transport == "http" else serve_sse
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            yield await group.start(partial(serve, server, port=0))
            group.cancel_scope.cancel()


def connected(url: str, transport: str, era: str) -> Client:
    return Client(sse_client(url) if transport == "sse" else url, mode=era)


@every_way
async def test_the_tools_work(transport: str, era: str) -> None:
    async with serving(transport) as url, connected(url, transport, era) as client:
        assert len((await client.list_tools()).tools) == len(ALL_TOOLS)
        shown = document(await client.call_tool("generate_image", {"prompt": "a red fox"}))

    assert (shown["kind"], shown["state"]) == ("image", "running")


@every_way
async def test_two_clients_of_one_server_see_one_task(transport: str, era: str) -> None:
    async with (
        serving(transport) as url,
        connected(url, transport, era) as one,
        connected(url, transport, era) as other,
    ):
        made = document(await one.call_tool("generate_video", {"prompt": "a red fox"}))
        again = document(await other.call_tool("generate_video", {"prompt": "a red fox"}))
        seen = document(await other.call_tool("list_tasks", {}))

    assert (again["task_id"], again["deduplicated"]) == (made["task_id"], True)
    assert str(seen).count(str(made["task_id"])) == 1


@every_way
async def test_progress_is_heard_while_a_call_waits(transport: str, era: str) -> None:
    service = FakeService()
    service.put(record())

    async def finish(progress: float, total: float | None, message: str | None) -> None:
        service.move("01TASK", state="succeeded", phase="done")

    async with serving(transport, service) as url, connected(url, transport, era) as client:
        arguments = {"task_id": "01TASK", "wait_seconds": 45}
        shown = document(await client.call_tool("check_task", arguments, progress_callback=finish))

    assert shown["state"] == "succeeded"


@every_way
async def test_a_medium_of_ten_megabytes_may_come_as_a_data_url(transport: str, era: str) -> None:
    service = FakeService()
    image = "data:image/png;base64," + "A" * 13_981_016
    async with serving(transport, service) as url, connected(url, transport, era) as client:
        shown = document(await client.call_tool("generate_video", {"prompt": "a red fox", "image": image}))

    assert shown["state"] == "running"
    assert [medium.text for wish in service.wishes for medium in wish.media] == [image]


@every_way
async def test_the_server_ends_although_a_client_is_connected_and_waits(transport: str, era: str) -> None:
    service = FakeService()
    service.put(record())

    async def wait_for_the_task(url: str) -> None:
        with pytest.raises(BaseExceptionGroup):
            async with connected(url, transport, era) as client:
                await client.call_tool("check_task", {"task_id": "01TASK", "wait_seconds": 45})

    async with anyio.create_task_group() as group, serving(transport, service) as url:
        group.start_soon(wait_for_the_task, url)
        await service.waiting.wait()


@each_transport
@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
async def test_a_foreign_host_is_refused(transport: str, host: str) -> None:
    async with serving(transport) as url, httpx.AsyncClient() as http:
        answers = [
            await http.get(url, headers={"Host": host}),
            await http.post(url, headers={"Host": host}, json={}),
        ]

    assert [answer.status_code for answer in answers] == [421, 421]


@each_transport
@pytest.mark.parametrize("origin", ["http://evil.example", "https://127.0.0.1", "null"])
async def test_a_foreign_origin_is_refused(transport: str, origin: str) -> None:
    async with serving(transport) as url, httpx.AsyncClient() as http:
        answer = await http.post(url, headers={"Origin": origin}, json={})

    assert answer.status_code == 403


@each_transport
async def test_a_host_that_others_can_reach_is_refused_before_anything_listens(transport: str) -> None:
    serve = serve_http if transport == "http" else serve_sse
    with pytest.raises(ConfigurationError, match="loopback only") as caught:
        await serve(build_server(already(FakeService()), local_files=False), host="0.0.0.0", port=0)  # noqa: S104

    assert "127.0.0.1" in str(caught.value.hint)


async def test_a_port_that_is_taken_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1 port {port}"):
            await serve_http(build_server(already(FakeService()), local_files=False), port=port)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("192.168.1.2", False),
        ("localhost.example", False),
        ("example.com", False),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
