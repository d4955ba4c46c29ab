"""From a tool's arguments to what the service is asked for; pure."""

from collections.abc import Iterator
from typing import assert_never

from ..domain.request import GenerationRequest, Kind, MediaRole
from ..tasks.service import MediaSource, Wish
from .inputs import GenerateAudio, GenerateImage, GenerateVideo

Generate = GenerateVideo | GenerateImage | GenerateAudio

_NOT_OF_THE_REQUEST = {"provider", "provider_options", "wait_seconds", "force_new", "dry_run", "output_name"}
_MEDIA = {"image", "last_frame", "reference_images", "reference_videos", "reference_audios", "images", "mask"}


def kind_of(arguments: Generate) -> Kind:
    if isinstance(arguments, GenerateVideo):
        return "video"
    return "image" if isinstance(arguments, GenerateImage) else "audio"


def wish_of(arguments: Generate, *, owner: str, local_files: bool) -> Wish:
    """The wish that a generating tool's arguments stand for."""
    inputs = arguments.model_dump(exclude=_NOT_OF_THE_REQUEST | _MEDIA)
    request = GenerationRequest(kind=kind_of(arguments), provider_options=arguments.provider_options or {}, **inputs)
    return Wish(
        request=request,
        media=tuple(_media(arguments)),
        provider=arguments.provider,
        output_name=arguments.output_name,
        force_new=arguments.force_new,
        owner=owner,
        local_files=local_files,
    )


def _media(arguments: Generate) -> Iterator[MediaSource]:
    match arguments:
        case GenerateVideo():
            yield from _each("image", arguments.image)
            yield from _each("last_frame", arguments.last_frame)
            yield from _each("reference_image", arguments.reference_images)
            yield from _each("reference_video", arguments.reference_videos)
            yield from _each("reference_audio", arguments.reference_audios)
        case GenerateImage():
            yield from _each("input_image", arguments.images)
            yield from _each("mask", arguments.mask)
        case GenerateAudio():
            return
        case _:
            assert_never(arguments)


def _each(role: MediaRole, given: str | list[str] | None) -> Iterator[MediaSource]:
    for text in [given] if isinstance(given, str) else given or []:
        yield MediaSource(role=role, text=text.strip())
