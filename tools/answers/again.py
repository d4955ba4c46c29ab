"""The call that makes a task again: its arguments under the tools' names; pure.

Media are named by what they came from: `task:<task_id>#1`, a URL, a path. What came as mere bytes cannot be named.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from ...domain.film import Film, FilmWish
from ...domain.hooks import SECRET_STAND_IN
from ...domain.record import TaskRecord
from ...domain.request import MediaRole, asked_inputs
from .outputs import plainer

Arguments = dict[str, JsonValue]

_ONE: Mapping[MediaRole, str] = {"image": "image", "last_frame": "last_frame", "mask": "mask"}
_SEVERAL: Mapping[MediaRole, str] = {
    "reference_image": "reference_images",
    "reference_video": "reference_videos",
    "reference_audio": "reference_audios",
    "input_image": "images",
}

TEXT_CHARACTERS = 2000
"""Of each text among the arguments, where a call asks for no other number."""

TELLING = ("seed", "duration_seconds", "aspect_ratio", "resolution", "size", "count")
"""What tells one task from its neighbours in a list."""


@dataclass(frozen=True)
class Again:
    """A call: its arguments, and the inputs that it lacks."""

    arguments: Arguments
    lost: tuple[str, ...] = ()
    """Arguments that were given as bytes, or with a secret, which nobody keeps."""


def call_again(record: TaskRecord) -> Again:
    """The whole call. Where the model was left to rushes, the chosen one; the seed also where it was drawn."""
    request = record.request
    if (film := request.film or request.film_wish) is not None:
        return Again(_film_again(film, record))
    media, lost = _media(record)
    if SECRET_STAND_IN in json.dumps(request.provider_options):
        request, lost = request.model_copy(update={"provider_options": {}}), (*lost, "provider_options")
    named: Arguments = {
        "prompt": request.prompt,
        "model": record.model if request.model.lower() == "auto" else request.model,
        "provider": record.named_provider,
        "purpose": request.purpose,
        **asked_inputs(request),
        "seed": seed_of(record),
        **media,
        "provider_options": request.provider_options or None,
        "output_name": record.output_name,
        "output_dir": record.output_dir,
    }
    return Again({name: value for name, value in named.items() if value is not None}, lost)


def _film_again(film: Film | FilmWish, record: TaskRecord) -> Arguments:
    """The arguments of `assemble`."""
    named: Arguments = {
        "shots": [shot.given for shot in film.shots],
        "sounds": [sound.given for sound in film.sounds] or None,
        "transition_seconds": film.transition_seconds or None,
        "fade_out_seconds": film.fade_out_seconds or None,
        "output_name": record.output_name,
    }
    return {name: value for name, value in named.items() if value is not None}


def seed_of(record: TaskRecord) -> int | None:
    """The seed that was asked for, else the one that the provider drew and told in its plan."""
    drawn = record.plan_details.get("seed")
    if record.request.seed is not None or not isinstance(drawn, int):
        return record.request.seed
    return drawn


def telling(record: TaskRecord) -> Arguments | None:
    """The few arguments that tell tasks of one prompt apart; `None` where there are none."""
    asked = {**asked_inputs(record.request), "seed": seed_of(record)}
    return {name: plainer(value) for name in TELLING if (value := asked.get(name)) is not None} or None


def shortened(again: Again, text_characters: int) -> tuple[Arguments, tuple[str, ...]]:
    """The arguments with no text longer than that, and what has to be said of it."""
    shown: Arguments = {}
    said: list[str] = []
    for name, value in again.arguments.items():
        length = len(value) if isinstance(value, str) else len(json.dumps(value)) if isinstance(value, dict) else 0
        if length <= text_characters:
            shown[name] = value
            continue
        if isinstance(value, str):
            shown[name] = value[:text_characters]
        what = "is cut" if isinstance(value, str) else "is left out: it has more than"
        said.append(
            f"arguments.{name} {what} at {text_characters} of {length} characters; from_task uses the whole, and "
            f"check_task with text_characters={length} shows it."
        )
    if again.lost:
        names = " and ".join(again.lost)
        said.append(f"arguments lack {names}: given as bytes or with a secret, which are not kept. Give it again.")
    return shown, tuple(said)


def _media(record: TaskRecord) -> tuple[Arguments, tuple[str, ...]]:
    media: Arguments = {}
    lost: list[str] = []
    for name, given in _given(record):
        known = [again for again in given if again is not None]
        if len(known) < len(given):
            lost.append(name)
        elif name in _SEVERAL.values():
            media[name] = [*known]
        else:
            media[name] = known[0]
    return media, tuple(lost)


def _given(record: TaskRecord) -> Iterator[tuple[str, list[str | None]]]:
    """Each media input that was used, with what names each of its media again."""
    names: dict[MediaRole, str] = {**_ONE, **_SEVERAL}
    for role, name in names.items():
        if given := [medium.again for medium in record.request.media_of(role)]:
            yield name, given
