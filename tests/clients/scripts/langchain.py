"""langchain-mcp-adapters: rushes's tools as LangChain's."""

import datetime
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from langchain_mcp_adapters.sessions import create_session
from langchain_mcp_adapters.tools import load_mcp_tools

from .scenario import Document, Job, Session, document_in, main


class Connected:
    """The tools of one session."""

    def __init__(self, tools: list[Any], protocol: str | None) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self.protocol = protocol

    async def tools(self) -> list[str]:
        return list(self._tools)

    async def call(self, tool: str, arguments: Document) -> Document:
        return document_in(first_text(await self._content(tool, arguments)))

    async def sees_picture(self, tool: str, arguments: Document) -> bool:
        return any(block["type"] == "image" for block in await self._content(tool, arguments))

    async def _content(self, tool: str, arguments: Document) -> list[Any]:
        message = await self._tools[tool].ainvoke({"type": "tool_call", "id": "1", "name": tool, "args": arguments})
        content: list[Any] = message.content
        return content


def first_text(blocks: list[Any]) -> str:
    return next(str(block["text"]) for block in blocks if block["type"] == "text")


@asynccontextmanager
async def connect(job: Job, seconds: float) -> AsyncGenerator[Session]:
    limit = {"read_timeout_seconds": datetime.timedelta(seconds=seconds)}
    stdio = {"transport": "stdio", "command": job.command[0], "args": job.command[1:], "env": job.env}
    http = {"transport": "streamable_http" if job.transport == "http" else "sse", "url": job.url}
    reached = stdio if job.transport == "stdio" else http
    async with create_session({**reached, "session_kwargs": limit}) as session:
        answer = await session.initialize()
        yield Connected(await load_mcp_tools(session), str(answer.protocolVersion))


if __name__ == "__main__":
    main(f"{version('langchain-mcp-adapters')}, mcp {version('mcp')}", connect)
