"""What the process that decodes does, done in this one: for tests of what comes of it, and not of the process."""

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import anyio
import anyio.to_thread
from pydantic import JsonValue, TypeAdapter

from rushes.cache.media.decoder import Answered, Decoder
from rushes.cache.media.kept_files import KeptFiles
from rushes.cache.media.measuring import Measuring
from rushes.domain.kept_media import Bounds
from rushes.domain.record import Output
from rushes.server.assembly import DECODING
from rushes.tasks.previews.child import answered
from rushes.tasks.previews.glimpse import Glimpse
from rushes.tasks.previews.previews import Previews

_DOCUMENT: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


class DecoderHere(Decoder):
    """Answers by itself."""

    def __init__(self) -> None:
        super().__init__(DECODING)

    async def ask(self, question: Mapping[str, JsonValue], file: BinaryIO, bounds: Bounds) -> Answered:
        answer = await anyio.to_thread.run_sync(answered, question, file)
        return Answered(_DOCUMENT.validate_python(answer.document), answer.data)


measure_here = Measuring(DecoderHere())
previews_here = Previews(KeptFiles(Path("/nowhere")), DecoderHere())


def glimpse(output: Output, at_seconds: float | None = None) -> Glimpse:
    """A small picture of a kept output, for tests without a loop."""
    return anyio.run(previews_here.glimpse, output, at_seconds)
