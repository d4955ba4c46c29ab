"""Media given as bytes to gateways that take URLs only: which they are, and their upload to an address of one's own."""

from collections.abc import Mapping

from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest, MediaInput
from ..ports import Uploader


def without_url(request: GenerationRequest, facts: ModelFacts) -> tuple[MediaInput, ...]:
    """The media that rushes holds as bytes only and that the model takes by URL only."""
    return tuple(
        medium
        for medium in request.media
        if medium.url is None and medium.data is not None and "data" not in facts.forms_of(medium.role)
    )


def with_urls(request: GenerationRequest, urls: Mapping[str, str]) -> GenerationRequest:
    """The request with a URL for each medium whose hash has one and that has none of its own."""
    media = tuple(
        medium.model_copy(update={"url": urls[medium.sha256]})
        if medium.url is None and medium.sha256 is not None and medium.sha256 in urls
        else medium
        for medium in request.media
    )
    return request.model_copy(update={"media": media})


async def uploaded(request: GenerationRequest, media: tuple[MediaInput, ...], uploader: Uploader) -> GenerationRequest:
    """Upload each of these media once, and give the request their URLs.

    Raises:
        RequestRefused: one could not be uploaded.
    """
    urls: dict[str, str] = {}
    for medium in media:
        if medium.sha256 is None or medium.data is None or medium.sha256 in urls:
            continue
        mime_type = medium.mime_type or "application/octet-stream"
        urls[medium.sha256] = await uploader.upload(medium.data, sha256=medium.sha256, mime_type=mime_type)
    return with_urls(request, urls)
