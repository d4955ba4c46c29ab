"""A picture as a PNG, JPEG or WebP file."""

from io import BytesIO

from PIL import Image

from ..spec import RenderSpec

_QUALITY = {"low": 70, "medium": 85, "auto": 90, "high": 95}


def encode_still(picture: Image.Image, spec: RenderSpec) -> bytes:
    """The encoded file; `quality` matters to JPEG and WebP."""
    file = BytesIO()
    quality = _QUALITY.get(spec.quality, 90)
    if spec.output_format == "png":
        picture.save(file, "PNG", compress_level=4)
    elif spec.output_format == "webp":
        picture.save(file, "WEBP", quality=quality, method=3)
    else:
        picture.save(file, "JPEG", quality=quality, subsampling=0 if quality >= 90 else 2)
    return file.getvalue()
