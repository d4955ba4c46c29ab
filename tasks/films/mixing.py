"""The sound of a film, mixed as it is asked for: a few thousand samples of each clip are in memory at once.

Everything is stereo at 48 kHz in 32-bit floats. Shots sound in two lanes in turn, because in a cross-fade two of them
are heard at once, and each sound has a lane of its own.
"""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO

import av
import av.logging
from av.audio.fifo import AudioFifo
from av.audio.resampler import AudioResampler
from av.filter import Graph

from ...domain.film import SAMPLE_RATE
from ..previews.video_frames import began_seconds
from .reading import opened

if TYPE_CHECKING:
    from av.filter.context import FilterContext

CHUNK = 4800
"""Samples that are mixed at once: a tenth of a second."""
CLICK_SECONDS = 0.005
"""A sound that is cut begins and ends that softly, or it would click."""

_FORMAT, _LAYOUT = "fltp", "stereo"
_INPUT = f"time_base=1/{SAMPLE_RATE}:sample_rate={SAMPLE_RATE}:sample_fmt={_FORMAT}:channel_layout={_LAYOUT}"
_SAMPLE_BYTES = 4
_INTEGRATED = re.compile(r"I:\s+(-?[\d.]+|-?inf|nan) LUFS")
_PEAK = re.compile(r"Peak:\s+(-?[\d.]+|-?inf|nan) dBFS")
_AGAIN = (BlockingIOError, EOFError)


@dataclass(frozen=True)
class Piece:
    """What is heard of one clip, and where. Positions and lengths are counted in samples of the film."""

    file: BinaryIO
    mime_type: str
    start_seconds: float
    """In the clip."""
    begins: int
    samples: int
    gain_db: float = 0.0
    fade_in_seconds: float = CLICK_SECONDS
    fade_out_seconds: float = CLICK_SECONDS


def silence(samples: int) -> av.AudioFrame:
    """So many samples of nothing."""
    frame = av.AudioFrame(_FORMAT, _LAYOUT, samples)
    frame.sample_rate = SAMPLE_RATE
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    return frame


class Chain:
    """Filters in a row, with one sink and one source or several that `amix` adds up."""

    def __init__(self, filters: Sequence[tuple[str, str]], *, lanes: int = 1) -> None:
        self._graph = graph = Graph()
        graph.threads = 1
        self._sources: list[FilterContext] = [graph.add("abuffer", _INPUT) for _ in range(lanes)]
        last = self._sources[0]
        if lanes > 1:
            last = graph.add("amix", f"inputs={lanes}:normalize=0:dropout_transition=0:duration=longest")
            for number, source in enumerate(self._sources):
                source.link_to(last, 0, number)
        for name, options in (*filters, ("aformat", f"sample_fmts={_FORMAT}:channel_layouts={_LAYOUT}")):
            step = graph.add(name, options or None)
            last.link_to(step)
            last = step
        self._sink = graph.add("abuffersink")
        last.link_to(self._sink)
        graph.configure()
        self._position = 0

    def through(self, *frames: av.AudioFrame) -> Iterator[av.AudioFrame]:
        """What comes out after one frame for each lane, all of one length, went in."""
        for source, frame in zip(self._sources, frames, strict=True):
            frame.pts, frame.time_base = self._position, Fraction(1, SAMPLE_RATE)
            source.push(frame)
        self._position += frames[0].samples
        yield from self._out()

    def rest(self) -> Iterator[av.AudioFrame]:
        """What comes out after the end."""
        for source in self._sources:
            source.push(None)
        yield from self._out()

    def _out(self) -> Iterator[av.AudioFrame]:
        while True:
            try:
                frame = self._sink.pull()
            except _AGAIN:
                return
            if isinstance(frame, av.AudioFrame):
                yield frame


def in_chunks(frames: Iterator[av.AudioFrame], samples: int) -> Iterator[av.AudioFrame]:
    """Exactly so many samples, in chunks; silence where there are fewer."""
    fifo = AudioFifo()
    left = samples
    while left > 0:
        wanted = min(CHUNK, left)
        while fifo.samples < wanted and (frame := next(frames, None)) is not None:
            frame.pts = None
            fifo.write(frame)
        chunk = fifo.read(min(wanted, fifo.samples)) if fifo.samples else None
        if chunk is None:
            chunk = silence(wanted)
        left -= chunk.samples
        yield chunk


def heard(piece: Piece) -> Iterator[av.AudioFrame]:
    """The samples of a piece, exactly as many as it has, with its gain and its fades."""
    seconds = piece.samples / SAMPLE_RATE
    fade_in, fade_out = min(piece.fade_in_seconds, seconds / 2), min(piece.fade_out_seconds, seconds / 2)
    filters = [("volume", f"{piece.gain_db:g}dB")] if piece.gain_db else []
    filters += [
        ("afade", f"t=in:st=0:d={fade_in:.6f}:curve=qsin"),
        ("afade", f"t=out:st={seconds - fade_out:.6f}:d={fade_out:.6f}:curve=qsin"),
    ]
    chain = Chain(filters)
    for chunk in in_chunks(_decoded(piece), piece.samples):
        yield from chain.through(chunk)
    yield from chain.rest()


