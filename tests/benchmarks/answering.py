"""A gateway of RouteAny's format that answers at once, in a process of its own; prints its port."""

import asyncio
import itertools
import json

_NUMBERS = itertools.count()
_RUNNING = json.dumps({"status": "processing"})[1:].encode()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            _, _, rest = head.partition(b"content-length:")
            if rest:
                await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
            posted = head.startswith(b"post")
            name = f"job-{next(_NUMBERS)}" if posted else head.split(b" ", 2)[1].rpartition(b"/")[2].decode()
            body = b'{"id": "%s", ' % name.encode() + _RUNNING
            status = b"201 Created" if posted else b"200 OK"
            writer.write(b"HTTP/1.1 %s\r\ncontent-type: application/json\r\n" % status)
            # Nobody is to look by himself while looks are measured.
            writer.write(b"retry-after: 3600\r\n")
            writer.write(b"content-length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
