"""`rushes serve`: the MCP server."""

from typing import Annotated

import typer

from ..process import Transport
from ..process import serve as serve_until_ended


def serve(
    transport: Annotated[Transport, typer.Option(help="How hosts reach it.")] = "stdio",
    host: Annotated[str, typer.Option(help="Address to listen on (sse and http); loopback only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port (sse and http); 0 takes a free one.")] = 8000,
) -> None:
    """Serve MCP hosts, over stdio unless told otherwise."""
    serve_until_ended(transport, host, port)
