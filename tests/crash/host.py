"""A host as blunt as can be: it starts `rushes serve` or the command, writes JSON-RPC lines, and ends the process."""

import json
import os
import signal
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream
from pydantic import JsonValue, TypeAdapter

from ..forks import forked

End = Literal["SIGTERM", "SIGINT", "SIGHUP", "EOF", "SIGKILL"]

HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "a test", "version": "1"}}

AGAIN_SECONDS = 15.0


@dataclass
class Hosted:
    """A process that was started as a host or a person starts it."""

    process: Process
    heard: str = ""
    """What it has written to stderr so far, as far as somebody waited for it."""

    async def said(self, words: str) -> None:
        """Wait until it has written these words to stderr."""
        assert self.process.stderr is not None
        chunks = TextReceiveStream(self.process.stderr)
        while words not in self.heard:
            try:
                self.heard += await chunks.receive()
            except anyio.EndOfStream:
                raise AssertionError(f"not said: {words!r}, but: {self.heard}") from None

    async def document(self) -> dict[str, JsonValue]:
        """All that it writes to stdout until its end, as one JSON document."""
        assert self.process.stdout is not None
        text = "".join([chunk async for chunk in TextReceiveStream(self.process.stdout)])
        return TypeAdapter(dict[str, JsonValue]).validate_json(text)

    async def call(self, tool: str, **arguments: object) -> None:
        """Greet, and call a tool; nothing is read."""
        await self._write({"id": 1, "method": "initialize", "params": HELLO})
        await self._write({"method": "notifications/initialized"})
        await self._write({"id": 2, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})

    async def end(self, how: End, again_seconds: float = AGAIN_SECONDS) -> int:
        """End it; the exit code, or the negative number of the signal."""
        assert self.process.stdin is not None
        if how == "EOF":
            await self.process.stdin.aclose()
            return await self.process.wait()
        while True:
            # One that comes while the interpreter itself starts can get lost; whoever sent it tries again.
            self.process.send_signal(signal.Signals[how])
            with anyio.move_on_after(again_seconds):
                return await self.process.wait()

    async def _write(self, message: Mapping[str, object]) -> None:
        assert self.process.stdin is not None
        await self.process.stdin.send(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


@asynccontextmanager
async def hosted(home: Path, settings: Mapping[str, str], *arguments: str) -> AsyncGenerator[Hosted]:
    """`rushes` with these arguments, on a home and with the settings of simulated gateways."""
    environment = {**os.environ, **settings, "RUSHES_HOME": str(home)}
    home.mkdir(parents=True, exist_ok=True)
    async with forked("rushes", *arguments, environment=environment, own_session=True) as process:
        yield Hosted(process)
