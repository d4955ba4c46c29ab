"""What stands between a host and the scenario, without any host."""

import http.client
import json
import tomllib
from pathlib import Path

import anyio.to_thread
import pytest

from ..scripts.scenario import Document, GaveUp, Job
from . import claude_code, codex, gemini_cli
from .conversation import HostBroke, Model, Result
from .endpoint import Endpoint, answering
from .gemini_content import GeminiContent
from .session import document_shown
from .spoken import version_in

TASK = '{"task_id": "01TASK", "outputs": [{"path": "/home/a.jpg"}]}'

URL = "http://127.0.0.1:1"
STDIO = Job("stdio", ["/bin/python", "-m", "rushes", "serve"], {"RUSHES_HOME": '/a "home"'})
HTTP = Job("http", [], {}, "http://127.0.0.1:2/mcp")


@pytest.mark.parametrize(
    "text",
    [
        TASK,
        f"[Resource link: a.jpg] rushes://tasks/01TASK/outputs/1 (/home/a.jpg)\n{TASK}",
        f"Wall time: 0.2 seconds\nOutput:\n{TASK}",
        f"<untrusted_context>\n{TASK}\n</untrusted_context>",
    ],
)
def test_a_document_is_found_in_what_each_host_shows(text: str) -> None:
    assert document_shown(Result("call_1", text)) == json.loads(TASK)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('MCP server "rushes" tool "generate_image" timed out after 8s', "timed out after 8s"),
        (
            "tool call error: …\n\nCaused by:\n    timed out awaiting tools/call after 8s",
            "timed out awaiting tools/call",
        ),
        ('failed for {"args": {}}: {"message":"MCP error -32001: Request timed out"}', "Request timed out"),
    ],
)
def test_a_host_that_waited_long_enough_is_quoted(text: str, words: str) -> None:
    with pytest.raises(GaveUp, match=f"^{words}"):
        document_shown(Result("call_1", text, failed=True))


@pytest.mark.parametrize("text", ["Permission denied", f"error: {TASK}"])
def test_any_other_failure_is_not_taken_for_lost_patience(text: str) -> None:
    with pytest.raises(HostBroke):
        document_shown(Result("call_1", text, failed=True))


def test_the_last_version_that_was_spoken_counts() -> None:
    tried = b'{"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}'
    taken = b'{"method": "initialize", "params": {"protocolVersion": "2025-06-18"}}'

    assert version_in(tried) == "2026-07-28"
    assert version_in(tried + taken) == "2025-06-18"
    assert version_in(b"POST /mcp HTTP/1.1\r\nMCP-Protocol-Version: 2025-11-25\r\n") == "2025-11-25"
    assert version_in(b"{}") is None


def asked(endpoint: Endpoint, request: Document) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.server_port)
    try:
        connection.request("POST", "/v1beta/models/gemini:streamGenerateContent", json.dumps(request))
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def turn(*parts: Document) -> Document:
    declared: Document = {"name": "mcp_rushes_check_task", "parametersJsonSchema": {"type": "object", "properties": {}}}
    return {"tools": [{"functionDeclarations": [declared]}], "contents": [{"parts": list(parts)}]}


@pytest.mark.anyio
async def test_a_host_hears_the_call_that_the_scenario_makes_and_the_scenario_its_result() -> None:
    heard_by_host: list[str] = []
    model = Model()

    async def host(endpoint: Endpoint) -> None:
        heard_by_host.append(await anyio.to_thread.run_sync(asked, endpoint, turn({"text": "Make a picture"})))
        told = {"id": "call_1", "name": "mcp_rushes_check_task", "response": {"output": TASK}}
        heard_by_host.append(await anyio.to_thread.run_sync(asked, endpoint, turn({"functionResponse": told})))

    with anyio.fail_after(30), answering(GeminiContent(), model) as endpoint:
        async with anyio.create_task_group() as group:
            group.start_soon(host, endpoint)
            heard = await model.listen()
            _, result = await model.call(heard.tools["check_task"], {"task_id": "01TASK"})
            assert result == Result("call_1", TASK)
            await model.end()

    assert '"args": {"task_id": "01TASK"}' in heard_by_host[0]
    assert "Done." in heard_by_host[1]


