"""Ordinary pictures that have to be made smaller, decoded and scaled by FFmpeg: in two thirds of the time, and with a
better filter. What is not ordinary is left to Pillow, which knows all kinds. Runs in the child process that decodes.
"""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

from collections.abc import Mapping
from typing import BinaryIO, cast

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from PIL import Image

from .video_frames import Converter

DECODERS: Mapping[str | None, str] = {"PNG": "png", "WEBP": "webp"}
"""By Pillow's name of the format. JPEGs are decoded as quickly by Pillow."""

FILE_BYTES_MAX = 32 * 2**20
"""More than such a picture needs; what else a longer file holds would be read for nothing."""

_LEFT_TO_PILLOW = (b"eXIf", b"Raw profile type exif", b"EXIF", b"XML:com.adobe.xmp", b"XMP ", b"zTXt")
"""What may say, also behind the pixels, that the picture is to be turned; and compressed texts, which FFmpeg would
inflate to whatever length they have."""


def is_ordinary(image: Image.Image) -> bool:
    """Whether a picture, of which only the head was read, holds nothing but one frame of opaque colours, row by row."""
    opaque = image.mode == "RGB" and not image.has_transparency_data
    one_by_one = not getattr(image, "is_animated", False) and not image.info.get("interlace")
    return image.format in DECODERS and opaque and one_by_one


def scaled(file: BinaryIO, head: Image.Image, size: tuple[int, int]) -> Image.Image | None:
    """An ordinary picture in that size; `None` where FFmpeg cannot read it, or Pillow has to."""
    file.seek(0)
    data = file.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX or any(mark in data for mark in _LEFT_TO_PILLOW):
        return None
    try:
        frame = _decoded(data, DECODERS[head.format])
    except FFmpegError:
        return None
    if frame is None or (frame.width, frame.height) != head.size or _is_perhaps_half(frame):
        return None
    return _in_colours_of_a_jpeg(Converter(lambda colours: _steps(colours, size)).converted(frame))


def _decoded(data: bytes, decoder: str) -> av.VideoFrame | None:
    codec = cast("VideoCodecContext", VideoCodecContext.create(decoder, "r"))
    codec.thread_count = 1
    codec.options = {"err_detect": "explode"}
    frames = codec.decode(av.Packet(data)) or codec.decode(None)
    return frames[0] if frames else None


def _is_perhaps_half(frame: av.VideoFrame) -> bool:
    """Whether the last row is as it was before anything was decoded: FFmpeg shows a PNG as far as its pixels go, also
    where it finds no error, and Pillow refuses it. A picture that ends in black is shown more slowly."""
    plane = frame.planes[0]
    last = memoryview(plane)[(frame.height - 1) * plane.line_size : frame.height * plane.line_size]
    return not any(last)


def _steps(colours: str, size: tuple[int, int]) -> list[tuple[str, str]]:
    # FFmpeg scales in YUV, and a JPEG is in YUV: there and back to RGB would take as long again.
    return [("scale", f"w={size[0]}:h={size[1]}{colours}:flags=bicubic"), ("format", "yuvj444p")]


def _in_colours_of_a_jpeg(frame: av.VideoFrame) -> Image.Image:
    size = frame.width, frame.height
    return Image.merge(
        "YCbCr", [Image.frombuffer("L", size, bytes(plane), "raw", "L", plane.line_size, 1) for plane in frame.planes]
    )
