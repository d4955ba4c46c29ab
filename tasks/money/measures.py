"""What of a request its price goes by; pure."""

from pydantic import JsonValue

from ...domain.model_facts import ModelFacts
from ...domain.money import Measure
from ...domain.request import GenerationRequest

_SHORT_SIDES = {480: "480p", 720: "720p", 768: "768p", 960: "960p", 1024: "hd", 1080: "1080p", 2160: "4k"}
"""As LLMGateway's billing calls the sizes of its videos; others name no such sizes."""


def measure_of(request: GenerationRequest, facts: ModelFacts | None = None) -> Measure:
    """What is asked for, and where that is silent what the model's facts say is sent or made instead."""
    limits = (facts.operations or {}).get(request.operation) if facts is not None else None
    only = (limits and limits.durations_seconds) or (facts and facts.durations_seconds) or ()
    default = _number(_default(facts, "duration_seconds"))
    return Measure(
        resolution=_resolution(request, facts),
        audio=request.audio if request.audio is not None else _truth(_default(facts, "audio")),
        seconds=request.duration_seconds or default or (only[0] if len(only) == 1 else None),
        outputs=request.count or 1,
        characters=len(request.prompt) if request.kind == "audio" else 0,
        images=sum(1 for medium in request.media if medium.role not in ("reference_video", "reference_audio")),
    )


def _default(facts: ModelFacts | None, name: str) -> JsonValue:
    return None if facts is None else facts.defaults.get(name)


def _number(value: JsonValue) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _truth(value: JsonValue) -> bool | None:
    return value if isinstance(value, bool) else None


def _resolution(request: GenerationRequest, facts: ModelFacts | None) -> str:
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
