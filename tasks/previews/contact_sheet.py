"""Videos: one frame, or a contact sheet of the first, the middle and the last one, each with its time."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...domain.errors import RequestRefused
from .facts_line import in_seconds
from .picture import SIDE_MAX, fitted, jpeg_of
from .preview import Glimpse

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream
    from PIL.Image import Image

GAP = 6
LABEL_HEIGHT = 26
PAPER, INK = (24, 24, 27), (228, 228, 231)

THREADS = 2
"""Each thread of a decoder holds pictures of its own, and memory is bounded."""

_LAST_FRAME_WITHIN_SECONDS = 2.0
"""The last frame is looked for from so long before the end on."""
_MOMENT_MAX = 1e6
"""No video is so long; a container cannot be asked for a much later moment."""

Shot = tuple[float, "Image"]
"""A moment in seconds from the beginning of the video, and the frame then."""


def look_at_video(container: "InputContainer", duration_seconds: float | None, at_seconds: float | None) -> Glimpse:
    """A contact sheet, or the frame at a moment.

    Raises:
        RequestRefused: the moment is not within the video, or no frame can be decoded.
    """
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = THREADS
    if at_seconds is None:
        shots = _ends_and_middle(container, stream, duration_seconds or 0.0)
        if not shots:
            raise RequestRefused("invalid_media", "The video holds no frame.", hint="Open the file itself.")
        times = ", ".join(_clock(moment) for moment, _ in shots)
        return Glimpse(jpeg_of(contact_sheet(shots)), f"contact sheet of the frames at {times}")
    shot = _frame_at(container, stream, min(max(0.0, at_seconds), _MOMENT_MAX))
    if shot is None or not 0 <= at_seconds <= max(duration_seconds or 0.0, shot[0]):
        long = in_seconds(duration_seconds or 0.0)
        raise RequestRefused("invalid_input", f"The video is {long} long; name a moment in it.")
    return Glimpse(jpeg_of(fitted(shot[1])), f"the frame at {_clock(shot[0])}")


def whole_frame(container: "InputContainer", duration_seconds: float | None, at_seconds: float | None) -> "Image":
    """The frame at a moment in its full size; without a moment the last one.

    Raises:
        RequestRefused: the moment is not within the video, or no frame can be decoded.
    """
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = THREADS
    if at_seconds is None:
        shot = _last_frame(container, stream, duration_seconds or 0.0, side_max=None)
    else:
        shot = _frame_at(container, stream, min(max(0.0, at_seconds), _MOMENT_MAX), side_max=None)
    if shot is None:
        raise RequestRefused("invalid_media", "The video holds no frame.", hint="Open the file itself.")
    if at_seconds is not None and not 0 <= at_seconds <= max(duration_seconds or 0.0, shot[0]):
        long = in_seconds(duration_seconds or 0.0)
        raise RequestRefused("invalid_media", f"The video is {long} long; name a moment in it.")
    return shot[1]


def _ends_and_middle(container: "InputContainer", stream: "VideoStream", duration: float) -> list[Shot]:
    """Each moment once: a very short video has fewer than three. The sound may be longer than the pictures."""
    first, last = _frame_at(container, stream, 0.0), _last_frame(container, stream, duration)
    if first is None or last is None:
        return [shot for shot in (first, last) if shot is not None]
    frame_seconds = 1 / float(stream.average_rate) if stream.average_rate else 0.0
    middle = _frame_at(container, stream, (first[0] + last[0] + frame_seconds) / 2)
    return list({shot[0]: shot for shot in (first, middle, last) if shot is not None}.values())


def _frame_at(
    container: "InputContainer", stream: "VideoStream", moment: float, *, side_max: int | None = SIDE_MAX
) -> Shot | None:
    """The frame that is shown at a moment: the last one that begins no later."""
    found: tuple[float, VideoFrame] | None = None
    for begins, frame in _frames_from(container, stream, moment):
        if found is not None and begins > moment + 1e-6:
            break
        found = begins, frame
    return None if found is None else (found[0], _picture(found[1], side_max))


def _last_frame(
    container: "InputContainer", stream: "VideoStream", duration: float, *, side_max: int | None = SIDE_MAX
) -> Shot | None:
    found: tuple[float, VideoFrame] | None = None
    for shown in _frames_from(container, stream, max(0.0, duration - _LAST_FRAME_WITHIN_SECONDS)):
        found = shown
    return None if found is None else (found[0], _picture(found[1], side_max))


def _frames_from(
    container: "InputContainer", stream: "VideoStream", moment: float
) -> "Iterator[tuple[float, VideoFrame]]":
    """All frames from the key frame before a moment on, each with the moment at which it begins."""
    # The clock of some files does not begin at zero, but their players' does.
    origin = max(0.0, (container.start_time or 0) / 1e6)
    if stream.time_base is not None:
        container.seek(int((moment + origin) / stream.time_base), stream=stream, backward=True)
    for frame in container.decode(stream):
        yield max(0.0, (frame.time or 0.0) - origin), frame


def _picture(frame: "VideoFrame", side_max: int | None) -> "Image":
    """Scaled while it is converted, which is cheaper than scaling a picture."""
    from PIL import Image

    scale = 1.0 if side_max is None else min(1.0, side_max / max(frame.width, frame.height))
    size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    plane = frame.reformat(width=size[0], height=size[1], format="rgb24").planes[0]
    image = Image.frombuffer("RGB", size, bytes(plane), "raw", "RGB", plane.line_size, 1)
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image


def contact_sheet(shots: Sequence[Shot]) -> "Image":
    """The frames in a row or a column, whichever shows them larger, with the time under each."""
    from PIL import Image, ImageDraw, ImageFont

    count = len(shots)
    width, height = shots[0][1].size
    row = _scale(width * count, height, GAP * (count - 1), LABEL_HEIGHT)
    column = _scale(width, height * count, 0, LABEL_HEIGHT * count + GAP * (count - 1))
    scale, across = (row, True) if row > column else (column, False)
    cell = max(1, int(width * scale)), max(1, int(height * scale))
    step = (cell[0] + GAP, 0) if across else (0, cell[1] + LABEL_HEIGHT + GAP)
    size = cell[0] + step[0] * (count - 1), cell[1] + LABEL_HEIGHT + step[1] * (count - 1)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(16)
    for number, (moment, image) in enumerate(shots):
        left, top = step[0] * number, step[1] * number
        sheet.paste(image.resize(cell, Image.Resampling.LANCZOS), (left, top))  # pyright: ignore[reportUnknownMemberType]
        middle = left + cell[0] / 2, top + cell[1] + LABEL_HEIGHT / 2
        draw.text(middle, _clock(moment), fill=INK, font=font, anchor="mm")
    return sheet


def _scale(width: int, height: int, gaps_across: int, gaps_down: int) -> float:
    """The largest scale at which pictures of this total size, and what stands between them, fit on the sheet."""
    return min(1.0, (SIDE_MAX - gaps_across) / width, (SIDE_MAX - gaps_down) / height)


def _clock(seconds: float) -> str:
    """`4.96 s`; `2:05.0` from a minute on."""
    return f"{seconds:.2f} s" if seconds < 60 else f"{int(seconds // 60)}:{seconds % 60:04.1f}"
