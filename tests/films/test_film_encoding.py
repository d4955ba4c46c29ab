"""How a film is encoded: it takes no longer than it lasts, no player chokes on it, and what is seen of it stays."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

import statistics
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import pytest
from av.filter import Graph
from PIL import Image, ImageStat

from rushes.domain.film import Clip, Film
from rushes.tasks.films.encoding import encoder_options

from ..previews.media_files import BLUE, GREEN, RED
from .studio import Studio, watched

pytestmark = pytest.mark.anyio

SIZE, RATE, SECONDS = (640, 360), 24, 2
BITS_MAX = 4_000_000
"""A second, for a frame of that size."""


def _grainy(path: Path) -> Path:
    """Grain over grey, another one in each picture."""
    graph = Graph()
    source = graph.add("buffer", f"video_size={SIZE[0]}x{SIZE[1]}:pix_fmt=yuv420p:time_base=1/{RATE}")
    noise, sink = graph.add("noise", "alls=14:allf=t:all_seed=7"), graph.add("buffersink")
    graph.link_nodes(source, noise, sink).configure()
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "12"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(SECONDS * RATE):
            grey = av.VideoFrame(*SIZE, "yuv420p")
            for plane in grey.planes:
                plane.update(bytes([128]) * plane.buffer_size)
            source.push(grey)
            picture = cast(av.VideoFrame, sink.pull())
            picture.pts, picture.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def _grain(picture: av.VideoFrame) -> float:
    """Deviation of the brightness, in shades."""
    plane = picture.planes[0]
    size = picture.width, picture.height
    return ImageStat.Stat(Image.frombuffer("L", size, bytes(plane), "raw", "L", plane.line_size, 1)).stddev[0]


async def test_grain_takes_no_more_bits_than_players_have_to_take_and_is_still_seen(studio: Studio) -> None:
    footage = _grainy(studio.folder / "grainy.mp4")
    with av.open(str(footage)) as container:
        before = _grain(next(container.decode(video=0)))

    task = await studio.film(footage)

    outputs = cast("list[dict[str, object]]", task["outputs"])
    size = cast(int, outputs[0]["bytes"])
    assert 8 * footage.stat().st_size > 2 * BITS_MAX * SECONDS
    # A buffer of two seconds is half full when it begins.
    assert 8 * size < BITS_MAX * (SECONDS + 1)
    after = [_grain(picture) for picture in watched(task).pictures]
    assert statistics.median(after) > before / 4, after


async def test_each_cut_has_a_key_frame_wherever_in_their_files_the_shots_begin(studio: Studio) -> None:
    first, second = studio.video("a.mp4", RED, GREEN, BLUE), studio.video("b.mp4", GREEN, GREEN, GREEN)

    task = await studio.film(f"{first}[0.3-1]", f"{second}[1.2-2]", f"{first}[2.1-3]")

    film = watched(task)
    assert [number for number, picture in enumerate(film.pictures) if picture.key_frame] == [0, 7, 15]


def _film(*megabits: float, still: bool = False) -> Film:
    """Shots of 4 s at 720p with so many Mbit/s, and a still of 20 s."""
    shots = [
        Clip(
            given=f"{number}.mp4",
            path=f"/{number}.mp4",
            mime_type="video/mp4",
            size_bytes=int(rate * 1e6 / 8 * 4),
            sha256="0",
            width=1280,
            height=720,
            duration_seconds=4.0,
            frame_rate=24.0,
            seconds=4.0,
        )
        for number, rate in enumerate(megabits)
    ]
    if still:
        changes = {"mime_type": "image/png", "seconds": 20.0, "duration_seconds": None, "frame_rate": None}
        shots.append(shots[0].model_copy(update=changes))
    seconds = sum(shot.seconds for shot in shots)
    return Film(shots=tuple(shots), width=1280, height=720, rate=(24, 1), seconds=seconds)


def test_what_is_heavy_is_encoded_faster_and_what_gateways_give_out_well() -> None:
    ordinary = encoder_options(_film(1, 8, 10))
    heavy = encoder_options(_film(34, 10))

    assert (ordinary["preset"], heavy["preset"]) == ("veryfast", "superfast")
    assert encoder_options(_film(34, still=True)) == ordinary
    assert {options["maxrate"] for options in (ordinary, heavy)} == {str(round(0.55 * 1280 * 720 * 24))}
