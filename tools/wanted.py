"""What `list_models` is asked to find: the inputs of a generating tool, without the media themselves; pure."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue, ValidationError

from ..domain.errors import RequestRefused
from ..domain.principal import Principal
from ..domain.request import KIND_OF_ROLE, GenerationRequest, Kind, MediaInput, MediaRole
from .answers.refusal import unknown_arguments, validation_sentences
from .generate import Generate, GenerateAudio, GenerateImage, GenerateVideo, wish_of

INPUTS: Mapping[Kind, type[Generate]] = {"video": GenerateVideo, "image": GenerateImage, "audio": GenerateAudio}

KINDS: Sequence[Kind] = ("video", "image", "audio")

PLACE = "https://media.example/input"
"""Stands for a medium: what it is shall not matter, only that there is one."""

_ROLES: Mapping[str, MediaRole] = {
    "image": "image",
    "last_frame": "last_frame",
    "reference_images": "reference_image",
    "reference_videos": "reference_video",
    "reference_audios": "reference_audio",
    "images": "input_image",
    "mask": "mask",
}
_NO_WISHES = ("wait_seconds", "force_new", "dry_run", "output_name")
MEDIA_MAX = 32


def wanted_requests(
    kind: Kind | None, fits: Mapping[str, JsonValue], *, principal: Principal
) -> Sequence[GenerationRequest]:
    """The requests that `fits` may mean: of the kind that was given, else of each kind whose tool takes such inputs.

    Raises:
        RequestRefused: no tool takes them.
    """
    kinds: list[Kind] = [kind] if kind is not None else [each for each in KINDS if not _strange(each, fits)]
    if not kinds:
        raise RequestRefused("invalid_input", f"No tool takes all of these: {', '.join(fits)}.", hint=_HINT)
    if strange := _strange(kinds[0], fits):
        raise RequestRefused(
            "invalid_input",
            " ".join(unknown_arguments({name: fits[name] for name in strange}, INPUTS[kinds[0]])),
            hint=_HINT,
        )
    return [_request(each, fits, principal) for each in kinds]


_HINT = 'Give inputs of the generating tools, media as true or a number: fits {"duration_seconds": 5, "image": true}.'


def _strange(kind: Kind, fits: Mapping[str, JsonValue]) -> list[str]:
    known = INPUTS[kind].model_fields
    return [name for name in fits if name not in known or name in _NO_WISHES]


def _request(kind: Kind, fits: Mapping[str, JsonValue], principal: Principal) -> GenerationRequest:
    numbers = {name: _number_of(fits[name]) for name in _ROLES if fits.get(name) not in (None, False, "", [])}
    media = tuple(
        MediaInput(role=_ROLES[name], source=PLACE, url=f"{PLACE}.{KIND_OF_ROLE[_ROLES[name]]}")
        for name, number in numbers.items()
        for _ in range(number)
    )
    plain = {name: value for name, value in fits.items() if name not in _ROLES}
    try:
        asked = INPUTS[kind].model_validate({"prompt": "a prompt", **plain})
    except ValidationError as error:
        raise RequestRefused("invalid_input", " ".join(validation_sentences(error)), hint=_HINT) from error
    request = wish_of(asked, principal=principal, local_files=False).request
    return request.model_copy(update={"media": media})


def _number_of(value: JsonValue) -> int:
    """How many media are meant by `true`, a number, or the media themselves."""
    match value:
        case bool():
            return 1
        case int():
            return min(max(value, 1), MEDIA_MAX)
        case list():
            return min(len(value), MEDIA_MAX)
        case _:
            return 1
