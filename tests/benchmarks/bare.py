"""The least that one writes with the SDK: a server with one tool, over stdio or, with `http`, over HTTP."""

import socket
import sys

from mcp.server.mcpserver import MCPServer

server: MCPServer = MCPServer("bare")


@server.tool()
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


if __name__ == "__main__":
    if sys.argv[1:] == ["http"]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        sys.stderr.write(f"listening on http://127.0.0.1:{port}/mcp\n")
        sys.stderr.flush()
        server.run("streamable-http", host="127.0.0.1", port=port)
    else:
        server.run("stdio")
