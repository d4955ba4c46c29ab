"""Answers that are small on the wire and large in memory: the limit on size holds while they are inflated."""

import gzip
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable

import pytest

from rushes.domain.errors import GatewayUnavailable, OutputError, OutputRejected, SubmissionLost
from rushes.domain.job import RemoteOutput
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.client.http import READ_BYTES_MAX
from rushes.providers.registry import build_provider

from ..providers.replies import job, plan_of, settings
from ..providers.requests import request
from .compressed import gzipped_zeros, twice_gzipped
from .server import Server, serving, whole
from .summary import PEAK_MIB

pytestmark = pytest.mark.anyio

JOB = job("pred_1", "google/veo-3.1")
RUNNING = json.dumps({"id": "pred_1", "status": "processing"}).encode()


def provider(server: Server) -> HttpProvider:
    made = build_provider(settings("routeany", base_url=server.url))
    assert isinstance(made, HttpProvider)
    return made


async def looked_at(body: bytes, encoding: str) -> str:
    """The job's state by an answer with this body, or what was wrong with it."""
    with serving(lambda _: whole(body, content_encoding=encoding)) as server:
        made = provider(server)
        try:
            return (await made.poll(JOB)).state
        except GatewayUnavailable as error:
            return error.message
        finally:
            await made.aclose()


def test_no_answer_takes_more_memory_than_a_process_has(record_property: Callable[[str, object], None]) -> None:
    answer = whole(twice_gzipped(2048), content_type="video/mp4", content_encoding="gzip, gzip")
    with serving(lambda _: answer) as server:
        told = _limited(server.url)
    peak = told["peak_mib"]
    assert isinstance(peak, int)
    record_property(PEAK_MIB, peak)
    assert peak < 200
    assert "compressed more than once" in str(told["look"])
    assert "compressed more than once" in str(told["submit"])
    assert str(told["submit"]).startswith("SubmissionLost")
    assert told["fetch"] == "OutputRejected: the result cannot be read: it was compressed more than once"


def _limited(url: str) -> dict[str, object]:
    variables = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    command = [sys.executable, "-m", "tests.hostile.limited", "512", url]
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 0, ended.stderr
    told: dict[str, object] = json.loads(ended.stdout)
    return told


async def test_an_answer_that_is_too_large_when_inflated_is_lost_and_says_so() -> None:
    with serving(lambda _: whole(gzipped_zeros(64), content_encoding="gzip")) as server:
        made = provider(server)
        with pytest.raises(SubmissionLost, match="larger than 4 MiB"):
            await made.submit(plan_of("routeany", request(), "veo-3.1"))
        await made.aclose()


async def test_an_answer_just_within_the_limit_is_read() -> None:
    body = gzip.compress(RUNNING.ljust(READ_BYTES_MAX))
    assert await looked_at(body, "gzip") == "running"


def _raw_deflate(data: bytes) -> bytes:
    return zlib.compress(data, wbits=-zlib.MAX_WBITS)


@pytest.mark.parametrize(
    ("compressed", "encoding"),
    [
        (gzip.compress, "gzip"),
        (gzip.compress, "x-gzip"),
        (gzip.compress, "GZIP, identity"),
        (zlib.compress, "deflate"),
        (_raw_deflate, "deflate"),
        (bytes, "identity"),
    ],
    ids=["gzip", "x-gzip", "gzip and nothing", "deflate", "deflate without a head", "nothing"],
)
async def test_one_encoding_that_was_asked_for_is_undone(compressed: Callable[[bytes], bytes], encoding: str) -> None:
    assert await looked_at(compressed(RUNNING), encoding) == "running"


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "gzip, br", "deflate, gzip", "rot13"])
async def test_any_other_encoding_is_refused_in_plain_words(encoding: str) -> None:
    told = await looked_at(gzip.compress(gzip.compress(RUNNING)), encoding)
    assert "the answer cannot be read: it was compressed" in told


@pytest.mark.parametrize("cut", [1, 8, 12])
async def test_a_compressed_answer_that_breaks_off_is_not_taken_for_a_whole_one(cut: int) -> None:
    assert "broke off" in await looked_at(gzip.compress(RUNNING)[:-cut], "gzip")


async def test_only_encodings_that_can_be_undone_with_a_bound_are_asked_for() -> None:
    with serving(lambda _: whole(RUNNING)) as server:
        made = provider(server)
        await made.poll(JOB)
        async with made.open_output(RemoteOutput(url=f"{server.url}/v.mp4")) as stream:
            assert b"".join([chunk async for chunk in stream]) == RUNNING
        await made.aclose()
        asked = [line for head in server.heads for line in head.lower().split("\r\n") if "accept-encoding" in line]
    assert asked == ["accept-encoding: gzip, deflate", "accept-encoding: identity"]


async def test_a_result_that_is_compressed_unasked_comes_as_it_was_and_in_small_pieces() -> None:
    content = bytes(3_000_000)
    answer = whole(gzip.compress(content), content_type="video/mp4", content_encoding="gzip")
    with serving(lambda _: answer) as server:
        made = provider(server)
        async with made.open_output(RemoteOutput(url=f"{server.url}/v.mp4")) as stream:
            chunks = [chunk async for chunk in stream]
        await made.aclose()
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) <= 64 * 1024


async def test_a_link_to_a_result_that_is_compressed_twice_is_rejected() -> None:
    answer = whole(twice_gzipped(64), content_encoding="gzip, gzip")
    with serving(lambda _: answer) as server:
        made = provider(server)
        output = RemoteOutput(url=f"{server.url}/v1/videos/1/content", authenticated=True)
        with pytest.raises(OutputError) as caught:
            async with made.open_output(output):
                pass
        await made.aclose()
    assert isinstance(caught.value, OutputRejected)
