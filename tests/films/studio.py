"""A whole rushes in this process, with a client, and small clips to make films of."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

import array
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import anyio
import av
import pytest
from av.video.reformatter import Colorspace
from mcp import Client
from pydantic import JsonValue, TypeAdapter

from rushes.server.assembly import open_engine
from rushes.server.mcp.server import build_server
from rushes.server.preparation import prepared_settings
from rushes.tasks.engine import Engine
from rushes.tools import already

from ..previews.media_files import Colour, a_sound, an_image

Document = dict[str, JsonValue]
DOCUMENT: TypeAdapter[Document] = TypeAdapter(Document)

TICK = Fraction(1, 1000)

SECONDS = 60
"""More than any film here takes on a busy machine."""


@dataclass
class Studio:
    """A client of a rushes that works in this process."""

    client: Client
    engine: Engine
    home: Path

    @property
    def folder(self) -> Path:
        """For clips that are no output of a task."""
        return self.home.with_name("clips")

    async def call(self, tool: str, /, **arguments: object) -> Document:
        """A tool's answer."""
        return DOCUMENT.validate_python((await self.client.call_tool(tool, arguments)).structured_content)

    async def task_ids(self) -> list[object]:
        """Of all tasks there are, newest first."""
        rows = (await self.call("list_tasks", limit=50))["tasks"]
        assert isinstance(rows, list)
        return [row["task_id"] for row in rows if isinstance(row, dict)]

    async def film(self, *shots: Path | str, **arguments: object) -> Document:
        """The task of a film once it has ended."""
        began = await self.call("assemble", shots=[str(shot) for shot in shots], **arguments)
        assert began.get("task_id"), began
        with anyio.fail_after(SECONDS):
            while True:
                task = await self.call("check_task", task_id=began["task_id"], wait_seconds=45)
                if task["state"] not in {"queued", "running"}:
                    return task

    def video(
        self,
        name: str,
        *colours: Colour,
        size: tuple[int, int] = (320, 180),
        frame_rate: int = 10,
        moments: Sequence[float] = (),
        ends_at: float | None = None,
        tone: float = 0.0,
    ) -> Path:
        """A video, a colour a second, or a colour at each of the moments; `tone` is how loud it sounds, 0 to 1."""
        if not moments:
            moments = [number / frame_rate for number in range(len(colours) * frame_rate)]
            colours = tuple(colour for colour in colours for _ in range(frame_rate))
        path = self.folder / name
        shots = list(zip(moments, colours, strict=True))
        _write_video(path, shots, size, frame_rate, ends_at or moments[-1] + 1 / frame_rate, tone)
        return path

    def still(self, name: str, colour: tuple[int, int, int], size: tuple[int, int]) -> Path:
        path = self.folder / name
        an_image(path, size, colour)
        return path

    def tone(self, name: str, seconds: float, *, loudness: float = 0.5) -> Path:
        path = self.folder / name
        a_sound(path, seconds, loudness=loudness)
        return path


