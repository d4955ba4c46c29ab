"""Frames of kept videos as inputs: each taken out once, in the process that decodes, and kept beside the video."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

from pydantic import ValidationError

from ...domain.errors import OutputError, RequestRefused, StoreError
from ...domain.kept_media import Kept
from ...domain.record import Output
from ...domain.value import Value
from ..ports import MediaStore, SideValues
from ..previews.frame import FRAME_BYTES_MAX
from ..previews.previews import Previews
from .references import Reference

logger = logging.getLogger(__name__)


class _KeptFrame(Value):
    path: str
    bytes: int
    sha256: str


class Frames:
    """Takes frames out of videos."""

    def __init__(self, media: MediaStore, previews: Previews, values: SideValues) -> None:
        self._media = media
        self._previews = previews
        self._values = values

    async def frame(self, output: Output, wanted: Reference) -> bytes:
        """The frame as a JPEG, in the video's full size.

        Raises:
            RequestRefused: there is no such frame, or the video cannot be read.
        """
        key = f"frame/{wanted.name}"
        known = await self._known(key)
        if known is not None:
            return known
        try:
            jpeg = await self._previews.frame(output, wanted.at_seconds)
        except RequestRefused as refusal:
            message = f"{wanted.name}: {refusal.message}"
            raise RequestRefused("invalid_media", message, hint=refusal.hint) from refusal
        await self._keep(key, jpeg, output, wanted)
        return jpeg

    async def _known(self, key: str) -> bytes | None:
        found = await self._values.get_value(key)
        if found is None:
            return None
        try:
            kept = _KeptFrame.model_validate(found[0])
            return await self._media.files.read(Kept(Path(kept.path), kept.bytes, kept.sha256), FRAME_BYTES_MAX)
        except (ValidationError, OSError):
            return None

    async def _keep(self, key: str, jpeg: bytes, output: Output, wanted: Reference) -> None:
        """A frame that cannot be kept is used all the same, and taken out again the next time."""
        try:
            file = await self._media.keep(
                stem=f"{Path(output.path or wanted.task_id).stem}-frame-{wanted.moment}",
                chunks=_once(jpeg),
                kind="image",
                declared_mime="image/jpeg",
                bytes_max=len(jpeg),
                expected_bytes=len(jpeg),
            )
            kept = _KeptFrame(path=str(file.path), bytes=file.size_bytes, sha256=file.sha256)
            await self._values.set_value(key, kept.model_dump(mode="json"))
        except (StoreError, OutputError) as error:
            logger.warning("frame not kept", extra={"frame": wanted.name, "problem": error.message})


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
