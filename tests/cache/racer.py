"""A process of its own that races others for one store: `racer.py create|add FOLDER …`, started by the tests."""

import json
import sys
from pathlib import Path

import anyio
from ulid import ULID

from rushes.cache.embedded.store import Document, TaskStore


def _document() -> Document:
    return {"task_id": str(ULID()), "kind": "video", "state": "queued", "owner": "a", "open": True, "worker": None}


async def create(folder: Path, calls: int) -> None:
    """Make `calls` equal calls at once, when the line `go` arrives; print the task ids that came back."""
    async with TaskStore.opened(folder, schema=1) as store:
        found: list[object] = []

        async def call() -> None:
            document, new = await store.create(_document(), fingerprint="equal")
            found.append([document["task_id"], new])

        print("ready", flush=True)  # noqa: T201
        await anyio.to_thread.run_sync(sys.stdin.readline)
        async with anyio.create_task_group() as group:
            for _ in range(calls):
                group.start_soon(call)
        print(json.dumps(found), flush=True)  # noqa: T201


async def write(folder: Path) -> None:
    """Create and replace for ever, eight at a time; print each write only after it was acknowledged."""
    async with TaskStore.opened(folder, schema=1) as store:

        async def go_on() -> None:
            while True:
                document, _ = await store.create(_document())
                print(document["task_id"], 1, flush=True)  # noqa: T201
                replaced = await store.replace(document)
                print(document["task_id"], 2 if replaced else "lost", flush=True)  # noqa: T201

        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(go_on)


if __name__ == "__main__":
    if sys.argv[1] == "create":
        anyio.run(create, Path(sys.argv[2]), int(sys.argv[3]))
    else:
        anyio.run(write, Path(sys.argv[2]))
