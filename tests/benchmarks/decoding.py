"""How long an ordinary output takes in the process that decodes: `python -m tests.benchmarks decoding [--write]`.

The child is warm, as after the first output of a session; what the kept file's hash costs is part of it.
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from PIL import Image

from rushes.cache.media.decoder import Decoder
from rushes.cache.media.kept_files import KeptFiles
from rushes.cache.media.measuring import Measuring
from rushes.domain.record import Output
from rushes.server.assembly import DECODING
from rushes.tasks.previews.previews import Previews

from ..previews.media_files import a_video, kept
from .pages import DOCUMENT, rewritten

ROUNDS = 40
PICTURE_GOAL_MS = 30


def _noise(path: Path, mime_type: str) -> Output:
    """A picture with grain everywhere: a flat one would decode at once."""
    Image.effect_noise((1280, 720), 20).convert("RGB").save(path)
    return kept(path, mime_type, width=1280, height=720)


def _outputs(folder: Path) -> dict[str, Output]:
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (90, 90, 90), (10, 200, 200)]
    return {
        "PNG of 1280x720": _noise(folder / "a.png", "image/png"),
        "JPEG of 1280x720": _noise(folder / "a.jpg", "image/jpeg"),
        "WebP of 1280x720": _noise(folder / "a.webp", "image/webp"),
        "MP4 of 5 s, 1280x720": a_video(folder / "a.mp4", colours, size=(1280, 720)),
    }


async def _median_ms(work: Callable[[], Awaitable[object]]) -> float:
    await work()
    times: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await work()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)


async def measured(folder: Path) -> str:
    """The table, as Markdown."""
    lines = ["| output | measured | looked at | goal |", "|---|---|---|---|"]
    async with Decoder.opened(DECODING) as decoder:
        previews, measuring = Previews(KeptFiles(folder), decoder), Measuring(decoder)
        for name, output in _outputs(folder).items():
            path, mime_type = Path(output.path or ""), output.mime_type or ""

            async def measure(path: Path = path, mime_type: str = mime_type) -> None:
                with path.open("rb") as file:
                    await measuring(file, mime_type)

            async def look(output: Output = output) -> None:
                await previews.look(output)

            goal = f"≤ {PICTURE_GOAL_MS} ms" if mime_type.startswith("image/") else ""
            lines.append(f"| {name} | {await _median_ms(measure):.1f} ms | {await _median_ms(look):.1f} ms | {goal} |")
    return "\n".join(lines)


def main(given: list[str]) -> int:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks decoding")
    parser.add_argument("--write", action="store_true", help=f"write docs/{DOCUMENT.name}")
    asked = parser.parse_args(given)
    with tempfile.TemporaryDirectory() as folder:
        shown = anyio.run(measured, Path(folder))
    print(shown)  # noqa: T201
    if asked.write:
        where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
        rewritten("decoding", f"Medians of {ROUNDS}, one after the other. {where}.\n\n{shown}")
    return 0
