"""Answers that never end: one deadline from the connection to the last byte, for looks, submissions and results."""

import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import anyio
import anyio.to_thread
import pytest

from rushes.domain.errors import GatewayUnavailable, OutputError, OutputUnavailable, SubmissionLost
from rushes.domain.job import RemoteOutput
from rushes.providers.client.downloads import OutputClient
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.registry import build_provider

from ..providers.replies import job, plan_of, settings
from ..providers.requests import request
from .server import Server, serving, whole

pytestmark = pytest.mark.anyio

JOB = job("pred_1", "google/veo-3.1")
RUNNING = b'{"id": "pred_1", "status": "processing"}'
WHOLE_SECONDS = 0.1
"""The limits under test; each is far below that on a single read."""

HANGING = 40
"""More than an event loop has threads to look hosts up."""


def _nothing(server: Server) -> Iterable[bytes]:
    return server.until_closed(b"", b"")


def _head_that_drips(server: Server) -> Iterable[bytes]:
    return server.until_closed(b"HTTP/1.1 200 OK\r\n", b"x-more: 1\r\n")


def _processing_without_end(server: Server) -> Iterable[bytes]:
    return server.until_closed(b"", b"HTTP/1.1 102 Processing\r\n\r\n")


def _body_that_drips(server: Server) -> Iterable[bytes]:
    return server.until_closed(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n", b" ")


SLOW = pytest.mark.parametrize(
    "slow",
    [_nothing, _head_that_drips, _processing_without_end, _body_that_drips],
    ids=["nothing", "a head that drips", "102 without end", "a body that drips"],
)
Slow = Callable[[Server], Iterable[bytes]]


def provider(server: Server, seconds: float = WHOLE_SECONDS, requests_max: int = 16) -> HttpProvider:
    changes = {"timeout_seconds": seconds, "requests_max": requests_max}
    made = build_provider(settings("routeany", base_url=server.url).model_copy(update=changes))
    assert isinstance(made, HttpProvider)
    return made


@SLOW
async def test_a_look_ends_at_its_deadline(slow: Slow) -> None:
    with serving(answers=lambda server: lambda _: slow(server)) as server:
        made = provider(server)
        with anyio.fail_after(5), pytest.raises(GatewayUnavailable, match="in time"):
            await made.poll(JOB)
        await made.aclose()


@SLOW
async def test_a_submission_ends_at_its_deadline_and_counts_as_lost(slow: Slow) -> None:
    with serving(answers=lambda server: lambda _: slow(server)) as server:
        made = provider(server, WHOLE_SECONDS / 2)
        with anyio.fail_after(5), pytest.raises(SubmissionLost, match="in time"):
            await made.submit(plan_of("routeany", request(), "veo-3.1"))
        await made.aclose()


@SLOW
async def test_a_result_ends_at_its_deadline(slow: Slow) -> None:
    with serving(answers=lambda server: lambda _: slow(server)) as server:
        outputs = OutputClient(server.url, None, seconds_max=WHOLE_SECONDS)
        with anyio.fail_after(5), pytest.raises(OutputUnavailable, match="too slowly"):
            async with outputs.open(RemoteOutput(url=f"{server.url}/v.mp4")) as stream:
                async for _ in stream:
                    pass
        await outputs.aclose()


async def test_submissions_that_hang_keep_nobody_from_looking_at_a_job() -> None:
    def answers(server: Server) -> Callable[[str], Iterable[bytes]]:
        return lambda head: _nothing(server) if head.startswith("POST") else whole(RUNNING)

    with serving(answers=answers) as server:
        made = provider(server, seconds=30, requests_max=2)
        plan = plan_of("routeany", request(), "veo-3.1")
        with anyio.fail_after(5):
            async with anyio.create_task_group() as submissions:
                for _ in range(3):
                    submissions.start_soon(made.submit, plan)
                while sum(path.startswith("POST") for path in server.paths) < 2:
                    await anyio.lowlevel.checkpoint()
                assert (await made.poll(JOB)).state == "running"
                submissions.cancel_scope.cancel()
        await made.aclose()


async def test_more_requests_than_one_pool_holds_go_out_at_once() -> None:
    with serving(answers=lambda server: lambda _: _nothing(server)) as server:
        made = provider(server, seconds=30, requests_max=40)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as looks:
                for _ in range(40):
                    looks.start_soon(made.poll, JOB)
                while len(server.heads) < 40:
                    await anyio.lowlevel.checkpoint()
                looks.cancel_scope.cancel()
        await made.aclose()


async def test_results_on_hosts_that_nobody_answers_for_keep_nobody_from_another_gateway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look_up, released, asked = socket.getaddrinfo, threading.Event(), threading.Semaphore(0)

    def hanging(host: bytes | str | None, *arguments: Any, **named: Any) -> Any:
        if str(host).endswith("silent.invalid"):
            asked.release()
            released.wait(30)
            raise OSError
        return look_up(host, *arguments, **named)

    async def fetch(outputs: OutputClient, number: int) -> None:
        with suppress(OutputError):
            async with outputs.open(RemoteOutput(url=f"https://{number}.silent.invalid/v.mp4")):
                pass

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    outputs = OutputClient("https://gateway.invalid", None)
    with serving(lambda _: whole(RUNNING)) as server, anyio.fail_after(20):
        healthy = build_provider(settings("routeany", base_url=server.url.replace("127.0.0.1", "localhost")))
        try:
            async with anyio.create_task_group() as group:
                for number in range(HANGING):
                    group.start_soon(fetch, outputs, number)
                for _ in range(HANGING):
                    assert await anyio.to_thread.run_sync(asked.acquire, True, 5)
                assert (await healthy.poll(JOB)).state == "running"
                group.cancel_scope.cancel()
        finally:
            released.set()
            await healthy.aclose()