def _write_video(
    path: Path, shots: Sequence[tuple[float, Colour]], size: tuple[int, int], rate: int, ends_at: float, tone: float
) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate, options={"g": "1000"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = TICK
        if tone:
            sound = container.add_stream("aac", rate=48_000, layout="mono")
            container.mux(sound.encode(_tone_frame(ends_at, tone)))
            container.mux(sound.encode(None))
        ends = [moment for moment, _ in shots[1:]] + [ends_at]
        for (moment, colour), end in zip(shots, ends, strict=True):
            picture = _coloured(size, colour)
            picture.pts, picture.time_base = round(moment / TICK), TICK
            picture.duration = round((end - moment) / TICK)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _coloured(size: tuple[int, int], colour: Colour) -> av.VideoFrame:
    picture = av.VideoFrame(*size, "rgb24")
    plane = picture.planes[0]
    row = (bytes(colour) * size[0]).ljust(plane.line_size, b"\0")
    plane.update(row * size[1])
    return picture


def _tone_frame(seconds: float, loudness: float) -> av.AudioFrame:
    top = loudness * 32_767
    samples = array.array(
        "h", (round(top * math.sin(math.tau * 440 * n / 48_000)) for n in range(round(seconds * 48_000)))
    )
    frame = av.AudioFrame("s16", "mono", len(samples))
    frame.sample_rate = 48_000
    frame.planes[0].update(samples.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
    return frame


@asynccontextmanager
async def a_studio(folder: Path) -> AsyncGenerator[Studio]:
    """A studio with a home in this folder, working until the end of the block."""
    home = folder / "home"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("RUSHES_HOME", str(home))
        settings = prepared_settings()
    async with (
        open_engine(settings, any_local_file=True) as engine,
        Client(build_server(already(engine), local_files=True)) as client,
    ):
        studio = Studio(client, engine, home)
        studio.folder.mkdir(exist_ok=True)
        yield studio


@dataclass(frozen=True)
class Watched:
    """What a film shows and sounds like."""

    width: int
    height: int
    frame_rate: float
    pictures: Sequence[av.VideoFrame]
    samples: Sequence[float]
    """Of its left channel, -1 to 1, at 48 kHz; none where it has no soundtrack."""

    @property
    def seconds(self) -> float:
        return len(self.pictures) / self.frame_rate

    def colour(self, seconds: float, at: tuple[float, float] = (0.5, 0.5)) -> tuple[int, int, int]:
        """The colour at a moment, at a share of width and height."""
        picture = self.pictures[min(len(self.pictures) - 1, int(seconds * self.frame_rate + 1e-6))].reformat(
            format="rgb24", src_colorspace=Colorspace.ITU709
        )
        plane = picture.planes[0]
        column, row = int(at[0] * (picture.width - 1)), int(at[1] * (picture.height - 1))
        begin = row * plane.line_size + 3 * column
        red, green, blue = bytes(plane)[begin : begin + 3]
        return red, green, blue

    def loudness(self, begin: float, end: float) -> float:
        """Root mean square between two moments, in dB of full scale; -120 for silence."""
        part = self.samples[int(begin * 48_000) : int(end * 48_000)]
        power = sum(sample * sample for sample in part) / max(1, len(part))
        return 10 * math.log10(max(power, 1e-12))


def watched(task: Document) -> Watched:
    """The kept file of a film, decoded."""
    outputs = task["outputs"]
    assert isinstance(outputs, list)
    (output,) = outputs
    assert isinstance(output, dict)
    pictures: list[av.VideoFrame] = []
    samples = array.array("f")
    with av.open(str(output["path"])) as container:
        stream = container.streams.video[0]
        pictures = list(container.decode(stream))
        rate = float(stream.average_rate or 0)
        size = stream.width, stream.height
    with av.open(str(output["path"])) as container:
        for frame in container.decode(audio=0) if container.streams.audio else ():
            samples.frombytes(bytes(frame.planes[0])[: frame.samples * 4])
    return Watched(*size, rate, pictures, samples)


def is_like(one: tuple[int, int, int], other: tuple[int, int, int], within: int = 24) -> bool:
    """Whether two colours are the same but for what encoding does to them."""
    return all(abs(left - right) <= within for left, right in zip(one, other, strict=True))


def integrated_lufs(samples: Sequence[float]) -> float:
    """EBU R128 of the same samples on both channels, by the two filters and the two gates of ITU-R BS.1770."""
    shelf = (1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585)
    heard = _filtered(_filtered(samples, shelf), (1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621))
    powers = [2 * sum(each * each for each in heard[at : at + 19_200]) / 19_200 for at in range(0, len(heard), 4_800)]
    powers = [power for power in powers[:-4] if _lufs(power) > -70]
    gate = _lufs(sum(powers) / len(powers)) - 10
    powers = [power for power in powers if _lufs(power) > gate]
    return _lufs(sum(powers) / len(powers))


def _lufs(power: float) -> float:
    return -0.691 + 10 * math.log10(max(power, 1e-15))


def _filtered(samples: Sequence[float], by: tuple[float, float, float, float, float]) -> list[float]:
    b0, b1, b2, a1, a2 = by
    x1 = x2 = y1 = y2 = 0.0
    out: list[float] = []
    for x in samples:
        y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
        x1, x2, y1, y2 = x, x1, y, y1
        out.append(y)
    return out
