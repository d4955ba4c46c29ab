"""The nearest request that a model takes, where it does not take the one that was asked for; pure."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from ...domain.errors import RequestRefused
from ...domain.model_facts import ModelFacts, OperationFacts
from ...domain.request import GenerationRequest, MediaRole, asked_inputs
from ...providers.checks import INPUT_OF_ROLE, inputs_of, limits_of, number_text
from ...providers.provider import Provider
from .candidates import Asked, Candidate, candidate

_LEFT_OUT: Mapping[str, float] = {"audio": 2.0, "seed": 2.0, "watermark": 2.0, "quality": 1.5}
_LEFT_OUT_OTHERWISE = 3.0
_MEDIUM_LEFT_OUT = 10.0
"""How far away a request is that lacks something: an agent rather has another length than another picture."""

_TIERS = {"0.5k": 512, "1k": 1024, "2k": 2048, "480p": 480, "720p": 720, "768p": 768, "1080p": 1080, "4k": 2160}


@dataclass(frozen=True)
class InputChange:
    """One input said otherwise, or left out where `value` is `None`."""

    name: str
    value: JsonValue
    distance: float

    def __str__(self) -> str:
        if self.value is None:
            return f"without {self.name}"
        said = number_text(self.value) if isinstance(self.value, float) else str(self.value).lower()
        return f"{self.name} {said}"


@dataclass(frozen=True)
class Nearest:
    """A model, and what would have to be changed for it."""

    candidate: Candidate
    changes: tuple[InputChange, ...]

    @property
    def distance(self) -> float:
        """0 for the request as it was asked."""
        return sum(change.distance for change in self.changes)

    def __str__(self) -> str:
        return ", ".join(map(str, self.changes))


def nearest_of(asked: Asked, rows: Iterable[tuple[Provider, ModelFacts]]) -> Nearest | None:
    """The nearest of these models; `None` where none takes anything like it."""
    found = [near for provider, row in rows if (near := nearest(asked, provider, row)) is not None]
    return min(found, key=lambda near: (near.distance, not near.candidate.is_known_to_fit), default=None)


def nearest(asked: Asked, provider: Provider, facts: ModelFacts) -> Nearest | None:
    """The fewest changes with which this model takes the request; each of them is tried before it is proposed."""
    changes = list(_changes(asked.request, facts))
    if any(math.isinf(change.distance) for change in changes):
        return None
    first = _tried(asked, provider, facts, changes)
    if first is not None:
        return first
    named = {change.name for change in changes}
    for name in asked_inputs(_changed(asked.request, changes)):
        if name not in named:
            also = _tried(asked, provider, facts, [*changes, _without(name)])
            if also is not None:
                return also
    return None


def _tried(asked: Asked, provider: Provider, facts: ModelFacts, changes: Sequence[InputChange]) -> Nearest | None:
    try:
        one = candidate(Asked(_changed(asked.request, changes), asked.uploader), provider, facts)
    except RequestRefused:
        return None
    return Nearest(one, tuple(changes))


def _changed(request: GenerationRequest, changes: Iterable[InputChange]) -> GenerationRequest:
    values = {change.name: change.value for change in changes}
    media = request.media
    for role, name in INPUT_OF_ROLE.items():
        if name in values:
            most = values.pop(name)
            kept = request.media_of(role)[: most if isinstance(most, int) else 0]
            media = (*(medium for medium in media if medium.role != role), *kept)
    return request.model_copy(update={**values, "media": media})


def _changes(request: GenerationRequest, facts: ModelFacts) -> Iterator[InputChange]:
    yield from _changes_of_media(request, facts)
    operation = _changed(request, _changes_of_media(request, facts)).operation
    limits, inputs = limits_of(facts, operation), inputs_of(facts, operation)
    if request.purpose is not None and facts.purposes is not None and request.purpose not in facts.purposes:
        brief = request.purpose == "sound" and "music" in facts.purposes
        yield InputChange("purpose", "music" if brief else None, _MEDIUM_LEFT_OUT if brief else math.inf)
    for name, value in asked_inputs(request).items():
        if name == "count" and value == 1:
            continue
        if inputs is not None and name not in inputs:
            yield _without(name)
        elif name in facts.only and value != facts.only[name]:
            yield InputChange(name, facts.only[name], 2.0)
        else:
            yield from _nearer(name, value, facts, limits)


def _without(name: str) -> InputChange:
    return InputChange(name, None, _LEFT_OUT.get(name, _LEFT_OUT_OTHERWISE))


def _changes_of_media(request: GenerationRequest, facts: ModelFacts) -> Iterator[InputChange]:
    operation = request.operation
    limits = limits_of(facts, operation)
    inputs = facts.inputs
    most: dict[MediaRole, int | None] = {
        "input_image": limits.images_max,
        "reference_image": limits.reference_images_max,
        "reference_video": limits.reference_videos_max,
        "reference_audio": limits.reference_audios_max,
    }
    for role, name in INPUT_OF_ROLE.items():
        given = len(request.media_of(role))
        at_most = most.get(role)
        if given and inputs is not None and name not in inputs:
            yield InputChange(name, None, _MEDIUM_LEFT_OUT)
        elif at_most is not None and given > at_most:
            yield InputChange(name, at_most, 1.0 + given - at_most)


def _nearer(name: str, value: JsonValue, facts: ModelFacts, limits: OperationFacts) -> Iterator[InputChange]:
    """The nearest value that is offered, where this one is not."""
    match name, value:
        case "duration_seconds", float():
            seconds = _nearest_number(
                value, limits.durations_seconds, limits.duration_seconds_min, limits.duration_seconds_max
            )
            if seconds != value:
                yield InputChange(name, seconds, 1.0 + abs(math.log(seconds / value)))
        case "speed", float():
            speed = _nearest_number(value, None, facts.speed_min, facts.speed_max)
            if speed != value:
                yield InputChange(name, speed, 1.0)
        case "count", int():
            if limits.count_max is not None and value > limits.count_max:
                yield InputChange(name, limits.count_max, 1.0)
        case "aspect_ratio", str():
            yield from _nearest_text(name, value, limits.aspect_ratios, _shape)
        case "resolution", str():
            yield from _nearest_text(name, value, limits.resolutions, lambda tier: _TIERS.get(tier.lower()))
        case (("size" | "quality" | "voice" | "language" | "output_format"), str()):
            offered = {
                "size": limits.sizes,
                "quality": limits.qualities,
                "voice": facts.voices,
                "language": facts.languages,
                "output_format": facts.output_formats,
            }
            yield from _nearest_text(name, value, offered[name], lambda _: None)
        case _:
            return


def _nearest_number(
    value: float, offered: Sequence[float] | None, lowest: float | None, highest: float | None
) -> float:
    if offered:
        return min(offered, key=lambda each: (abs(each - value), -each))
    bounded = value if lowest is None else max(value, lowest)
    return bounded if highest is None else min(bounded, highest)


def _nearest_text(
    name: str, value: str, offered: Sequence[str] | None, measure: Callable[[str], float | None]
) -> Iterator[InputChange]:
    if offered is None or value.casefold() in {each.casefold() for each in offered}:
        return
    own = measure(value)
    measured = [(abs(math.log(size / own)), each) for each in offered if own and (size := measure(each))]
    if measured:
        distance, each = min(measured)
        yield InputChange(name, each, 1.0 + distance)
    else:
        yield _without(name)


def _shape(ratio: str) -> float | None:
    across, _, up = ratio.partition(":")
    try:
        return float(across) / float(up)
    except (ValueError, ZeroDivisionError):
        return None
