"""Videos: one frame, or a contact sheet of the first, the middle and the last one, each with its time."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from ...domain.errors import FailureReason, RequestRefused
from .facts_line import in_seconds
from .glimpse import Glimpse
from .picture import SIDE_MAX, jpeg_of
from .video_frames import Found, Moments, image_of, shown_size

if TYPE_CHECKING:
    from av.container import InputContainer
    from PIL.Image import Image

GAP = 6
LABEL_HEIGHT = 26
PAPER, INK = (24, 24, 27), (228, 228, 231)


def glimpse_of_video(container: "InputContainer", duration_seconds: float | None, at_seconds: float | None) -> Glimpse:
    """A contact sheet, or the frame at a moment.

    Raises:
        RequestRefused: the moment is not within the video, or no frame can be decoded.
    """
    video = Moments(container, duration_seconds or 0.0)
    if at_seconds is None:
        shots = video.ends_and_middle()
        if not shots:
            raise _no_frame()
        times = ", ".join(_clock(moment) for moment, _ in shots)
        return Glimpse(jpeg_of(contact_sheet(shots, video.pixel_shape)), f"contact sheet of the frames at {times}")
    moment, frame = _found(video, at_seconds, "invalid_input")
    width, height = shown_size(frame, video.pixel_shape)
    scale = min(1.0, SIDE_MAX / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return Glimpse(jpeg_of(image_of(frame, video.pixel_shape, size)), f"the frame at {_clock(moment)}")


def whole_frame(container: "InputContainer", duration_seconds: float | None, at_seconds: float | None) -> "Image":
    """The frame at a moment in its full size; without a moment the last one.

    Raises:
        RequestRefused: the moment is not within the video, or no frame can be decoded.
    """
    video = Moments(container, duration_seconds or 0.0)
    _, frame = _found(video, at_seconds, "invalid_media")
    return image_of(frame, video.pixel_shape, shown_size(frame, video.pixel_shape))


def _found(video: Moments, at_seconds: float | None, reason: FailureReason) -> Found:
    found = video.last() if at_seconds is None else video.at(at_seconds)
    if found is None and reason == "invalid_media":
        raise _no_frame()
    if found is None or (at_seconds is not None and not 0 <= at_seconds <= max(video.seconds, found[0])):
        raise RequestRefused(reason, f"The video is {in_seconds(video.seconds)} long; name a moment in it.")
    return found


def _no_frame() -> RequestRefused:
    return RequestRefused("invalid_media", "The video holds no frame.", hint="Open the file itself.")


def contact_sheet(shots: Sequence[Found], pixel_shape: Fraction | None) -> "Image":
    """The frames in a row or a column, whichever shows them larger, with the time under each."""
    from PIL import Image, ImageDraw, ImageFont

    count = len(shots)
    width, height = shown_size(shots[0][1], pixel_shape)
    row = _scale(width * count, height, GAP * (count - 1), LABEL_HEIGHT)
    column = _scale(width, height * count, 0, LABEL_HEIGHT * count + GAP * (count - 1))
    scale, across = (row, True) if row > column else (column, False)
    cell = max(1, int(width * scale)), max(1, int(height * scale))
    step = (cell[0] + GAP, 0) if across else (0, cell[1] + LABEL_HEIGHT + GAP)
    size = cell[0] + step[0] * (count - 1), cell[1] + LABEL_HEIGHT + step[1] * (count - 1)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(16)
    for number, (moment, frame) in enumerate(shots):
        left, top = step[0] * number, step[1] * number
        sheet.paste(image_of(frame, pixel_shape, cell), (left, top))
        middle = left + cell[0] / 2, top + cell[1] + LABEL_HEIGHT / 2
        draw.text(middle, _clock(moment), fill=INK, font=font, anchor="mm")
    return sheet


def _scale(width: int, height: int, gaps_across: int, gaps_down: int) -> float:
    """The largest scale at which pictures of this total size, and what stands between them, fit on the sheet."""
    return min(1.0, (SIDE_MAX - gaps_across) / width, (SIDE_MAX - gaps_down) / height)


def _clock(seconds: float) -> str:
    """`4.96 s`; `2:05.0` from a minute on."""
    return f"{seconds:.2f} s" if seconds < 60 else f"{int(seconds // 60)}:{seconds % 60:04.1f}"
