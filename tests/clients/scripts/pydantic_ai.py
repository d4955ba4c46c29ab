"""pydantic-ai: `MCPToolset`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastmcp.client.transports import StdioTransport
from pydantic_ai import BinaryContent
from pydantic_ai.mcp import MCPToolset

from .scenario import Document, Job, Session, main


class Connected:
    """One toolset."""

    def __init__(self, toolset: Any) -> None:
        self._toolset = toolset
        self.protocol: str | None = toolset.client.session.protocol_version

    async def tools(self) -> list[str]:
        return [tool.name for tool in await self._toolset.list_tools()]

    async def call(self, tool: str, arguments: Document) -> Document:
        answer: Any = await self._toolset.direct_call_tool(tool, arguments)
        # With a link beside it, the document comes as the first part of a list.
        document: Document = answer if hasattr(answer, "keys") else answer[0]
        return document

    async def sees_picture(self, tool: str, arguments: Document) -> bool:
        answer: Any = await self._toolset.direct_call_tool(tool, arguments)
        return any(isinstance(part, BinaryContent) and part.is_image for part in answer)


@asynccontextmanager
async def connect(job: Job, seconds: float) -> AsyncGenerator[Session]:
    stdio = StdioTransport(job.command[0], job.command[1:], env=job.env, keep_alive=False)
    target = stdio if job.transport == "stdio" else job.url
    async with MCPToolset(target, init_timeout=60, read_timeout=seconds, tool_error_behavior="error") as toolset:
        yield Connected(toolset)


if __name__ == "__main__":
    main(f"{version('pydantic-ai-slim')}, fastmcp-slim {version('fastmcp-slim')}", connect)
