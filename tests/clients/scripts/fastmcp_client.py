"""fastmcp's client with its Tasks extension: calls of generating tools become tasks that it follows by itself."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import fastmcp_tasks
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from .scenario import Document, Job, Session, main

logging.disable(logging.WARNING)


class Connected:
    """One `Client`; counts the tasks of the protocol that it followed."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.protocol: str | None = client.session.protocol_version

    async def tools(self) -> list[str]:
        return [tool.name for tool in await self._client.list_tools()]

    async def call(self, tool: str, arguments: Document) -> Document:
        if tool == "generate_video":
            # The explicit handle, which shows that the call became a task of the protocol.
            handle = await fastmcp_tasks.call_tool_task(self._client, tool, arguments)
            result = await handle.result()
        else:
            result = await self._client.call_tool(tool, arguments, raise_on_error=False)
        document: Document = result.structured_content
        return document

    async def sees_picture(self, tool: str, arguments: Document) -> bool:
        result = await self._client.call_tool(tool, arguments, raise_on_error=False)
        return any(block.type == "image" for block in result.content)


@asynccontextmanager
async def connect(job: Job, seconds: float) -> AsyncGenerator[Session]:
    stdio = StdioTransport(job.command[0], job.command[1:], env=job.env, keep_alive=False)
    async with Client(stdio if job.transport == "stdio" else job.url, timeout=seconds) as client:
        yield Connected(client)


if __name__ == "__main__":
    main(f"{version('fastmcp')}, fastmcp-tasks {version('fastmcp-tasks')}", connect)
