"""Kept files measured in the process that decodes, so that a hostile one costs that process and no more."""

import logging
from typing import BinaryIO, Literal

from pydantic import ConfigDict, Field, ValidationError

from ...domain.errors import DecodingEnded
from ...domain.kept_media import UNREADABLE, Measured, MediaFacts, is_measurable
from ...domain.value import Value
from .decoder import MEASURING, Decoder

logger = logging.getLogger(__name__)


class _Facts(Value):
    model_config = ConfigDict(strict=True)

    width: int | None = Field(ge=1)
    height: int | None = Field(ge=1)
    duration_seconds: float | None = Field(ge=0, allow_inf_nan=False)
    frame_rate: float | None = Field(ge=0, allow_inf_nan=False)
    has_audio: bool | None


class _Found(Value):
    model_config = ConfigDict(strict=True)

    facts: _Facts
    holds: Literal["video", "image", "audio"] | None


async def not_measured(file: BinaryIO, mime_type: str) -> Measured:
    """For a folder in which nothing is looked into."""
    del file, mime_type
    return Measured(MediaFacts(), None, "nothing is measured here")


class Measuring:
    """Measures open files."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    async def __call__(self, file: BinaryIO, mime_type: str) -> Measured:
        """The facts of a file whose type was told by its bytes; one that cannot be read has none. Raises nothing."""
        if not is_measurable(mime_type):
            return UNREADABLE
        try:
            answer = await self._decoder.ask({"do": "measure", "mime_type": mime_type}, file, MEASURING)
            if (why := answer.document.get("unreadable")) is not None:
                logger.warning("a file could not be measured", extra={"mime_type": mime_type, "problem": why})
                return UNREADABLE
            found = _Found.model_validate(answer.document)
        except DecodingEnded as error:
            logger.warning("a file could not be measured", extra={"mime_type": mime_type, "problem": error.message})
            return Measured(MediaFacts(), None, error.message)
        except ValidationError:
            return UNREADABLE
        return Measured(MediaFacts(**found.facts.model_dump()), found.holds)
