"""`rushes serve` as a host holds it: started over stdio, called by many at once, ended in any way, started again."""

import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Literal

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import BaseModel, JsonValue

from ..crash.host import HELLO

LINE_BYTES_MAX = 64 * 2**20
PEAK = "VmHWM:"

End = Literal["SIGKILL", "SIGTERM", "EOF"]


class HostGone(Exception):
    """The process ended before it answered, as processes here do."""


class FailureTold(BaseModel):
    reason: str
    charged: str | None = None


class Told(BaseModel):
    """What an agent was told of a task. One without an id is a refusal before there was any."""

    task_id: str | None = None
    state: str | None = None
    failure: FailureTold | None = None
    deduplicated: bool = False

    @property
    def costs_nothing(self) -> bool:
        """Whether it says that no money was spent."""
        return self.failure is not None and self.failure.charged == "no"


class _Result(BaseModel):
    structured_content: Told | None = None

    @classmethod
    def of(cls, result: JsonValue) -> "_Result":
        content = result.get("structuredContent") if isinstance(result, dict) else None
        return cls(structured_content=None if content is None else Told.model_validate(content))


@dataclass
class _Awaited:
    """A call under way."""

    done: anyio.Event = field(default_factory=anyio.Event)
    result: JsonValue = None
    gone: bool = False


class Host:
    """One life of a server."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._numbers = count(1)
        self._awaited: dict[int, _Awaited] = {}
        self._writing = anyio.Lock()
        self.ready = anyio.Event()
        self.ended = anyio.Event()
        self.by_us = False
        """Whether somebody ended it, or it ended by itself."""
        self.peak_mib = 0
        """Most memory it had, when it was last looked at."""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def code(self) -> int | None:
        return self._process.returncode

    async def live(self) -> None:
        """Greet it and hear its answers, until it ends."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._greet)
            await self._hear()
            await self._process.wait()
            group.cancel_scope.cancel()
        self.ended.set()
        for awaited in self._awaited.values():
            awaited.gone = True
            awaited.done.set()

    async def tool(self, name: str, **arguments: JsonValue) -> Told | None:
        """Call a tool; `None` where it answered without a task.

        Raises:
            HostGone: the process ended first.
        """
        await self.ready.wait()
        return _Result.of(await self._ask("tools/call", {"name": name, "arguments": arguments})).structured_content

    async def end(self, how: End) -> None:
        """Tell it to end as hosts do, or kill it."""
        self.look()
        self.by_us = True
        if how == "EOF":
            assert self._process.stdin is not None
            await self._process.stdin.aclose()
        else:
            self.send(signal.Signals[how])

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing where it has ended."""
        if self.code is None:
            # It may have been collected, and its end not been heard of yet.
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def look(self) -> None:
        """Note how much memory it has had."""
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines()
        except OSError:
            return
        peaks = [int(line.split()[1]) // 1024 for line in lines if line.startswith(PEAK)]
        self.peak_mib = max([self.peak_mib, *peaks])

    async def _greet(self) -> None:
        try:
            await self._ask("initialize", HELLO)
            await self._write({"method": "notifications/initialized"})
        except HostGone:
            return
        self.ready.set()

    async def _ask(self, method: str, params: Mapping[str, object]) -> JsonValue:
        number = next(self._numbers)
        awaited = self._awaited[number] = _Awaited()
        try:
            await self._write({"id": number, "method": method, "params": params})
            await awaited.done.wait()
        finally:
            del self._awaited[number]
        if awaited.gone:
            raise HostGone
        return awaited.result

    async def _write(self, message: Mapping[str, object]) -> None:
        assert self._process.stdin is not None
        line = json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"
        try:
            async with self._writing:
                await self._process.stdin.send(line)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            raise HostGone from None
        if self.ended.is_set():
            raise HostGone

    async def _hear(self) -> None:
        assert self._process.stdout is not None
        lines = BufferedByteReceiveStream(self._process.stdout)
        while True:
            try:
                line = await lines.receive_until(b"\n", LINE_BYTES_MAX)
            except (anyio.IncompleteRead, anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
                return
            message: dict[str, JsonValue] = json.loads(line)
            number = message.get("id")
            awaited = self._awaited.get(number) if isinstance(number, int) else None
            if awaited is not None:
                awaited.result = message.get("result")
                awaited.done.set()


@asynccontextmanager
async def hosted(
    settings: Mapping[str, str], log: Path, command: Sequence[str] = (sys.executable, "-m", "rushes", "serve")
) -> AsyncGenerator[Host]:
    """A server with these settings, killed at the end of the block if it still runs."""
    with log.open("wb") as errors:
        process = await anyio.open_process(command, env=settings, stderr=errors, start_new_session=True)
        host = Host(process)
        try:
            yield host
        finally:
            with anyio.CancelScope(shield=True):
                host.look()
                if process.returncode is None:
                    process.kill()
                await process.aclose()
