"""A process of its own that holds a lease: `lease_holder.py FOLDER`, started by the tests; prints its id."""

import sys
from pathlib import Path

import anyio

from rushes.cache.workers.leases import ProcessLease


async def hold(folder: Path) -> None:
    async with ProcessLease.held(folder) as lease:
        print(lease.worker_id, flush=True)  # noqa: T201
        await anyio.to_thread.run_sync(sys.stdin.readline)


if __name__ == "__main__":
    anyio.run(hold, Path(sys.argv[1]))
