"""How long the sandbox takes: `python tests/benchmarks/render.py`; with `--still FILE` it renders the README's picture.

Each row is one render in this process, on one core: seconds of wall clock and of processor, and the size of the file.
"""

import argparse
import logging
import platform
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import anyio

from rushes.domain.request import GenerationRequest
from rushes.providers.sandbox import SandboxProvider

PROMPT = "a red fox running through snow"
CASES: tuple[Mapping[str, object], ...] = (
    {"kind": "image", "prompt": PROMPT},
    {"kind": "image", "prompt": PROMPT, "resolution": "4k"},
    {"kind": "audio", "prompt": PROMPT, "duration_seconds": 5},
    {"kind": "video", "prompt": PROMPT, "resolution": "480p"},
    {"kind": "video", "prompt": PROMPT, "resolution": "720p"},
    {"kind": "video", "prompt": "deer in an old forest", "resolution": "720p"},
    {"kind": "video", "prompt": PROMPT, "resolution": "720p", "aspect_ratio": "9:16"},
    {"kind": "video", "prompt": PROMPT, "resolution": "1080p"},
    {"kind": "video", "prompt": PROMPT, "resolution": "4k"},
)
STILL = {"kind": "image", "prompt": PROMPT, "size": "1120x630", "quality": "medium"}

logger = logging.getLogger("benchmark")


async def rendered(asked: Mapping[str, object]) -> bytes:
    """The first output of the request, as a user gets it."""
    provider = SandboxProvider()
    request = GenerationRequest.model_validate(asked)
    facts = next(model for model in provider.models() if model.kind == request.kind)
    job = (await provider.submit(provider.plan(request, facts))).job
    observation = await provider.poll(job)
    while observation.state in ("queued", "running"):
        await anyio.sleep(0.02)
        observation = await provider.poll(job)
    content = observation.outputs[0].content if observation.outputs else None
    if content is None:
        raise RuntimeError(f"the render ended as {observation.state}: {observation.failure}")
    return content


def measure() -> None:
    """Log one row a case."""
    anyio.run(rendered, {"kind": "image", "prompt": "warm up", "size": "64x64"})
    logger.info("%s, Python %s", platform.machine(), platform.python_version())
    for asked in CASES:
        wall, processor = time.perf_counter(), time.process_time()
        content = anyio.run(rendered, asked)
        seconds = time.perf_counter() - wall, time.process_time() - processor
        what = " ".join(str(value) for key, value in asked.items() if key != "prompt")
        logger.info("%-24s %6.2f s wall %6.2f s cpu %6d KB", what, *seconds, len(content) // 1024)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--still", type=Path, metavar="FILE", help="render the README's picture into this file")
    still: Path | None = parser.parse_args().still
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    if still is None:
        measure()
    else:
        still.write_bytes(anyio.run(rendered, STILL))


if __name__ == "__main__":
    main()
