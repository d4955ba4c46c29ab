"""A process that cannot write: `unable.py nobody FOLDER` (not permitted), `unable.py full FOLDER` (a limit reached)."""

import json
import os
import resource
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
from ulid import ULID

from rushes.cache.embedded.store import Document, TaskStore
from rushes.cache.media.folder import MediaFolder
from rushes.domain.errors import RushesError

NOBODY = 65_534


def _document() -> Document:
    fields: Document = {"kind": "video", "state": "queued", "owner": "a", "open": True, "worker": None}
    return {**fields, "task_id": str(ULID()), "prompt": "x" * 2000}


def _told(error: RushesError) -> dict[str, object]:
    return {"error": type(error).__name__, "message": error.message, "hint": error.hint}


async def as_nobody(folder: Path) -> None:
    """Open the store in a folder that belongs to somebody else."""
    try:
        async with TaskStore.opened(folder, schema=1) as store:
            await store.create(_document())
    except RushesError as error:
        print(json.dumps(_told(error)))  # noqa: T201


async def with_a_limit(folder: Path) -> None:
    """Write until the store cannot grow, make room, and go on; print what was acknowledged."""
    acknowledged: list[object] = []
    told: dict[str, object] = {}
    async with TaskStore.opened(folder, schema=1) as store:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, most))
        try:
            while True:
                acknowledged.append((await store.create(_document()))[0]["task_id"])
        except RushesError as error:
            told = _told(error)
        readable = len(await store.page(limit=10_000))
        output = await _keep_output(folder.parent / "outputs")
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        acknowledged.append((await store.create(_document()))[0]["task_id"])
    print(json.dumps({**told, "acknowledged": acknowledged, "readable": readable, "output": output}))  # noqa: T201


async def _keep_output(root: Path) -> dict[str, object]:
    async def large() -> AsyncGenerator[bytes]:
        for _ in range(10):
            yield bytes(1_000_000)

    folder = MediaFolder(root)
    try:
        await folder.keep(
            stem="x",
            chunks=large(),
            kind="audio",
            declared_mime="audio/pcm",
            bytes_max=10**9,
            expected_bytes=None,
        )
    except RushesError as error:
        return {**_told(error), "left": [path.name for path in root.iterdir()]}
    return {}


if __name__ == "__main__":
    if sys.argv[1] == "nobody":
        anyio.run(anyio.sleep, 0)  # what is imported late must be imported before the permission is gone
        if os.geteuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        anyio.run(as_nobody, Path(sys.argv[2]))
    else:
        anyio.run(with_a_limit, Path(sys.argv[2]))
