"""Inputs that another task has still to make: pure."""

from ...domain.request import KIND_OF_ROLE, GenerationRequest, MediaInput

STAND_IN_URL = "https://awaited.invalid/"
"""For a plan that is never sent. Nobody can have such an address (RFC 6761)."""

_BYTE = b"\0"


def with_stand_ins(request: GenerationRequest) -> GenerationRequest:
    """The request with something in the place of each awaited medium, in every form that a model may want."""
    if not any(medium.awaited for medium in request.media):
        return request
    media = tuple(_stood_in(medium) if medium.awaited else medium for medium in request.media)
    return request.model_copy(update={"media": media})


def _stood_in(medium: MediaInput) -> MediaInput:
    url = STAND_IN_URL + (medium.given or "").replace("#", "/")
    return medium.model_copy(update={"url": url, "data": _BYTE, "size_bytes": len(_BYTE)})


def not_there_yet(medium: MediaInput) -> str:
    """What a dry run and the task say of it."""
    return f"{medium.given} is still being made: the {KIND_OF_ROLE[medium.role]} is sent once it is there."
