"""Frames of a video: when each begins, and each as it is seen: upright, with square pixels, in the colours it has.

Looks, frames that become inputs, and films take their pictures from here, so that they show the same.
"""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.filter import Graph
from av.stream import Disposition
from PIL import Image

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.filter.context import FilterContext
    from av.video.stream import VideoStream

Steps = Sequence[tuple[str, str]]
"""Filters in a row, each with its options."""

_HD_LINES = 720
"""From here on a video that does not say so has the colours of HD."""
_FULL_RANGE = 2
_MATRICES = {1: "bt709", 4: "fcc", 5: "bt470", 6: "smpte170m", 7: "smpte240m", 9: "bt2020", 10: "bt2020"}
_TURNS = {90: "transpose=cclock", -90: "transpose=clock", 180: "hflip,vflip", -180: "hflip,vflip"}
"""By `rotation`, which counts against the clock."""
_GUESSED_RATE = 25
_LAST_FRAME_WITHIN_SECONDS = 2.0
"""The last frame is looked for from so long before the end on."""
_MOMENT_MAX = 1e6
"""No video is so long; a container cannot be asked for a much later moment."""
THREADS = 2
"""Each thread of a decoder holds pictures of its own, and memory is bounded."""


def picture_stream(container: "InputContainer") -> "VideoStream | None":
    """The moving pictures: the cover of a piece of music is a video stream too."""
    streams = (each for each in container.streams.video if not each.disposition & Disposition.attached_pic)
    return next(streams, None)


def began_seconds(container: "InputContainer") -> float:
    """The moment that the container calls its beginning; times in it count from there."""
    return (container.start_time or 0) / av.time_base


def seek(container: "InputContainer", stream: "VideoStream", seconds: float) -> None:
    """Go on from the key frame before a moment, by the clock of the container."""
    if stream.time_base is not None:
        container.seek(int(seconds / stream.time_base), stream=stream, backward=True)


def timed(container: "InputContainer", stream: "VideoStream") -> Iterator[tuple[float, av.VideoFrame]]:
    """The frames that follow, each with the moment at which it begins, by the clock of the container."""
    pace = float(stream.average_rate or stream.guessed_rate or _GUESSED_RATE)
    last = -1 / pace
    for frame in container.decode(stream):
        last = last + 1 / pace if frame.pts is None else float(frame.time)
        yield last, frame


def shown_size(frame: av.VideoFrame, pixel_shape: Fraction | None) -> tuple[int, int]:
    """Width and height as the frame is seen: with square pixels, and upright."""
    width = max(2, round(frame.width * (pixel_shape or 1)))
    return (frame.height, width) if int(frame.rotation) % 180 else (width, frame.height)


Found = tuple[float, av.VideoFrame]
"""A moment in seconds from the beginning of the video, and the frame that begins then."""


class Moments:
    """Finds frames of an open video. `seconds` is its length, where known."""

    def __init__(self, container: "InputContainer", seconds: float) -> None:
        stream = picture_stream(container)
        if stream is None:
            raise ValueError("the file holds no moving pictures")
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = THREADS
        self.seconds = seconds
        self.pixel_shape = stream.sample_aspect_ratio
        self._container, self._stream = container, stream
        # The clock of some files does not begin at zero, but their players' does.
        self._began = max(0.0, began_seconds(container))

    def at(self, moment: float) -> Found | None:
        """The frame that is shown at a moment: the last one that begins no later."""
        moment = min(max(0.0, moment), _MOMENT_MAX)
        found: Found | None = None
        for begins, frame in self._from(moment):
            if found is not None and begins > moment + 1e-6:
                break
            found = begins, frame
        return found

    def last(self) -> Found | None:
        """The last frame."""
        found: Found | None = None
        for shown in self._from(max(0.0, self.seconds - _LAST_FRAME_WITHIN_SECONDS)):
            found = shown
        return found

    def ends_and_middle(self) -> list[Found]:
        """Each once: a very short video has fewer than three. The sound may be longer than the pictures."""
        first, last = self.at(0.0), self.last()
        if first is None or last is None:
            return [found for found in (first, last) if found is not None]
        frame_seconds = 1 / float(self._stream.average_rate) if self._stream.average_rate else 0.0
        middle = self.at((first[0] + last[0] + frame_seconds) / 2)
        return list({found[0]: found for found in (first, middle, last) if found is not None}.values())

    def _from(self, moment: float) -> Iterator[Found]:
        seek(self._container, self._stream, self._began + moment)
        for begins, frame in timed(self._container, self._stream):
            yield max(0.0, begins - self._began), frame


