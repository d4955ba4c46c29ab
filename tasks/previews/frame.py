"""One frame of a video in its full size, as an input of another generation. Runs in the child process that decodes."""

import io
from typing import TYPE_CHECKING, BinaryIO

from ...domain.errors import RequestRefused
from ...domain.kept_media import CONTAINERS
from .measure import opened_container

if TYPE_CHECKING:
    from PIL.Image import Image

FRAME_BYTES_MAX = 6 * 2**20
"""Of the JPEG: below what gateways take as a picture."""

_QUALITIES = (95, 90, 80, 60)


def frame(file: BinaryIO, mime_type: str, *, duration_seconds: float | None, at_seconds: float | None) -> bytes:
    """A JPEG of the frame that is shown at a moment; the last one where none is named.

    Raises:
        RequestRefused: it is no video, or it has no such frame.
    """
    container = CONTAINERS.get(mime_type)
    if container is None or not mime_type.startswith("video/"):
        raise RequestRefused("invalid_media", f"A frame is taken of a video, and this is {mime_type}.")
    from .contact_sheet import whole_frame

    with opened_container(file, container) as opened:
        return _jpeg_of(whole_frame(opened, duration_seconds, at_seconds))


def _jpeg_of(image: "Image") -> bytes:
    data = b""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, subsampling=0)
        data = buffer.getvalue()
        if len(data) <= FRAME_BYTES_MAX:
            break
    return data
