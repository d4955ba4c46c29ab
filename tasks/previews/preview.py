"""A small picture of one output: which picture its kind wants. Blocks, and runs in the child process that decodes."""

from typing import BinaryIO

from ...domain.errors import RequestRefused
from ...domain.kept_media import CONTAINERS, PILLOW_FORMATS
from .glimpse import Glimpse
from .measure import opened_container


def glimpse_of(
    file: BinaryIO, mime_type: str, *, duration_seconds: float | None = None, at_seconds: float | None = None
) -> Glimpse:
    """A picture: the image itself, a video's contact sheet or one frame, a sound's waveform.

    What the decoders raise on hostile bytes comes through.

    Args:
        file: Open, and read from its beginning on.
        mime_type: Told by its bytes.
        duration_seconds: As measured, where it was.
        at_seconds: The moment of a video.

    Raises:
        RequestRefused: such a file cannot be shown, or `at_seconds` is no moment of the video.
    """
    if mime_type in PILLOW_FORMATS:
        from .picture import glimpse_of_image

        return glimpse_of_image(file, PILLOW_FORMATS[mime_type])
    container = CONTAINERS.get(mime_type) or CONTAINERS.get(mime_type.replace("audio/", "video/"))
    if container is None:
        raise RequestRefused("unsupported", f"{mime_type} cannot be shown as a picture.", hint="Open the file itself.")
    with opened_container(file, container) as opened:
        if mime_type.startswith("video/"):
            from .contact_sheet import glimpse_of_video

            return glimpse_of_video(opened, duration_seconds, at_seconds)
        from .waveform import glimpse_of_sound

        return glimpse_of_sound(opened)
