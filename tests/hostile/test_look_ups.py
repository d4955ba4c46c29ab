"""Gateways whose own names nobody answers for: what is asked of them waits alone."""

import socket
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import anyio
import anyio.to_thread
import pytest

from rushes.domain.errors import GatewayUnavailable, OutputError
from rushes.domain.job import RemoteOutput
from rushes.providers.client.downloads import OutputClient
from rushes.providers.provider import Provider
from rushes.providers.registry import build_provider

from ..providers.replies import job, settings
from .server import serving, whole

pytestmark = pytest.mark.anyio

JOB = job("pred_1", "google/veo-3.1")
RUNNING = b'{"id": "pred_1", "status": "processing"}'

HANGING = 40
"""More than an event loop has threads to look hosts up."""

LOOPBACK = "127.0.0.1"


@contextmanager
def looking_up(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], Sequence[str]]) -> Generator[None]:
    """Names that end in `.test` have the addresses that `answer` says."""
    look_up = socket.getaddrinfo

    def answered(host: bytes | str | None, port: int, *arguments: Any, **named: Any) -> Any:
        if not str(host).endswith(".test"):
            return look_up(host, port, *arguments, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer(str(host))]

    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", answered)
        yield


def at(url: str) -> Provider:
    return build_provider(settings("routeany", base_url=url))


async def test_gateways_that_nobody_answers_for_keep_nobody_from_another_gateway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released, asked = threading.Event(), threading.Semaphore(0)

    def answer(host: str) -> list[str]:
        if host.startswith("healthy"):
            return [LOOPBACK]
        asked.release()
        released.wait(30)
        raise OSError

    async def look(silent: Provider) -> None:
        with suppress(GatewayUnavailable):
            await silent.poll(JOB)

    async def fetch(outputs: OutputClient) -> None:
        with suppress(OutputError):
            async with outputs.open(RemoteOutput(url="https://silent.test/v.mp4")):
                pass

    gateways = [at(f"https://{number}.silent.test") for number in range(HANGING // 2)]
    results = [OutputClient("https://silent.test", None) for _ in range(HANGING // 2)]
    with serving(lambda _: whole(RUNNING)) as server, looking_up(monkeypatch, answer), anyio.fail_after(20):
        healthy = at(server.url.replace(LOOPBACK, "healthy.test"))
        try:
            async with anyio.create_task_group() as group:
                for silent, outputs in zip(gateways, results, strict=True):
                    group.start_soon(look, silent)
                    group.start_soon(fetch, outputs)
                for _ in range(HANGING):
                    assert await anyio.to_thread.run_sync(asked.acquire, True, 5)
                assert (await healthy.poll(JOB)).state == "running"
                group.cancel_scope.cancel()
        finally:
            released.set()
            for provider in (healthy, *gateways):
                await provider.aclose()
            for outputs in results:
                await outputs.aclose()


@pytest.mark.parametrize(
    "addresses",
    [[LOOPBACK], ["127.0.0.77", LOOPBACK], [LOOPBACK, "127.0.0.77"]],
    ids=["one", "the first refuses", "the second refuses"],
)
async def test_a_gateway_is_reached_at_any_of_its_addresses(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    with serving(lambda _: whole(RUNNING)) as server, looking_up(monkeypatch, lambda _: addresses):
        gateway = at(server.url.replace(LOOPBACK, "gateway.test"))
        with anyio.fail_after(10):
            assert (await gateway.poll(JOB)).state == "running"
        await gateway.aclose()


async def test_an_address_that_never_answers_does_not_keep_the_next_one_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        serving(lambda _: whole(RUNNING)) as server,
        socket.create_server(("127.0.0.2", server.port), backlog=0) as full,
    ):
        # Nobody accepts: once its queue is full, who connects hears nothing at all.
        waiting = [socket.socket() for _ in range(4)]
        try:
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(full.getsockname())
            with looking_up(monkeypatch, lambda _: ["127.0.0.2", LOOPBACK]), anyio.fail_after(8):
                gateway = at(server.url.replace(LOOPBACK, "gateway.test"))
                assert (await gateway.poll(JOB)).state == "running"
                await gateway.aclose()
        finally:
            for each in waiting:
                each.close()


@pytest.mark.parametrize("addresses", [[], ["127.0.0.77"]], ids=["no address", "nobody listens"])
async def test_a_gateway_that_cannot_be_reached_got_no_request(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    with looking_up(monkeypatch, lambda _: addresses), anyio.fail_after(10):
        gateway = at("http://gateway.test:9")
        with pytest.raises(GatewayUnavailable, match="the connection could not be opened"):
            await gateway.poll(JOB)
        await gateway.aclose()
