"""What of a request its price goes by; pure."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pydantic import JsonValue

from ...domain.model_facts import ModelFacts
from ...domain.money import Measure, amount_of
from ...domain.request import GenerationRequest

_SHORT_SIDES = {480: "480p", 720: "720p", 768: "768p", 960: "960p", 1024: "hd", 1080: "1080p", 2160: "4k"}
"""As LLMGateway's billing calls the sizes of its videos; others name no such sizes."""


_NOTHING: Mapping[str, JsonValue] = MappingProxyType({})


def measure_of(
    request: GenerationRequest, facts: ModelFacts | None = None, instead: Mapping[str, JsonValue] = _NOTHING
) -> Measure:
    """What is asked for, and where that is silent what the model's facts say is sent or made instead.

    Args:
        request: What is asked for.
        facts: Of the model that it goes to.
        instead: Inputs that `provider_options` set in its place, as `Plan.instead` has them.
    """
    sound = request.audio if request.audio is not None else _truth(_default(facts, "audio"))
    return Measure(
        resolution=_resolution(request, facts, instead),
        audio=_truth(instead["audio"]) if "audio" in instead else sound,
        seconds=_number(instead["duration_seconds"]) if "duration_seconds" in instead else _seconds(request, facts),
        # A part of an output is made as a whole one, if at all.
        outputs=max(1, math.ceil(_number(instead.get("count")) or request.count or 1)),
        characters=len(request.prompt) if request.kind == "audio" else 0,
        images=sum(1 for medium in request.media if medium.role not in ("reference_video", "reference_audio")),
    )


def _seconds(request: GenerationRequest, facts: ModelFacts | None) -> float | None:
    if request.duration_seconds or facts is None:
        return request.duration_seconds
    sent, only = _number(facts.defaults.get("duration_seconds")), _offered(request, facts)
    return sent or facts.duration_seconds_default or (only[0] if len(only) == 1 else None)


def _offered(request: GenerationRequest, facts: ModelFacts) -> Sequence[float]:
    """The only durations offered, where there is a list of them."""
    limits = (facts.operations or {}).get(request.operation)
    return (limits and limits.durations_seconds) or facts.durations_seconds or ()


def longest_seconds(request: GenerationRequest, facts: ModelFacts) -> float | None:
    """The longest that the model makes, as far as its facts tell."""
    limits = (facts.operations or {}).get(request.operation)
    most = (limits and limits.duration_seconds_max) or facts.duration_seconds_max
    return max(_offered(request, facts), default=most)


def _default(facts: ModelFacts | None, name: str) -> JsonValue:
    return None if facts is None else facts.defaults.get(name)


def _number(value: JsonValue) -> float | None:
    """A number, or its text: some gateways take durations as texts."""
    found = amount_of(value)
    return float(found) if found else None


def _truth(value: JsonValue) -> bool | None:
    return value if isinstance(value, bool) else None


def _resolution(request: GenerationRequest, facts: ModelFacts | None, instead: Mapping[str, JsonValue]) -> str:
    for name in ("size", "resolution"):
        if name in instead:
            # The gateway takes what is no text for nothing, or refuses it.
            given = told if isinstance(told := instead[name], str) else ""
            return ((tier_of(given) if request.kind == "video" else None) or given).lower()
    # The sizes of images have no names: a price by them is by the size itself.
    sized = tier_of(request.size) if request.kind == "video" else request.size
    told = request.resolution or sized or _default(facts, "resolution") or ""
    if told or facts is None or request.kind != "video":
        return str(told).lower()
    size = _default(facts, "size")
    # Where there are sizes and none is asked for, gateways of this format make 1280x720.
    return tier_of(size if isinstance(size, str) else None) or ("720p" if facts.sizes else "")


def tier_of(size: str | None) -> str | None:
    """The resolution of `WIDTHxHEIGHT`; itself where there is no name for it."""
    width, _, height = (size or "").lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        return size or None
    return _SHORT_SIDES.get(min(int(width), int(height)), size)
