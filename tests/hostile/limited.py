"""A process of its own with a real limit on memory: `python -m tests.hostile.limited MIB URL`.

It looks at a job, submits one and fetches a result at the URL, and prints what came of each, and its peak, as JSON.
"""

import json
import resource
import sys
from pathlib import Path

import anyio

from rushes.domain.errors import RushesError
from rushes.domain.job import RemoteOutput
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.registry import build_provider

from ..providers.replies import job, plan_of, settings
from ..providers.requests import request

MIB = 1024 * 1024


async def tried(provider: HttpProvider, url: str) -> dict[str, str]:
    async def look() -> None:
        await provider.poll(job("pred_1", "google/veo-3.1"))

    async def submit() -> None:
        await provider.submit(plan_of("routeany", request(), "veo-3.1"))

    async def fetch() -> None:
        async with provider.open_output(RemoteOutput(url=f"{url}/v.mp4")) as stream:
            async for _ in stream:
                pass

    told: dict[str, str] = {}
    for work in (look, submit, fetch):
        try:
            await work()
        except (RushesError, MemoryError) as error:
            told[work.__name__] = f"{type(error).__name__}: {error}"
    return told


async def main(url: str) -> None:
    provider = build_provider(settings("routeany", base_url=url))
    assert isinstance(provider, HttpProvider)
    told = await tried(provider, url)
    await provider.aclose()
    print(json.dumps({**told, "peak_mib": peak_mib()}))  # noqa: T201


def peak_mib() -> int:
    """Most memory that this program had; `getrusage` counts what the process was before it, too."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]) * MIB, int(sys.argv[1]) * MIB))
    anyio.run(main, sys.argv[2])
