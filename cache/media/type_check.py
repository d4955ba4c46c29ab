"""Whether what came is an output of the promised kind: pure decisions over first bytes, size and streams."""

from ...domain.errors import OutputRejected
from ...domain.kept_media import Measured
from ...domain.media_types import MIME_TYPE, looks_like_text, sniff_mime
from ...domain.request import Kind


def check_size(size_bytes: int, bytes_max: int) -> None:
    """Refuse what is larger than the limit."""
    if size_bytes > bytes_max:
        raise OutputRejected(
            f"The output is larger than the limit of {bytes_max} bytes.", hint="Raise the limit in rushes.toml."
        )


def accepted_mime(head: bytes, kind: Kind, declared_mime: str | None) -> str:
    """The type of what begins with `head`, if it can be an output of this kind."""
    if not head:
        raise OutputRejected(f"The address answered with nothing instead of {_a(kind)}.")
    if looks_like_text(head):
        raise OutputRejected(f"The address answered with text (a page or a message) instead of {_a(kind)}.")
    sniffed = sniff_mime(head)
    declared = (declared_mime or "").partition(";")[0].strip().lower()
    declared = declared if MIME_TYPE.fullmatch(declared) else ""
    if sniffed is None and declared.startswith(f"{kind}/"):
        return declared  # such as raw samples (audio/pcm), which have no magic bytes
    if sniffed is None:
        told = f" (declared as {declared})" if declared else ""
        raise OutputRejected(f"The output is of no type that rushes knows{told}.")
    if not _can_be(sniffed, kind):
        raise OutputRejected(f"The output is {sniffed} instead of {_a(kind)}.")
    return sniffed


def _can_be(mime_type: str, kind: Kind) -> bool:
    if mime_type.startswith(f"{kind}/"):
        return True
    # An MP4 or WebM may hold only sound (told after it is measured), and an animation may come as a GIF.
    return (kind == "audio" and mime_type in _SOUND_ONLY) or (kind == "video" and mime_type == "image/gif")


_SOUND_ONLY = {
    "video/mp4": "audio/mp4",
    "video/quicktime": "audio/mp4",
    "video/webm": "audio/webm",
    "video/x-matroska": "audio/x-matroska",
    "video/ogg": "audio/ogg",
}


def settled_mime(mime_type: str, kind: Kind, measured: Measured) -> str:
    """The type once the streams are known: a container without pictures is a sound."""
    if kind == "audio" and mime_type in _SOUND_ONLY:
        # What could not be looked into may well be what was asked and paid for.
        if measured.holds != "audio" and measured.problem is None:
            raise OutputRejected(f"The output is {mime_type} instead of {_a(kind)}.")
        return _SOUND_ONLY[mime_type]
    if kind == "video" and measured.holds == "audio":
        raise OutputRejected("The output holds only sound instead of a video.")
    return mime_type


def _a(kind: Kind) -> str:
    return {"video": "a video", "image": "an image", "audio": "a sound"}[kind]
