"""The SDK's own client: `mcp.Client`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client

from .scenario import Document, Job, Session, main


class Connected:
    """One `Client`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.protocol: str | None = client.protocol_version

    async def tools(self) -> list[str]:
        return [tool.name for tool in (await self._client.list_tools()).tools]

    async def call(self, tool: str, arguments: Document) -> Document:
        result = await self._client.call_tool(tool, arguments)
        document: Any = result.structured_content
        assert document is not None, result
        return dict(document)

    async def sees_picture(self, tool: str, arguments: Document) -> bool:
        result = await self._client.call_tool(tool, arguments)
        return any(block.type == "image" for block in result.content)


@asynccontextmanager
async def connect(job: Job, seconds: float) -> AsyncGenerator[Session]:
    stdio = StdioServerParameters(command=job.command[0], args=job.command[1:], env=job.env)
    url = job.url or ""
    targets: dict[str, Any] = {"stdio": stdio, "http": url, "sse": sse_client(url)}
    async with Client(targets[job.transport], mode=job.era or "auto", read_timeout_seconds=seconds) as client:
        yield Connected(client)


if __name__ == "__main__":
    main(version("mcp"), connect)
