"""The TypeScript client, in a Node.js process that is driven line by line (`ts_client.mjs`)."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from .scenario import Document, Job, Session, main

LINE_BYTES_MAX = 16 * 2**20


class ClientError(Exception):
    """What the client raised, by name."""


class Connected:
    """The other end of the pipes."""

    def __init__(self, process: asyncio.subprocess.Process, protocol: str | None) -> None:
        self._process = process
        self.protocol = protocol

    async def tools(self) -> list[str]:
        names: list[str] = await self._ask({"operation": "tools"})
        return names

    async def call(self, tool: str, arguments: Document) -> Document:
        result = await self._ask({"operation": "call", "tool": tool, "args": arguments})
        document: Document = result["structuredContent"]
        return document

    async def sees_picture(self, tool: str, arguments: Document) -> bool:
        result = await self._ask({"operation": "call", "tool": tool, "args": arguments})
        return any(block["type"] == "image" for block in result["content"])

    async def _ask(self, message: Document) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        answer = await heard(self._process)
        if "error" in answer:
            raise type(answer["error"], (ClientError,), {})(answer["message"])
        return answer["result"]


async def heard(process: asyncio.subprocess.Process) -> Document:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise ClientError(f"the client's process ended with {await process.wait()}")
    answer: Document = json.loads(line)
    return answer


@asynccontextmanager
async def connect(job: Job, seconds: float) -> AsyncGenerator[Session]:
    stdio = {"command": job.command[0], "args": job.command[1:], "env": job.env}
    target = {"stdio": stdio} if job.transport == "stdio" else {"url": job.url}
    given = json.dumps({**target, "mode": job.era or "auto", "seconds": seconds})
    # The packages are found from where the script lies.
    script = Path(os.environ["NODE_PACKAGES"]).parent / "ts_client.mjs"
    script.write_bytes((Path(__file__).parent / "ts_client.mjs").read_bytes())
    process = await asyncio.create_subprocess_exec(
        *(os.environ["NODE"], str(script), given),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=sys.stderr,
        limit=LINE_BYTES_MAX,
    )
    try:
        yield Connected(process, (await heard(process))["protocol"])
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def package_version(name: str) -> str:
    manifest = Path(os.environ["NODE_PACKAGES"], name, "package.json").read_text(encoding="utf-8")
    return str(json.loads(manifest)["version"])


if __name__ == "__main__":
    main(package_version("@modelcontextprotocol/client"), connect)
