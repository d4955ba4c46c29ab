"""Still pictures: scaled, flattened, and written as a JPEG that fits into a model's context."""

import io
from typing import TYPE_CHECKING, BinaryIO

from ...domain.errors import RequestRefused
from .glimpse import Glimpse

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE_MAX = 1024
"""Pixels of the longer side."""
JPEG_BYTES_MAX = 500_000
PIXELS_MAX = 100_000_000
"""A larger picture is not decoded: it would take hundreds of megabytes."""

BACKGROUND = (128, 128, 128)
"""Behind transparent pixels: both black and white things can be seen on it."""

_REDUCIBLE = frozenset({"L", "RGB", "RGBA", "CMYK", "YCbCr"})
"""Modes whose neighbouring values can be averaged."""

_QUALITIES = (85, 70, 55, 40, 25, 10)


def glimpse_of_image(file: BinaryIO, pillow_format: str) -> Glimpse:
    """The picture itself (the first frame of an animation).

    Raises:
        RequestRefused: it is too large to be decoded.
    """
    from PIL import Image, ImageOps

    with Image.open(file, formats=(pillow_format,)) as image:
        width, height = image.size
        if width * height > PIXELS_MAX:
            raise RequestRefused(
                "unsupported",
                f"The image has {width}x{height} pixels, too many to be shown here.",
                hint="Open the file itself.",
            )
        shown = _ordinary(file, image)
        if shown is None:
            image.draft("RGB", (SIDE_MAX, SIDE_MAX))
            shown = _reduced(image)
            ImageOps.exif_transpose(shown, in_place=True)
            shown = fitted(flattened(shown))
    return Glimpse(jpeg_of(shown), "the image")


def _ordinary(file: BinaryIO, head: "Image") -> "Image | None":
    """The picture, made smaller, if it is one of those that need not be decoded by Pillow. Twice as large ones and
    larger Pillow makes smaller while it reads them."""
    if not SIDE_MAX < max(head.size) < 2 * SIDE_MAX:
        return None
    from .stills import is_ordinary, scaled

    return scaled(file, head, _fitting(head.size, SIDE_MAX)) if is_ordinary(head) else None


def _reduced(image: "Image") -> "Image":
    """A large picture at half its size, or a third and so on: each further step would copy all of it."""
    factor = max(image.size) // (2 * SIDE_MAX)
    if factor < 2:
        return image
    shades = image.convert("L") if image.mode == "1" else image
    return shades.reduce(factor) if shades.mode in _REDUCIBLE else image


def flattened(image: "Image") -> "Image":
    """In RGB, with transparent pixels over grey. Where it is that already it is not copied."""
    from PIL import Image

    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    if image.mode.startswith("I;16"):
        # Pillow would cut all values above 255 off, which leaves a picture of depth or height white.
        eight_bits = image.point(lambda value: value / 256)  # pyright: ignore[reportUnknownMemberType]
        image = eight_bits.convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    opaque = Image.new("RGB", image.size, BACKGROUND)
    layer = image.convert("RGBA")
    opaque.paste(layer, mask=layer.getchannel("A"))
    return opaque


def fitted(image: "Image", side_max: int = SIDE_MAX) -> "Image":
    """No side longer than `side_max`; a smaller picture is left as it is."""
    from PIL.Image import Resampling

    if max(image.size) <= side_max:
        return image
    size, factor = _fitting(image.size, side_max), max(image.size) // side_max
    reduced = image.reduce(factor) if factor > 1 else image
    # A bicubic filter would take twice as long, and nobody see which it was.
    return reduced if reduced.size == size else reduced.resize(size, Resampling.HAMMING)  # pyright: ignore[reportUnknownMemberType]


def _fitting(size: tuple[int, int], side_max: int) -> tuple[int, int]:
    scale = side_max / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def jpeg_of(image: "Image") -> bytes:
    """The best JPEG that has at most `JPEG_BYTES_MAX`."""
    data = b""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        data = buffer.getvalue()
        if len(data) <= JPEG_BYTES_MAX:
            break
    return data
