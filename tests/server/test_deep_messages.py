"""Messages that are nested more deeply than readers go get an answer, and what is too large is refused unpaid."""

import itertools
import json
import os
import subprocess
from pathlib import Path

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client
from pydantic import JsonValue

from rushes.domain.nesting import DEPTH_MAX, TOO_DEEP, is_deeper_than, without_deep_values
from rushes.server.mcp.server import build_server
from rushes.tools import already

from ..forks import forked
from ..tools.fake_service import FakeService
from .clients import document
from .test_whole_path import listening

pytestmark = pytest.mark.anyio


def nested(levels: int) -> JsonValue:
    value: JsonValue = "the bottom"
    for _ in range(levels):
        value = [value]
    return value


async def test_over_stdio_a_call_nested_deeper_than_200_is_refused_and_the_next_one_answered(tmp_path: Path) -> None:
    environment = {**os.environ, "RUSHES_HOME": str(tmp_path / "home")}
    call = '{"jsonrpc": "2.0", "id": %d, "method": "tools/call", "params": {"name": "generate_image", "arguments": '
    rest = '{"prompt": "a \\"[[{ fox", "provider_options": {"a": '
    deep = {levels: call % levels + rest + "[" * levels + "]" * levels + "}}}}" for levels in (201, 5_000, 200_000)}
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}),
        json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        *deep.values(),
        json.dumps({"jsonrpc": "2.0", "id": 8, "method": "tools/list", "params": {}}),
    ]
    with anyio.fail_after(60):
        async with forked("rushes", "serve", environment=environment, stderr=subprocess.DEVNULL) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            await process.stdin.send("".join(f"{line}\n" for line in lines).encode())
            said = b""
            while said.count(b"\n") < len(deep) + 2:
                said += await process.stdout.receive()
            await process.stdin.aclose()
    answers = {answer.get("id"): answer for answer in map(json.loads, said.splitlines())}
    for levels in deep:
        told = answers[levels]["result"]["structuredContent"]["failure"]
        assert (told["reason"], told["charged"]) == ("invalid_input", "no"), levels
        assert "nested deeper than 64 levels" in told["message"]
    assert answers[8]["result"]["tools"]


async def test_over_http_a_call_nested_deeper_than_200_is_answered(tmp_path: Path) -> None:
    call = '{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "generate_image", "arguments": '
    headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    with anyio.fail_after(60):
        environment = {**os.environ, "RUSHES_HOME": str(tmp_path / "home")}
        async with listening(environment, "http") as url, httpx.AsyncClient(trust_env=False) as http:
            for version, levels in itertools.product(("2025-06-18", "2026-07-28"), (250, 100_000)):
                body = call + '{"prompt": "a fox", "provider_options": {"a": ' + "[" * levels + "]" * levels + "}}}}"
                answer = await http.post(url, content=body, headers={**headers, "MCP-Protocol-Version": version})
                assert answer.status_code == 400, (version, levels)
                assert "error" in answer.json()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"a": nested(100)}, "nested deeper than 64 levels"),
        ({"a": nested(40)}, "provider_options may be nested at most 32 levels deep"),
        ({"a": "x" * 262_144}, "provider_options may have at most 256 KiB as JSON, not 257"),
        ({"a": [{"x" * 301: 1}]}, "provider_options may have names of at most 300 characters"),
        (json.dumps({"a": nested(40)}), "provider_options may be nested at most 32 levels deep"),
    ],
)
async def test_options_beyond_their_bounds_are_refused(options: object, said: str) -> None:
    service = FakeService()
    async with Client(build_server(already(service), local_files=True)) as client:
        result = await client.call_tool("generate_image", {"prompt": "a fox", "provider_options": options})
    told = document(result)["failure"]
    assert said in str(told)
    assert "'charged': 'no'" in str(told)
    assert service.wishes == []


@pytest.mark.parametrize("name", ["model", "provider"])
async def test_names_are_bounded(name: str) -> None:
    async with Client(build_server(already(FakeService()), local_files=True)) as client:
        result = await client.call_tool("generate_image", {"prompt": "a fox", name: "x" * 301})
    assert f"{name} may have at most 300 characters" in str(document(result)["failure"])


async def test_options_within_their_bounds_arrive_whole() -> None:
    service = FakeService()
    options: JsonValue = {"a": nested(30), "b": "x" * 200_000}
    async with Client(build_server(already(service), local_files=True)) as client:
        await client.call_tool("generate_image", {"prompt": "a fox", "provider_options": options})
    assert service.wishes[0].request.provider_options == options


@settings(max_examples=30)
@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_what_is_not_deep_is_the_very_same_object(value: JsonValue) -> None:
    data = json.dumps(value).encode()
    if data.count(b"[") + data.count(b"{") <= DEPTH_MAX:
        assert without_deep_values(data) is data


@pytest.mark.parametrize("levels", [DEPTH_MAX - 1, DEPTH_MAX, DEPTH_MAX + 1, 5 * DEPTH_MAX])
def test_only_what_lies_too_deep_is_taken_out(levels: int) -> None:
    value: dict[str, JsonValue] = {
        "brackets in a text": "[{" * 200 + '"',
        "deep": nested(levels),
        "after": [1, {"b": 2}],
    }
    read = json.loads(without_deep_values(json.dumps(value).encode()))
    assert (read["brackets in a text"], read["after"]) == (value["brackets in a text"], value["after"])
    assert (read["deep"] == value["deep"]) is (levels < DEPTH_MAX)
    assert (TOO_DEEP in json.dumps(read["deep"])) is (levels >= DEPTH_MAX)
    assert is_deeper_than(read, 64)


@pytest.mark.parametrize("broken", [b"[" * 500, b"]" * 500, b'{"a": "' + b"[" * 500, b"[" * 300 + b"]" * 100])
def test_what_is_no_json_stays_no_json(broken: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        json.loads(without_deep_values(broken))