def image_of(frame: av.VideoFrame, pixel_shape: Fraction | None, size: tuple[int, int]) -> Image.Image:
    """A frame as it is seen, in that size. It is scaled while its colours are converted, which takes least."""
    width, height = size
    into = Converter(
        lambda colours: [("scale", f"w={width}:h={height}{colours}:flags=bicubic"), ("format", "rgb24")], pixel_shape
    )
    return image_in(into.converted(frame))


def image_in(frame: av.VideoFrame) -> Image.Image:
    """The picture that a frame of RGB is."""
    plane = frame.planes[0]
    return Image.frombuffer("RGB", (frame.width, frame.height), bytes(plane), "raw", "RGB", plane.line_size, 1)


class Converter:
    """Turns frames upright and makes their pixels square, and then does the `steps` to them.

    `steps` is given what the options of `scale` have to say of a frame's own colours. The filters are set up anew where
    a frame is of another kind than the one before.
    """

    def __init__(self, steps: Callable[[str], Steps], pixel_shape: Fraction | None = None) -> None:
        self._steps = steps
        self._pixel_shape = pixel_shape or Fraction(1)
        self._key: tuple[object, ...] | None = None
        self._graph: tuple[Graph, FilterContext, FilterContext] | None = None

    def converted(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The frame after all that; it loses its own time."""
        key = (frame.width, frame.height, frame.format.name, int(frame.rotation), own_colours(frame))
        if self._graph is None or key != self._key:
            self._graph, self._key = self._linked(frame), key
        _, source, sink = self._graph
        frame.pts, frame.time_base = 0, Fraction(1, 1000)
        source.push(frame)
        made = sink.pull()
        if not isinstance(made, av.VideoFrame):
            raise TypeError("no picture came")
        return made

    def _linked(self, frame: av.VideoFrame) -> "tuple[Graph, FilterContext, FilterContext]":
        graph, shape = Graph(), self._pixel_shape
        graph.threads = 1
        source = last = graph.add(
            "buffer",
            f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}:time_base=1/1000:"
            f"pixel_aspect={shape.numerator}/{shape.denominator}",
        )
        for name, options in (*self._upright(int(frame.rotation)), *self._steps(own_colours(frame))):
            step = graph.add(name, options or None)
            last.link_to(step)
            last = step
        sink = graph.add("buffersink")
        last.link_to(sink)
        graph.configure()
        return graph, source, sink

    def _upright(self, rotation: int) -> Iterator[tuple[str, str]]:
        if self._pixel_shape != 1:
            yield from (("scale", "w=max(2\\,iw*sar):h=ih"), ("setsar", "1"))
        if turn := _TURNS.get(rotation):
            yield from ((name, options) for name, _, options in (step.partition("=") for step in turn.split(",")))


def own_colours(frame: av.VideoFrame) -> str:
    """A frame's matrix and range as options of `scale`; nothing where it is RGB."""
    name = frame.format.name
    if name.startswith(("gbr", "pal8")) or "rgb" in name or "bgr" in name:
        return ""
    full = frame.color_range == _FULL_RANGE or name.startswith("yuvj")
    return f":in_color_matrix={_matrix(frame)}:in_range={'full' if full else 'tv'}"


def _matrix(frame: av.VideoFrame) -> str:
    told = int(frame.colorspace)
    if told in _MATRICES:
        return _MATRICES[told]
    return "bt709" if frame.height >= _HD_LINES else "smpte170m"
