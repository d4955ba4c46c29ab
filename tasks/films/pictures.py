"""The pictures of a clip, one for each frame of the film: its shape, its pace, and black where it has nothing."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

import av
from av.filter import Graph
from PIL import Image, ImageOps

from ...domain.errors import RequestRefused
from ...domain.kept_media import PILLOW_FORMATS
from ..previews.picture import PIXELS_MAX, fitted
from .reading import began_seconds, opened, picture_stream

if TYPE_CHECKING:
    from av.filter.context import FilterContext
    from av.video.stream import VideoStream

BLACK = (16, 128, 128)
"""Of the three planes, as television has it."""
_HD_LINES = 720
"""From here on a video that does not say so has the colours of HD."""
_FULL_RANGE = 2
_MATRICES = {1: "bt709", 4: "fcc", 5: "bt470", 6: "smpte170m", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
_TURNS = {90: "transpose=cclock", -90: "transpose=clock", 180: "hflip,vflip", -180: "hflip,vflip"}
"""By `rotation`, which counts against the clock."""


@dataclass(frozen=True)
class Frame:
    """The film's frame."""

    width: int
    height: int
    rate: Fraction


class Shaper:
    """Scales pictures into the film's frame, with black bars where their shape is another; never stretched."""

    def __init__(self, frame: Frame, pixel_shape: Fraction | None = None) -> None:
        self._frame = frame
        self._pixel_shape = pixel_shape or Fraction(1)
        self._key: tuple[object, ...] | None = None
        self._source: FilterContext | None = None
        self._sink: FilterContext | None = None
        self._graph: Graph | None = None

    def shaped(self, picture: av.VideoFrame) -> av.VideoFrame:
        """The picture as the film shows it."""
        rotation = int(picture.rotation)
        rgb = "rgb" in picture.format.name or picture.format.name.startswith(("gbr", "pal8"))
        matrix = "gbr" if rgb else _matrix(picture)
        full = rgb or picture.color_range == _FULL_RANGE or picture.format.name.startswith("yuvj")
        key = (picture.width, picture.height, picture.format.name, rotation, matrix, full)
        if key != self._key:
            self._build(picture, rotation, matrix, full=full)
            self._key = key
        if self._source is None or self._sink is None:
            raise ValueError("no graph")
        picture.pts, picture.time_base = 0, Fraction(1, 1000)
        self._source.push(picture)
        shaped = self._sink.pull()
        if not isinstance(shaped, av.VideoFrame):
            raise TypeError("no picture came")
        return shaped

    def _build(self, picture: av.VideoFrame, rotation: int, matrix: str, *, full: bool) -> None:
        graph, frame = Graph(), self._frame
        graph.threads = 1
        shape = self._pixel_shape
        source = graph.add(
            "buffer",
            f"video_size={picture.width}x{picture.height}:pix_fmt={picture.format.name}:time_base=1/1000:"
            f"pixel_aspect={shape.numerator}/{shape.denominator}",
        )
        steps: list[tuple[str, str]] = []
        if shape != 1:
            steps += [("scale", "w=max(2\\,iw*sar):h=ih"), ("setsar", "1")]
        if turn := _TURNS.get(rotation):
            steps += [(name, options) for name, _, options in (step.partition("=") for step in turn.split(","))]
        colours = "" if matrix == "gbr" else f":in_color_matrix={matrix}:in_range={'full' if full else 'tv'}"
        size = f"w={frame.width}:h={frame.height}:force_original_aspect_ratio=decrease:force_divisible_by=2"
        steps += [
            ("scale", f"{size}{colours}:out_color_matrix=bt709:out_range=tv:flags=bicubic"),
            ("format", "yuv420p"),
            ("pad", f"{frame.width}:{frame.height}:(ow-iw)/2:(oh-ih)/2:black"),
            ("setsar", "1"),
        ]
        last = source
        for name, options in steps:
            step = graph.add(name, options or None)
            last.link_to(step)
            last = step
        sink = graph.add("buffersink")
        last.link_to(sink)
        graph.configure()
        self._graph, self._source, self._sink = graph, source, sink


def _matrix(picture: av.VideoFrame) -> str:
    told = int(picture.colorspace)
    if told in _MATRICES:
        return _MATRICES[told]
    return "bt709" if picture.height >= _HD_LINES else "smpte170m"


