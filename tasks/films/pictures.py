"""The pictures of a clip, one for each frame of the film: its shape, its pace, and black where it has nothing."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

import av
from PIL import Image, ImageOps

from ...domain.errors import RequestRefused
from ...domain.kept_media import PILLOW_FORMATS
from ..previews.picture import PIXELS_MAX, fitted
from ..previews.video_frames import Converter, Steps, began_seconds, picture_stream, seek, timed
from .reading import opened

BLACK = (16, 128, 128)
"""Of the three planes, as television has it."""


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
        self._converter = Converter(self._steps, pixel_shape)

    def shaped(self, picture: av.VideoFrame) -> av.VideoFrame:
        """The picture as the film shows it."""
        return self._converter.converted(picture)

    def _steps(self, colours: str) -> Steps:
        width, height = self._frame.width, self._frame.height
        size = f"w={width}:h={height}:force_original_aspect_ratio=decrease:force_divisible_by=2"
        return [
            ("scale", f"{size}{colours}:out_color_matrix=bt709:out_range=tv:flags=bicubic"),
            ("format", "yuv420p"),
            ("pad", f"{width}:{height}:(ow-iw)/2:(oh-ih)/2:black"),
            ("setsar", "1"),
        ]


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
        if start_seconds > 0:
            seek(container, stream, began + start_seconds)
        shaper = Shaper(frame, stream.sample_aspect_ratio)
        moments = ((at - began, picture) for at, picture in timed(container, stream))
        yield from _paced(moments, shaper, frame.rate, start_seconds, count)


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
