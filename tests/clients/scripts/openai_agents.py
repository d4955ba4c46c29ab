"""openai-agents: its MCP servers."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from agents.mcp import MCPServerStdio, MCPServerStreamableHttp

from .scenario import Document, Job, Session, main


class Connected:
    """One server, as an agent has it."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.protocol: str | None = getattr(server.session, "protocol_version", None)

    async def tools(self) -> list[str]:
        return [tool.name for tool in await self._server.list_tools()]

    async def call(self, tool: str, arguments: Document) -> Document:
        result = await self._server.call_tool(tool, arguments)
        document: Document = structured(result)
        return document

    async def sees_picture(self, tool: str, arguments: Document) -> bool:
        result = await self._server.call_tool(tool, arguments)
        return any(block.type == "image" for block in result.content)


def structured(result: Any) -> Any:
    """Under the name that the SDK of either version gives it."""
    return result.structured_content if hasattr(result, "structured_content") else result.structuredContent


@asynccontextmanager
async def connect(job: Job, seconds: float) -> AsyncGenerator[Session]:
    stdio = {"command": job.command[0], "args": job.command[1:], "env": job.env}
    kind, params = (MCPServerStdio, stdio) if job.transport == "stdio" else (MCPServerStreamableHttp, {"url": job.url})
    async with kind(params=params, client_session_timeout_seconds=seconds) as server:
        yield Connected(server)


if __name__ == "__main__":
    main(f"{version('openai-agents')}, mcp {version('mcp')}", connect)
