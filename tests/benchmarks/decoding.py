"""How long an ordinary output takes in the process that decodes: `python -m tests.benchmarks decoding [--write]`.

The child is warm, as after the first output of a session; what the kept file's hash costs is part of it. Ordinary
pictures are the sandbox's own scenes. Grain on all of a picture, as it cannot be compressed, is the worst case.
Processor time is that of both processes, on the mean; the wall clock depends on what else the machine does.
"""

import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from rushes.cache.media.decoder import Decoder
from rushes.cache.media.kept_files import KeptFiles
from rushes.cache.media.measuring import Measuring
from rushes.domain.record import Output
from rushes.domain.request import GenerationRequest
from rushes.providers.sandbox.drawing import draw_outputs
from rushes.providers.sandbox.spec import spec_of
from rushes.server.assembly import DECODING
from rushes.tasks.previews.previews import Previews

from ..hostile.processes import busy_seconds, decoders_of
from ..previews.media_files import a_video, kept
from .pages import measured_part

ROUNDS = 40
PICTURE_GOAL_MS = 30

SIZES = ("1280x720", "1024x1024", "1536x1024")
"""As gateways deliver pictures."""
FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WebP"}


@dataclass(frozen=True)
class Took:
    """Milliseconds of one piece of work: by the clock, in the middle; of a processor, on the mean."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} ms | {self.processor:.1f} ms"


def _scene(path: Path, size: str, output_format: str) -> Output:
    asked = GenerationRequest(
        kind="image", prompt="a red fox running through fresh snow", size=size, output_format=output_format
    )
    path.write_bytes(draw_outputs(spec_of(asked), lambda _: None, lambda _: None)[0])
    return kept(path, f"image/{output_format}")


def _grain(path: Path, output_format: str) -> Output:
    Image.effect_noise((1280, 720), 20).convert("RGB").save(path)
    return kept(path, f"image/{output_format}")


def _outputs(folder: Path) -> Iterator[tuple[str, Output, str]]:
    """What is looked at, and the goal for it."""
    goal = f"≤ {PICTURE_GOAL_MS} ms"
    for suffix, name in FORMATS.items():
        for size in SIZES:
            yield f"a scene, {name} of {size}", _scene(folder / f"{size}.{suffix}", size, suffix), goal
    for suffix, name in FORMATS.items():
        yield f"nothing but grain, {name} of 1280x720", _grain(folder / f"grain.{suffix}", suffix), ""
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (90, 90, 90), (10, 200, 200)]
    yield "MP4 of 5 s, 1280x720", a_video(folder / "a.mp4", colours, size=(1280, 720)), ""


async def _took(work: Callable[[], Awaitable[object]]) -> Took:
    await work()
    (child,) = decoders_of(os.getpid())
    times: list[float] = []
    used = time.process_time() + busy_seconds(child)
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await work()
        times.append(1000 * (time.perf_counter() - began))
    used = time.process_time() + busy_seconds(child) - used
    return Took(statistics.median(times), 1000 * used / ROUNDS)


async def measured(folder: Path) -> str:
    """The table, as Markdown."""
    lines = [
        "| output | measured | processor | looked at | processor | goal |",
        "|---|---|---|---|---|---|",
    ]
    async with Decoder.opened(DECODING) as decoder:
        previews, measuring = Previews(KeptFiles(folder), decoder), Measuring(decoder)
        for name, output, goal in _outputs(folder):
            path, mime_type = Path(output.path or ""), output.mime_type or ""

            async def measure(path: Path = path, mime_type: str = mime_type) -> None:
                with path.open("rb") as file:
                    await measuring(file, mime_type)

            async def look(output: Output = output) -> None:
                await previews.glimpse(output)

            lines.append(f"| {name} | {await _took(measure)} | {await _took(look)} | {goal} |")
    return "\n".join(lines)


def main(given: list[str]) -> int:
    """Measure, print, and write if asked."""
    where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    said = f"Medians of {ROUNDS} by the clock, one after the other, and means of a processor. {where}."
    return measured_part("decoding", given, measured, said)
