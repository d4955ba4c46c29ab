"""The MCP Inspector's command line: each call is a process of its own, and over stdio a server of its own too."""

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from .scenario import Document, Job, Session, main
from .typescript import package_version


class InspectorFailed(Exception):
    """It ended with an exit code other than 0; the message is what it said."""


class InspectorStopped(Exception):
    """It was ended from outside: it has no limit of its own that took effect, so its user loses patience instead."""


class Connected:
    """A configuration file of the Inspector's."""

    def __init__(self, configuration: Path, era: str, seconds: float) -> None:
        self._configuration = configuration
        self._era = era
        self._seconds = seconds
        self.protocol: str | None = {"legacy": "2025-11-25", "modern": "2026-07-28"}[era]

    async def tools(self) -> list[str]:
        result = await self._run("tools/list")
        return [str(tool["name"]) for tool in result["tools"]]

    async def call(self, tool: str, arguments: Document) -> Document:
        document: Document = (await self._called(tool, arguments))["structuredContent"]
        return document

    async def sees_picture(self, tool: str, arguments: Document) -> bool:
        return any(block["type"] == "image" for block in (await self._called(tool, arguments))["content"])

    async def _called(self, tool: str, arguments: Document) -> Document:
        return await self._run("tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments))

    async def _run(self, method: str, *arguments: str) -> Document:
        script = Path(os.environ["NODE_PACKAGES"], ".bin", "mcp-inspector")
        shared = ["--cli", "-q", "--format", "json", "--protocol-era", self._era]
        process = await asyncio.create_subprocess_exec(
            *(os.environ["NODE"], str(script), *shared, "--config", str(self._configuration), "--server", "rushes"),
            *("--method", method, *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            said, complained = await asyncio.wait_for(process.communicate(), self._seconds)
        except TimeoutError:
            process.terminate()
            await process.wait()
            raise InspectorStopped(f"after {self._seconds:g} s") from None
        if process.returncode:
            raise InspectorFailed(f"exit {process.returncode}: {complained.decode()[-300:]}")
        result: Document = json.loads(said)["result"]
        return result


@asynccontextmanager
async def connect(job: Job, seconds: float) -> AsyncGenerator[Session]:
    stdio: Document = {"type": "stdio", "command": job.command[0], "args": job.command[1:], "env": job.env}
    server: Any = stdio if job.transport == "stdio" else {"type": "streamable-http", "url": job.url}
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, "mcp.json")
        configuration.write_text(json.dumps({"mcpServers": {"rushes": server}}), encoding="utf-8")
        yield Connected(configuration, job.era or "modern", seconds)


if __name__ == "__main__":
    main(package_version("@modelcontextprotocol/inspector"), connect)
