"""One look at one output: which picture its kind wants."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from ...cache.media.measure import AV_OPTIONS, CONTAINERS, PILLOW_FORMATS
from ...domain.errors import RequestRefused
from ...domain.record import KeptMedia, Output

logger = logging.getLogger(__name__)

JPEG = "image/jpeg"

CHANGED = "the file has changed since it was kept and measured"


@dataclass(frozen=True)
class Look:
    """A JPEG of at most 1024 pixels a side and 500 KB, and what it shows, in a few words."""

    jpeg: bytes
    shows: str


def look(output: Output, at_seconds: float | None = None) -> Look:
    """A picture: the image itself, a video's contact sheet or one frame, a sound's waveform. Blocks.

    Raises:
        RequestRefused: nothing to look at is kept here, the file is gone, it cannot be decoded, or `at_seconds` is
            no moment of a video.
    """
    kept = _kept(output)
    path, mime_type = Path(kept.path), kept.mime_type or ""
    if at_seconds is not None and not mime_type.startswith("video/"):
        raise RequestRefused("invalid_input", "at_seconds is for videos; this output is none.")
    changed = False
    try:
        changed = kept.bytes is not None and path.stat().st_size != kept.bytes
        seen = _decoded(path, mime_type, kept, at_seconds)
        return replace(seen, shows=f"{seen.shows} ({CHANGED})") if changed else seen
    except RequestRefused:
        raise
    except Exception as error:
        # The boundary to the decoders, which raise anything on hostile bytes.
        logger.warning("output could not be looked at", extra={"path": str(path), "error": repr(error)})
        why = f": {CHANGED}" if changed else ""
        raise RequestRefused(
            "invalid_media", f"{path.name} ({mime_type}) could not be decoded{why}.", hint="Open the file itself."
        ) from error


def _kept(output: Output) -> KeptMedia:
    kept = output.kept
    if kept is None or kept.mime_type is None:
        raise _not_kept(output)
    if not Path(kept.path).is_file():
        alive = "Open its url instead, if it is still alive."
        hint = alive if output.remote.url else "Generate it again if it is wanted."
        raise RequestRefused("not_found", f"The kept file is gone: {kept.path}", hint=hint)
    return kept


def _not_kept(output: Output) -> RequestRefused:
    said = "This output is not kept on this machine"
    if output.pending:
        hint = "It is still to be fetched: call check_task, then look again."
        return RequestRefused("invalid_input", f"{said} yet.", hint=hint)
    problem = output.keeping.problem
    alive = ", if it still works" if problem else ""
    hint = f"Open its url instead{alive}." if output.remote.url else "Call check_task to see what became of it."
    why = f": {problem.rstrip('.')}" if problem else ""
    return RequestRefused("invalid_input", f"{said}{why}.", hint=hint)


def _decoded(path: Path, mime_type: str, output: KeptMedia, at_seconds: float | None) -> Look:
    if mime_type in PILLOW_FORMATS:
        from .picture import look_at_image

        return look_at_image(path, PILLOW_FORMATS[mime_type], (output.width or 0, output.height or 0))
    container = CONTAINERS.get(mime_type) or CONTAINERS.get(mime_type.replace("audio/", "video/"))
    if container is None:
        raise RequestRefused("unsupported", f"{mime_type} cannot be shown as a picture.", hint="Open the file itself.")
    import av

    with av.open(str(path), format=container, options=AV_OPTIONS) as opened:
        if mime_type.startswith("video/"):
            from .contact_sheet import look_at_video

            return look_at_video(opened, output.duration_seconds, at_seconds)
        from .waveform import look_at_sound

        return look_at_sound(opened)
