"""A process that keeps an output which never ends, until it is killed: `downloader FOLDER`."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio

from rushes.cache.media.folder import MediaFolder


async def endless() -> AsyncIterator[bytes]:
    """A sound that stalls after some megabytes."""
    yield b"RIFF\0\0\0\0WAVE" + bytes(3 * 2**20)
    print("begun", flush=True)  # noqa: T201
    await anyio.sleep_forever()


async def main(folder: Path) -> None:
    """Keep it."""
    await MediaFolder(folder).keep(
        stem="x", chunks=endless(), kind="audio", declared_mime=None, bytes_max=10**9, expected_bytes=None
    )


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]))
