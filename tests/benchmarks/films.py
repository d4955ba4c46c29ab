"""What a film of 30 s at 720p from six shots takes: `python -m tests.benchmarks films [--write]`.

Processor time is that of the process that makes it, which works on one core; the wall clock depends on what else the
machine does. The sandbox's scenes are easy to encode; grain over them, another one in each picture, is about the
hardest that there is.
"""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

import hashlib
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.filter import Graph

from rushes.cache.media.decoder import Decoder
from rushes.cache.media.kept_files import KeptFiles
from rushes.domain.film import ClipWish, FilmWish
from rushes.domain.media_types import HEAD_BYTES, sniff_mime
from rushes.domain.request import GenerationRequest
from rushes.providers.sandbox.drawing import draw_outputs
from rushes.providers.sandbox.spec import spec_of
from rushes.server.assembly import DECODING
from rushes.tasks.films.planning import FoundFile, planned
from rushes.tasks.films.probing import probe
from rushes.tasks.films.rendering import FilmRenderer

from ..hostile.processes import busy_seconds, decoders_of
from .pages import measured_part

SHOTS, SECONDS_EACH, RATE = 6, 5, 24
FILE_BYTES_MAX = 2**30


def _scene(path: Path, number: int) -> Path:
    asked = GenerationRequest(kind="video", prompt=f"scene {number}", duration_seconds=SECONDS_EACH, resolution="720p")
    path.write_bytes(draw_outputs(spec_of(asked), lambda _: None, lambda _: None)[0])
    return path


def _grainy(path: Path, scene: Path) -> Path:
    """The same with grain over it, another one in each picture."""
    graph = Graph()
    source = graph.add("buffer", "video_size=1280x720:pix_fmt=yuv420p:time_base=1/24")
    noise, sink = graph.add("noise", "alls=9:allf=t"), graph.add("buffersink")
    graph.link_nodes(source, noise, sink).configure()
    with av.open(str(scene)) as pictures, av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "superfast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number, picture in enumerate(pictures.decode(video=0)):
            source.push(picture)
            grainy = sink.pull()
            grainy.pts, grainy.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(cast(av.VideoFrame, grainy)))
        container.mux(stream.encode(None))
    return path


def _score(path: Path) -> Path:
    asked = GenerationRequest(kind="audio", prompt="a score", duration_seconds=40)
    path.write_bytes(draw_outputs(spec_of(asked), lambda _: None, lambda _: None)[0])
    return path


def _found(path: Path) -> FoundFile:
    data = path.read_bytes()
    mime_type = sniff_mime(data[:HEAD_BYTES]) or ""
    with path.open("rb") as file:
        facts = probe(file, mime_type).facts
    return FoundFile(str(path), mime_type, len(data), hashlib.sha256(data).hexdigest(), facts)


async def _row(name: str, shots: Sequence[Path], score: Path | None, transition_seconds: float) -> str:
    """One film, made in a fresh process."""
    wish = FilmWish(
        shots=tuple(ClipWish(given=path.name, source=str(path)) for path in shots),
        sounds=() if score is None else (ClipWish(given=score.name, source=str(score)),),
        transition_seconds=transition_seconds,
    )
    film = planned(wish, [_found(path) for path in shots], [] if score is None else [_found(score)]).film
    before = set(decoders_of(os.getpid()))
    with tempfile.TemporaryFile() as into:
        async with Decoder.opened(DECODING) as decoder:
            began = time.perf_counter()
            renderer = FilmRenderer(KeptFiles(shots[0].parent), decoder, bytes_max=FILE_BYTES_MAX)
            await renderer.render(film, into, lambda _: None)
            took = time.perf_counter() - began
            (child,) = set(decoders_of(os.getpid())) - before
            processor, memory = busy_seconds(child), _peak_mib(child)
        size = into.seek(0, os.SEEK_END) / 2**20
    seconds = f"{film.seconds:.1f} s | {processor:.1f} s | {processor / film.seconds:.2f} | {took:.1f} s"
    return f"| {name} | {seconds} | {memory:.0f} MiB | {size:.1f} MiB |"


def _peak_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


async def measured(folder: Path) -> str:
    """The table, as Markdown."""
    scenes = [_scene(folder / f"scene-{number}.mp4", number) for number in range(SHOTS)]
    grainy = [_grainy(folder / f"grainy-{number}.mp4", scene) for number, scene in enumerate(scenes)]
    score = _score(folder / "score.wav")
    rows = [
        await _row("the sandbox's scenes, cuts", scenes, None, 0),
        await _row("the same, cross-fades of 0.5 s, a score", scenes, score, 0.5),
        await _row("scenes with grain, cuts, a score", grainy, score, 0),
    ]
    head = [
        "| shots | film | processor | of its length | wall | memory, peak | file |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *rows])


def main(given: list[str]) -> int:
    """Measure, print, and write if asked."""
    where = f"Python {platform.python_version()}, PyAV {av.__version__}, {platform.system()} {platform.machine()}"
    said = f"Six shots of 5 s at 1280x720, {RATE} frames a second. {where}."
    return measured_part("films", given, measured, said)