@pytest.mark.anyio
async def test_a_turn_without_the_result_of_the_call_breaks_the_host() -> None:
    model = Model()

    async def host(endpoint: Endpoint) -> None:
        await anyio.to_thread.run_sync(asked, endpoint, turn({"text": "Make a picture"}))
        await anyio.to_thread.run_sync(asked, endpoint, turn({"text": "Make a picture"}))

    with anyio.fail_after(30), answering(GeminiContent(), model) as endpoint:
        async with anyio.create_task_group() as group:
            group.start_soon(host, endpoint)
            heard = await model.listen()
            with pytest.raises(HostBroke, match="call_1"):
                await model.call(heard.tools["check_task"], {})
            await model.end()


@pytest.mark.anyio
async def test_a_request_that_is_not_understood_reaches_the_scenario() -> None:
    def asks_nonsense(endpoint: Endpoint) -> None:
        with pytest.raises(http.client.RemoteDisconnected):
            asked(endpoint, {"tools": "none"})

    model = Model()
    with anyio.fail_after(30), answering(GeminiContent(), model) as endpoint:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, asks_nonsense, endpoint)
            with pytest.raises(HostBroke, match="not understood"):
                await model.listen()


@pytest.mark.anyio
async def test_what_would_leave_this_machine_is_refused_and_known() -> None:
    def through_proxy(endpoint: Endpoint) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", endpoint.server_port)
        try:
            connection.request("CONNECT", "updates.example:443")
            return connection.getresponse().status
        finally:
            connection.close()

    with anyio.fail_after(30), answering(GeminiContent(), Model()) as endpoint:
        status = await anyio.to_thread.run_sync(through_proxy, endpoint)

    assert (status, endpoint.refused) == (403, {"updates.example:443"})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NODE", "/packages/node")
    monkeypatch.setenv("NODE_PACKAGES", "/packages")
    return tmp_path


def test_claude_code_gets_the_server_the_limit_and_the_address_of_its_model(home: Path) -> None:
    for job in (STDIO, HTTP):
        start = claude_code.configure(job, 8.0, home, URL)
        server = json.loads((home / "mcp.json").read_text(encoding="utf-8"))["mcpServers"]["rushes"]

        assert start.environment["ANTHROPIC_BASE_URL"] == URL
        assert start.environment["MCP_TOOL_TIMEOUT"] == "8000"
        assert (server.get("command"), server.get("url")) == (next(iter(job.command), None), job.url)


def test_codex_gets_the_server_the_limit_and_the_address_of_its_model(home: Path) -> None:
    for name, job in (("stdio", STDIO), ("http", HTTP)):
        (home / name).mkdir()
        codex.configure(job, 8.0, home / name, URL)
        settings = tomllib.loads((home / name / ".codex" / "config.toml").read_text(encoding="utf-8"))
        server = settings["mcp_servers"]["rushes"]

        assert settings["model_providers"][settings["model_provider"]]["base_url"] == f"{URL}/v1"
        assert server["tool_timeout_sec"] == 8.0
        assert (server.get("env", {}), server.get("url")) == (job.env, job.url)


def test_gemini_cli_gets_the_server_the_limit_and_the_address_of_its_model(home: Path) -> None:
    for name, job in (("stdio", STDIO), ("http", HTTP)):
        (home / name).mkdir()
        start = gemini_cli.configure(job, 8.0, home / name, URL)
        settings = json.loads((home / name / ".gemini" / "settings.json").read_text(encoding="utf-8"))
        server = settings["mcpServers"]["rushes"]

        assert start.environment["GOOGLE_GEMINI_BASE_URL"] == URL
        assert server["timeout"] == 8000
        assert (server.get("env", {}), server.get("httpUrl")) == (job.env, job.url)
