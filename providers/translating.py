"""A request in the words that a model takes: a ratio as pixels where a gateway wants pixels, pixels as a ratio and a
tier where it wants these. Pure; what was said otherwise is told."""

from ..domain.model_facts import ModelFacts, PixelRules
from ..domain.request import GenerationRequest
from .checks import inputs_of, limits_of
from .formats.sizes import COMMON_SIZES, is_shaped, sides, sizes_for

SIDES = {"0.5k": 512, "1k": 1024, "2k": 2048, "4k": 4096}
"""The side of a square image of a tier, in pixels; other ratios have about the same area."""

TIERS = {480: "480p", 720: "720p", 768: "768p", 1080: "1080p", 2160: "4k"}
"""By the shorter side of a video, in pixels."""

_SHORTEST_OF_A_TIER = 0.93
"""3840x2160 is called 4k."""


def translated(request: GenerationRequest, facts: ModelFacts) -> tuple[GenerationRequest, tuple[str, ...]]:
    """The request as this model can be asked, and what that changed; the same request where nothing has to be said
    otherwise, or where it cannot be (the checks then say so)."""
    request = _spelt(request, facts)
    inputs = inputs_of(facts, request.operation)
    if inputs is None or request.kind == "audio":
        return request, ()
    if request.size is None and "size" in inputs:
        shaped = request.aspect_ratio is not None and "aspect_ratio" not in inputs
        tiered = request.resolution is not None and "resolution" not in inputs
        return _as_pixels(request, facts) if shaped or tiered else (request, ())
    if request.size is not None and "size" not in inputs and {"aspect_ratio", "resolution"} <= {*inputs}:
        return _as_words(request, facts)
    return request, ()


def _spelt(request: GenerationRequest, facts: ModelFacts) -> GenerationRequest:
    """Words of lists as the model's own pages spell them: letter case does not count for who asks."""
    limits = limits_of(facts, request.operation)
    offered = {
        "quality": limits.qualities,
        "voice": facts.voices,
        "language": facts.languages,
        "output_format": facts.output_formats,
    }
    spelt = {
        name: choice
        for name, choices in offered.items()
        for choice in choices or ()
        if isinstance(given := getattr(request, name), str)
        and given not in (choices or ())
        and given.casefold() == choice.casefold()
    }
    return request.model_copy(update=spelt) if spelt else request


def _as_pixels(request: GenerationRequest, facts: ModelFacts) -> tuple[GenerationRequest, tuple[str, ...]]:
    size = _pixels(request, facts)
    if size is None:
        return request, ()
    asked = {"aspect_ratio": request.aspect_ratio, "resolution": request.resolution}
    words = " and ".join(f"{name} {value}" for name, value in asked.items() if value is not None)
    changed = request.model_copy(update={"size": size, "aspect_ratio": None, "resolution": None})
    return changed, (f"{words}: sent as size {size}, because {facts.name} takes pixels there",)


def _pixels(request: GenerationRequest, facts: ModelFacts) -> str | None:
    if request.kind == "video":
        return next(iter(sizes_for(facts.sizes or COMMON_SIZES, request.aspect_ratio, request.resolution)), None)
    if facts.pixels is None or request.aspect_ratio == "auto":
        return None
    return size_within(facts.pixels, request.aspect_ratio or "1:1", request.resolution or facts.pixels.tier)


def size_within(rules: PixelRules, ratio: str, tier: str) -> str | None:
    """The size of exactly this ratio whose area comes nearest to the tier's; `None` where the rules allow none."""
    across, _, up = ratio.partition(":")
    side = SIDES.get(tier.lower())
    if side is None or not (across.isdecimal() and up.isdecimal() and int(across) and int(up)):
        return None
    width, height = rules.multiple_of * int(across), rules.multiple_of * int(up)
    most = min(rules.side_max // max(width, height), int((rules.area_max / (width * height)) ** 0.5))
    step = min(round((side * side / (width * height)) ** 0.5), most)
    width, height = step * width, step * height
    if step == 0 or width * height < rules.area_min or max(width, height) < _SHORTEST_OF_A_TIER * side:
        return None
    return f"{width}x{height}"


def _as_words(request: GenerationRequest, facts: ModelFacts) -> tuple[GenerationRequest, tuple[str, ...]]:
    """Of a video alone: what an image's tier is in pixels differs from model to model."""
    if request.kind != "video" or request.size is None or request.aspect_ratio or request.resolution:
        return request, ()
    try:
        width, height = sides(request.size)
    except ValueError:
        return request, ()
    tier = TIERS.get(min(width, height))
    ratios = facts.aspect_ratios or ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")
    ratio = next((name for name in ratios if is_shaped(width, height, name)), None)
    if tier is None or ratio is None:
        return request, ()
    changed = request.model_copy(update={"size": None, "aspect_ratio": ratio, "resolution": tier})
    said = f"size {request.size}: sent as aspect_ratio {ratio} and resolution {tier}, which {facts.name} takes instead"
    return changed, (said,)
