"""A real process on real pipes: how it speaks, and how it ends."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager

import anyio
import pytest
from mcp import Client, StdioServerParameters

from rushes.server.transports.stdio import LINES_AHEAD, Lines
from rushes.tools import ALL_TOOLS

from ..forks import Forked, as_command, fork
from .clients import ERAS, document

SECONDS = 30

Message = dict[str, object]


class Host:
    """The other end of the pipes."""

    def __init__(self, process: "Forked | subprocess.Popen[bytes]") -> None:
        self.process = process

    def send(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())

    def receive(self) -> Message:
        assert self.process.stdout is not None
        message: Message = json.loads(self.process.stdout.readline())
        return message

    def ask(self, number: int, method: str, **params: object) -> None:
        self.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def end(self) -> tuple[int, str]:
        """The exit code, and all that was written to stderr."""
        assert self.process.stderr is not None
        return self.process.wait(SECONDS), self.process.stderr.read().decode()


@contextmanager
def hosted() -> Generator[Host]:
    """An initialized connection to a fresh process."""
    with fork("tests.server.serving") as process:
        host = Host(process)
        try:
            client = {"name": "test", "version": "1"}
            host.ask(1, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client)
            assert host.receive()["id"] == 1
            host.send('{"jsonrpc": "2.0", "method": "notifications/initialized"}')
            yield host
        finally:
            process.kill()


def start_waiting(host: Host) -> None:
    """Begin a call that waits long, and see its first progress."""
    arguments = {"task_id": "01TASK", "wait_seconds": 45}
    host.ask(2, "tools/call", name="check_task", arguments=arguments, _meta={"progressToken": "look"})
    assert host.receive()["method"] == "notifications/progress"


@pytest.fixture(scope="module")
def host() -> Generator[Host]:
    """A connection to a process that several tests share, for what leaves it as it was."""
    with hosted() as host:
        yield host


@pytest.mark.usefixtures("followed_children")
@pytest.mark.parametrize(
    ("asked", "call_under_way"),
    [("EOF", False), ("SIGTERM", False), ("EOF", True), ("SIGTERM", True), ("SIGINT", True), ("SIGHUP", True)],
)
def test_the_process_ends_in_order_when_its_host_or_a_signal_says_so(asked: str, call_under_way: bool) -> None:
    with hosted() as host:
        if call_under_way:
            start_waiting(host)
        if asked == "EOF":
            host.close()
        else:
            host.process.send_signal(signal.Signals[asked])
        code, said = host.end()

    assert (code, said.splitlines()[-1]) == (0, "left in order")


@pytest.mark.parametrize("count", [1, 2 * LINES_AHEAD])
def test_lines_that_come_after_the_event_loop_ended_leave_no_error_behind(
    count: int, caplog: pytest.LogCaptureFixture
) -> None:
    source, end_of_host = os.pipe()
    before = set(threading.enumerate())
    lines = Lines(source, lambda: None)

    async def start_and_end() -> None:
        lines.start()

    anyio.run(start_and_end)
    os.write(end_of_host, b"a line\n" * count)
    os.close(end_of_host)
    lines.close()
    for reader in set(threading.enumerate()) - before:
        reader.join(SECONDS)
        assert not reader.is_alive()
    os.close(source)
    assert not caplog.records


def test_stray_output_does_not_reach_the_host() -> None:
    with hosted() as host:
        host.ask(2, "tools/call", name="check_task", arguments={"task_id": "01TASK"})
        assert host.receive()["id"] == 2
        host.close()
        _, said = host.end()

    assert "a stray word of some library" in said


def test_a_line_that_is_no_message_does_not_end_the_connection(host: Host) -> None:
    host.send("{no json \u00e9")
    host.ask(3, "tools/list")
    answered = host.receive()
    while answered.get("id") != 3:
        answered = host.receive()

    assert "result" in answered


def test_a_message_of_a_megabyte_arrives_whole(host: Host) -> None:
    host.ask(4, "tools/call", name="check_task", arguments={"task_id": "x" * 1_000_000})
    answered = host.receive()

    assert answered["id"] == 4
    assert "not_found" in json.dumps(answered)


def test_a_call_with_half_an_emoji_in_its_text_is_answered(host: Host) -> None:
    expected = {
        r"cut \ud83d": "cut \ufffd",
        r"\uDD8A cut": "\ufffd cut",
        r"\ud83e\ud83e\udd8a": "\ufffd\U0001f98a",
        r"whole \ud83e\udd8a \u00e9": "whole \U0001f98a \u00e9",
        r"a path \\ud83d": r"a path \ud83d",
    }
    for sent, read in expected.items():
        call = '{"jsonrpc": "2.0", "id": 5, "method": "prompts/get", "params": '
        host.send(call + '{"name": "storyboard", "arguments": {"brief": "' + sent + '"}}}')
        answered = host.receive()
        assert answered["id"] == 5
        assert json.dumps(f"<brief>\n{read}\n</brief>")[1:-1] in json.dumps(answered)


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_the_sdk_client_works_over_stdio(era: str) -> None:
    command, arguments = as_command("tests.server.serving")
    parameters = StdioServerParameters(command=command, args=arguments)
    async with Client(parameters, mode=era, read_timeout_seconds=SECONDS) as client:
        assert len((await client.list_tools()).tools) == len(ALL_TOOLS)
        shown = document(await client.call_tool("check_task", {"task_id": "01TASK"}))

    assert shown["state"] == "running"
