"""Which version of MCP a host speaks, read from its requests on their way to the server."""

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

CHUNK_BYTES = 65_536

SAYS = re.compile(rb'(?:mcp-protocol-version: *|protocolVersion" *: *")(\d{4}-\d\d-\d\d)', re.IGNORECASE)
"""A header over HTTP; a member of `initialize`, or of every request's `_meta`."""


def version_in(requests: bytes) -> str | None:
    """The last that was spoken: a host may have tried another before."""
    said = [match[1].decode() for match in SAYS.finditer(requests)]
    return said[-1] if said else None


def recorded(command: Sequence[str], record: Path) -> list[str]:
    """The same command in the same process, with a copy of its standard input."""
    return ["bash", "-c", 'exec "$@" < <(exec tee "$0")', str(record), *command]


@asynccontextmanager
async def relayed(url: str, record: Path) -> AsyncGenerator[str]:
    """Another URL of the same server, with a copy of the requests."""
    parts = urlsplit(url)

    async def passed_on(host: asyncio.StreamReader, to_host: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(copied(host, to_server, record), copied(server, to_host, None))

    listening = await asyncio.start_server(passed_on, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield parts._replace(netloc=f"127.0.0.1:{port}").geturl()


async def copied(source: asyncio.StreamReader, sink: asyncio.StreamWriter, record: Path | None) -> None:
    """Until either side has closed."""
    try:
        while chunk := await source.read(CHUNK_BYTES):
            if record is not None:
                with record.open("ab") as file:
                    file.write(chunk)
            sink.write(chunk)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()
