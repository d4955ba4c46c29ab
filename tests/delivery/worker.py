"""A process that generates once: `worker HOME URL image|audio COUNT HEADROOM_MIB`, with no more memory than that on top
of what it has when it begins (0: without a limit). Prints the final record."""

import io
import re
import resource
import sys
from pathlib import Path

import anyio

from ..previews.here import measure_here
from .homes import ended, home, llmgateway, pictures, speech


def limit_memory(headroom_mib: int) -> None:
    """No more memory from now on than so much more."""
    status = Path("/proc/self/status").read_text("ascii")
    found = re.search(r"VmSize:\s+(\d+) kB", status)
    if found is None:
        raise AssertionError(status)
    limit = int(found[1]) * 1024 + headroom_mib * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


async def main(folder: Path, url: str, kind: str, count: int, headroom_mib: int) -> None:
    """Generate once."""
    async with home(folder, llmgateway(url)) as engine:
        for mime_type in ("image/png", "audio/wav"):
            await measure_here(io.BytesIO(), mime_type)
        if headroom_mib:
            limit_memory(headroom_mib)
        record = await ended(engine, pictures(count) if kind == "image" else speech())
        print(record.model_dump_json(by_alias=True))  # noqa: T201


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