def _decoded(piece: Piece) -> Iterator[av.AudioFrame]:
    """The clip's sound from its start on. Where it begins late or has a gap, there is silence."""
    with opened(piece.file, piece.mime_type) as container:
        stream = container.streams.audio[0]
        stream.codec_context.thread_count = 1
        began = began_seconds(container)
        if piece.start_seconds > 0 and stream.time_base is not None:
            container.seek(int((began + piece.start_seconds) / stream.time_base), stream=stream, backward=True)
        resampler = AudioResampler(_FORMAT, _LAYOUT, SAMPLE_RATE)
        place: int | None = None
        for frame in container.decode(stream):
            if place is None:
                at = began + piece.start_seconds if frame.time is None else float(frame.time)
                place = round((at - began - piece.start_seconds) * SAMPLE_RATE)
                if place > 0:
                    yield from _nothing(min(place, piece.samples))
            for part in resampler.resample(frame):
                kept = _from(part, -place)
                place += part.samples
                if kept is not None:
                    yield kept
        yield from resampler.resample(None)


def _from(frame: av.AudioFrame, skipped: int) -> av.AudioFrame | None:
    """The frame without so many samples at its beginning."""
    if skipped <= 0:
        return frame
    if skipped >= frame.samples:
        return None
    rest = av.AudioFrame(_FORMAT, _LAYOUT, frame.samples - skipped)
    rest.sample_rate = SAMPLE_RATE
    for plane, whole in zip(rest.planes, frame.planes, strict=True):
        data = bytes(whole)[skipped * _SAMPLE_BYTES : frame.samples * _SAMPLE_BYTES]
        plane.update(data.ljust(plane.buffer_size, b"\0"))
    return rest


def _nothing(samples: int) -> Iterator[av.AudioFrame]:
    while samples > 0:
        yield silence(min(CHUNK, samples))
        samples -= CHUNK


def lane(pieces: Sequence[Piece], samples: int) -> Iterator[av.AudioFrame]:
    """A lane from the film's first sample to its last: pieces that do not overlap, in order, and silence between."""

    def frames() -> Iterator[av.AudioFrame]:
        at = 0
        for piece in pieces:
            yield from _nothing(piece.begins - at)
            yield from heard(piece)
            at = piece.begins + piece.samples
        yield from _nothing(samples - at)

    return in_chunks(frames(), samples)


def mix(lanes: Sequence[Sequence[Piece]], samples: int) -> Iterator[av.AudioFrame]:
    """All lanes as one."""
    used = [pieces for pieces in lanes if pieces]
    chain = Chain((), lanes=len(used))
    chunks = [lane(pieces, samples) for pieces in used]

    def mixed() -> Iterator[av.AudioFrame]:
        for frames in zip(*chunks, strict=False):
            yield from chain.through(*frames)
        yield from chain.rest()

    return in_chunks(mixed(), samples)


@dataclass(frozen=True)
class Loudness:
    """By EBU R128, of a whole mix; `None` where it is silent."""

    integrated_lufs: float | None
    peak_dbfs: float | None


def measured(frames: Iterator[av.AudioFrame]) -> Loudness:
    """How loud a mix is: FFmpeg's filter tells it at its end, in its log."""
    before = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        with av.logging.Capture() as logs:
            _run_through([("ebur128", "peak=true:framelog=quiet")], frames)
    finally:
        av.logging.set_level(before)
    told = "".join(text for _, _, text in logs)
    return Loudness(_number(_INTEGRATED, told, floor=-70.0), _number(_PEAK, told, floor=-120.0))


def _run_through(filters: Sequence[tuple[str, str]], frames: Iterator[av.AudioFrame]) -> None:
    """In a function of its own: the summary is told when the chain is let go."""
    chain = Chain(filters)
    for frame in frames:
        for _ in chain.through(frame):
            pass
    for _ in chain.rest():
        pass


def _number(pattern: re.Pattern[str], text: str, *, floor: float) -> float | None:
    found = pattern.findall(text)
    value = float(found[-1]) if found else float("-inf")
    return value if value > floor else None


def finished(
    frames: Iterator[av.AudioFrame], samples: int, *, gain_db: float, peak_dbfs: float, fade_out_seconds: float
) -> Iterator[av.AudioFrame]:
    """The mix as the film has it: louder or softer, below the peak, faded out at its end."""
    filters = [
        ("volume", f"{gain_db:.3f}dB"),
        ("alimiter", f"limit={10 ** (peak_dbfs / 20):.6f}:level=0:latency=1"),
    ]
    if fade_out_seconds > 0:
        filters.append(("afade", f"t=out:st={samples / SAMPLE_RATE - fade_out_seconds:.6f}:d={fade_out_seconds:.6f}"))
    chain = Chain(filters)

    def out() -> Iterator[av.AudioFrame]:
        for frame in frames:
            yield from chain.through(frame)
        yield from chain.rest()

    return in_chunks(out(), samples)
