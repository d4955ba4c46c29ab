"""The SDK's client on our server, in this process."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from mcp import Client
from mcp_types import CallToolResult, TextContent

from rushes.server.mcp.server import build_server
from rushes.tasks.service import Service
from rushes.tools import already

ERAS = ("auto", "legacy")
"""Both eras of the protocol as the client's `mode`: `auto` negotiates 2026-07-28."""

Document = dict[str, object]


@asynccontextmanager
async def connected(service: Service, era: str = ERAS[0], *, local_files: bool = True) -> AsyncGenerator[Client]:
    """A client of a server over this service; everything inside has a minute."""
    with anyio.fail_after(60):
        async with Client(build_server(already(service), local_files=local_files), mode=era) as client:
            yield client


def document(result: object) -> Document:
    """The structured content, which must be the same as the first text."""
    assert isinstance(result, CallToolResult)
    text = result.content[0]
    assert isinstance(text, TextContent)
    shown: Document = json.loads(text.text)
    assert shown == result.structured_content
    return shown
