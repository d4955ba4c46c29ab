"""Input media as pictures: an image as it is, a video by its first frame, a sound by its name only."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import av
from av.error import FFmpegError
from PIL import Image, ImageOps

from ....domain.errors import FailureError
from ....domain.request import MediaRole
from ..spec import InputMedium, RenderSpec

PIXELS_MAX = 80_000_000
"""Larger input pictures are refused before they are unpacked."""
_KEPT_SIDE = 4096
_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, FFmpegError)


@dataclass(frozen=True)
class Pictures:
    """What the scene is to show."""

    by_role: dict[MediaRole, tuple[Image.Image, ...]]
    captions: tuple[str, ...]
    """Names of the inputs that cannot be seen."""

    def of(self, *roles: MediaRole) -> tuple[Image.Image, ...]:
        """The pictures with one of these roles, in the order of the roles."""
        return tuple(picture for role in roles for picture in self.by_role.get(role, ()))


def open_pictures(spec: RenderSpec, read_media: Callable[[str], bytes | None]) -> Pictures:
    """All input media, unpacked.

    Raises:
        FailureError: one cannot be read (`invalid_media`).
    """
    by_role: dict[MediaRole, tuple[Image.Image, ...]] = {}
    captions: list[str] = []
    for medium in spec.media:
        if medium.sha256 is None or medium.role == "reference_audio":
            captions.append(medium.source)
            continue
        data = read_media(medium.sha256)
        if data is None:
            raise FailureError(
                "invalid_media", f"The bytes of {medium.source} are gone; give the medium again.", charged="no"
            )
        by_role[medium.role] = (*by_role.get(medium.role, ()), _picture(medium, data))
    return Pictures(by_role, tuple(captions))


def _picture(medium: InputMedium, data: bytes) -> Image.Image:
    try:
        picture = _READERS.get(medium.role, _image)(data)
    except _UNREADABLE as error:
        raise FailureError(
            "invalid_media", f"{medium.source} is not a {medium.role.replace('_', ' ')} that can be read.", charged="no"
        ) from error
    picture.thumbnail((_KEPT_SIDE, _KEPT_SIDE))
    return picture


def _image(data: bytes) -> Image.Image:
    return _upright(data).convert("RGB")


def _mask(data: bytes) -> Image.Image:
    """White where the picture is to be drawn anew: what is transparent, or without transparency what is white."""
    picture = _upright(data)
    if "A" in picture.getbands():
        alpha = picture.getchannel("A")
        if alpha.getextrema() != (255, 255):
            return ImageOps.invert(alpha)
    return picture.convert("L")


def _upright(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data)) as opened:
        if opened.width * opened.height > PIXELS_MAX:
            raise ValueError("too large")
        opened.load()
        return ImageOps.exif_transpose(opened)


def _first_frame(data: bytes) -> Image.Image:
    with av.open(BytesIO(data), "r") as container:
        for frame in container.decode(video=0):
            pixels = frame.reformat(format="rgb24")
            plane = pixels.planes[0]
            size = (pixels.width, pixels.height)
            return Image.frombytes("RGB", size, bytes(plane), "raw", "RGB", plane.line_size)
    raise ValueError("no picture")


_READERS: dict[MediaRole, Callable[[bytes], Image.Image]] = {"reference_video": _first_frame, "mask": _mask}
