"""Warnings before paying where a first or last frame has not the shape of the video that is asked for; pure."""

from collections.abc import Iterator

from ..domain.model_facts import ModelFacts
from ..domain.request import GenerationRequest, MediaInput

_ALIKE = 0.03
"""Ratios that differ by less count as one: 1280x720 and 1366x768 both are 16:9."""

_FRAMES = frozenset({"image", "last_frame"})


def shape_warnings(request: GenerationRequest, facts: ModelFacts, provider: str) -> Iterator[str]:
    """One for each frame that has to be cut or forced into another shape."""
    asked = request.aspect_ratio or request.size
    default = facts.defaults.get("aspect_ratio")
    wanted = asked or (default if isinstance(default, str) else None)
    ratio = _ratio(wanted)
    if wanted is None or ratio is None:
        return
    because = f"aspect_ratio {wanted}" if asked else f"aspect_ratio {wanted}, which is sent because none was given"
    for medium in request.media:
        if medium.role in _FRAMES and (frame := _of_picture(medium)) is not None and _differ(frame, ratio):
            yield (
                f"{medium.role} is {medium.width}x{medium.height} and does not fit {because}: {provider} cuts, pads or "
                "stretches it. Give the ratio that the picture has, or a picture of that ratio."
            )


def _of_picture(medium: MediaInput) -> float | None:
    return medium.width / medium.height if medium.width and medium.height else None


def _ratio(text: str | None) -> float | None:
    """`16:9` and `1280x720` as a number; `None` for `auto` and what is no shape."""
    width, _, height = (text or "").replace("x", ":").partition(":")
    try:
        return float(width) / float(height)
    except (ValueError, ZeroDivisionError):
        return None


def _differ(one: float, other: float) -> bool:
    return abs(one / other - 1) > _ALIKE
