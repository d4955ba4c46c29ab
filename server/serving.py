"""The MCP server as a process: settings, logs, one studio, one transport. Light to import; `serve` loads the rest."""

from typing import Literal, assert_never

Transport = Literal["stdio", "sse", "http"]


def serve(transport: Transport = "stdio", host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until the host or a signal ends it.

    Raises:
        RushesError: a setting is wrong, the store cannot be used, or the address cannot be listened on.
    """
    import anyio

    from .assembly import open_studio, prepared_settings
    from .mcp import build_server
    from .transports import serve_http, serve_sse, serve_stdio

    settings = prepared_settings()

    async def inside() -> None:
        async with open_studio(settings) as service:
            server = build_server(service, local_files=transport == "stdio")
            match transport:
                case "stdio":
                    await serve_stdio(server)
                case "http":
                    await serve_http(server, host=host, port=port)
                case "sse":
                    await serve_sse(server, host=host, port=port)
                case _:
                    assert_never(transport)

    anyio.run(inside)