def of_video(
    file: BinaryIO, mime_type: str, frame: Frame, *, start_seconds: float, count: int
) -> Generator[av.VideoFrame]:
    """`count` pictures of a video from a moment on, at the film's pace: pictures are repeated or left out, and the last
    one stands where the video ends early."""
    with opened(file, mime_type) as container:
        stream = picture_stream(container)
        if stream is None:
            raise ValueError("the file holds no moving pictures")
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        began = began_seconds(container)
        if start_seconds > 0 and stream.time_base is not None:
            container.seek(int((began + start_seconds) / stream.time_base), stream=stream, backward=True)
        shaper = Shaper(frame, stream.sample_aspect_ratio)
        moments = ((at - began, picture) for at, picture in _timed(container.decode(stream), stream))
        yield from _paced(moments, shaper, frame.rate, start_seconds, count)


def _timed(pictures: Iterator[av.VideoFrame], stream: "VideoStream") -> Iterator[tuple[float, av.VideoFrame]]:
    pace = float(stream.average_rate or stream.guessed_rate or 25)
    last = -1 / pace
    for picture in pictures:
        last = last + 1 / pace if picture.pts is None else float(picture.time)
        yield last, picture


def _paced(
    moments: Iterator[tuple[float, av.VideoFrame]], shaper: Shaper, rate: Fraction, start: float, count: int
) -> Iterator[av.VideoFrame]:
    following = next(moments, None)
    if following is None:
        raise ValueError("no picture can be decoded")
    picture, shown = following[1], None
    for number in range(count):
        # The nearest one, as times are rounded in files.
        until = start + (number + 0.5) / float(rate)
        while following is not None and following[0] < until:
            picture, shown = following[1], None
            following = next(moments, None)
        if shown is None:
            shown = shaper.shaped(picture)
        yield shown


def of_still(file: BinaryIO, mime_type: str, frame: Frame, *, count: int) -> Generator[av.VideoFrame]:
    """A still, `count` times. Behind what is transparent it is black."""
    with Image.open(file, formats=(PILLOW_FORMATS[mime_type],)) as image:
        if image.width * image.height > PIXELS_MAX:
            raise RequestRefused("unsupported", f"It has {image.width}x{image.height} pixels, too many for a film.")
        image.draft("RGB", (2 * frame.width, 2 * frame.height))
        upright = _opaque(ImageOps.exif_transpose(image))
        upright = fitted(upright, 2 * max(frame.width, frame.height))
    shown = Shaper(frame).shaped(_rgb_frame(upright))
    for _ in range(count):
        yield shown


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow would cut all values above 255 off.
        image = image.point(lambda value: value / 256).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    opaque = Image.new("RGB", image.size)
    layer = image.convert("RGBA")
    opaque.paste(layer, mask=layer.getchannel("A"))
    return opaque


def _rgb_frame(image: Image.Image) -> av.VideoFrame:
    picture = av.VideoFrame(image.width, image.height, "rgb0")
    picture.planes[0].update(image.tobytes("raw", "RGBX", picture.planes[0].line_size))
    return picture


def black(frame: Frame) -> av.VideoFrame:
    """A black picture."""
    picture = av.VideoFrame(frame.width, frame.height, "yuv420p")
    for plane, shade in zip(picture.planes, BLACK, strict=True):
        plane.update(bytes([shade]) * plane.buffer_size)
    return picture


def mixed(one: av.VideoFrame, other: av.VideoFrame, share: float) -> av.VideoFrame:
    """One picture over another of the same shape: `share` (0 to 1) is what is seen of the other."""
    result = av.VideoFrame(one.width, one.height, "yuv420p")
    for plane, below, above in zip(result.planes, one.planes, other.planes, strict=True):
        size = plane.width, plane.height
        shades = [
            Image.frombuffer("L", size, bytes(each), "raw", "L", each.line_size, 1)  # pyright: ignore[reportArgumentType]
            for each in (below, above)
        ]
        blended = Image.blend(shades[0], shades[1], share)
        data = blended.tobytes("raw", "L", plane.line_size)
        plane.update(data.ljust(plane.buffer_size, b"\0"))
    return result
