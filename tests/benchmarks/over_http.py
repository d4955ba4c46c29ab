"""`check_task` over HTTP beside a tool of a bare server: 16 clients, calls a second and processor time of each."""

import os
import statistics
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import anyio
import httpx

from ..served import serving
from .host import CLIENT, TICKS_PER_SECOND

CLIENTS, CALLS, ROUNDS = 16, 25, 3
SOON_LET_GO = httpx.Limits(keepalive_expiry=2.0)
"""Before the server lets go of an idle connection, after five seconds: both at once would end a call."""
RUSHES = ["-m", "rushes", "serve", "--transport", "http", "--port", "0"]
BARE = ["-m", "tests.benchmarks.bare", "http"]


class Session:
    """One client's session."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url
        self._headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}

    async def open(self) -> None:
        answer = await self._post({"id": 0, "method": "initialize", "params": CLIENT})
        self._headers["Mcp-Session-Id"] = answer.headers["mcp-session-id"]
        await self._post({"method": "notifications/initialized"})

    async def call(self, tool: str, arguments: Mapping[str, object]) -> str:
        params = {"name": tool, "arguments": arguments}
        return (await self._post({"id": 1, "method": "tools/call", "params": params})).text

    async def _post(self, message: Mapping[str, object]) -> httpx.Response:
        answer = await self._client.post(self._url, json={"jsonrpc": "2.0", **message}, headers=self._headers)
        assert answer.is_success, answer.text
        return answer


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def _newest_child() -> int:
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    return max(map(int, children))


async def _listening(url: str) -> None:
    """A bare server tells its address a moment before it listens."""
    address = httpx.URL(url)
    with anyio.fail_after(30):
        while True:
            with suppress(OSError):
                async with await anyio.connect_tcp(address.host, address.port or 80):
                    return
            await anyio.sleep(0.05)


async def _measured(url: str, pid: int, tool: str) -> tuple[float, float]:
    """Calls a second, and milliseconds of processor time of each."""
    await _listening(url)
    async with AsyncExitStack() as stack:
        sessions: list[Session] = []
        for _ in range(CLIENTS):
            client = await stack.enter_async_context(httpx.AsyncClient(timeout=60, trust_env=False, limits=SOON_LET_GO))
            sessions.append(Session(client, url))
            await sessions[-1].open()
        given: dict[str, object] = {"a": 1, "b": 2}
        if tool == "check_task":
            asked = {"prompt": "a red fox", "provider": "sandbox", "wait_seconds": 45}
            made = await sessions[0].call("generate_image", asked)
            given = {"task_id": made.partition('"task_id":"')[2].partition('"')[0]}

        async def work(session: Session) -> None:
            for _ in range(CALLS):
                assert '"isError":true' not in await session.call(tool, given)

        processor, began = _processor_seconds(pid), time.perf_counter()
        async with anyio.create_task_group() as group:
            for session in sessions:
                group.start_soon(work, session)
        count = CLIENTS * CALLS
        took = time.perf_counter() - began
        return count / took, 1000 * (_processor_seconds(pid) - processor) / count


def rows(home: Path) -> list[str]:
    """The row of the table: medians, in turns."""
    found: dict[str, list[tuple[float, float]]] = {"add": [], "check_task": []}
    for number in range(ROUNDS):
        for tool, arguments in (("add", BARE), ("check_task", RUSHES)):
            with serving(arguments, home / f"{tool}-{number}") as url:
                found[tool].append(anyio.run(_measured, url, _newest_child(), tool))
    (their_rate, theirs), (our_rate, ours) = (
        (statistics.median(rate for rate, _ in each), statistics.median(cost for _, cost in each))
        for each in (found["add"], found["check_task"])
    )
    return [
        f"| `check_task` over HTTP, {CLIENTS} clients, calls a second; processor time of each "
        f"| {our_rate:.0f}; {ours:.2f} ms | bare `add`: {their_rate:.0f}; {theirs:.2f} ms "
        f"({our_rate / their_rate:.2f} x, by processor time {theirs / ours:.2f} x; goal ≥ 0.8 x) |"
    ]


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write("\n".join(rows(Path(folder))) + "\n")
