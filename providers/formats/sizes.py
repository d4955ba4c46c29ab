"""From aspect ratio and resolution to the `WIDTHxHEIGHT` that OpenAI-style video endpoints take."""

from collections.abc import Sequence

from ...domain.errors import RequestRefused
from ..checks import spoken
from .compose import Composer

COMMON_SIZES = (
    "1280x720",
    "720x1280",
    "1920x1080",
    "1080x1920",
    "3840x2160",
    "2160x3840",
    "854x480",
    "480x854",
)
"""For models whose sizes are not known."""

_SHORT_SIDES = {"480p": 480, "720p": 720, "768p": 768, "1080p": 1080, "4k": 2160}
_PREFERRED = ("720p", "768p", "480p", "1080p", "4k")


def send_size(compose: Composer) -> None:
    """Set `size` from what was asked as size, aspect_ratio or resolution; nothing if none of them was.

    Raises:
        RequestRefused: no size fits, or the three contradict each other.
    """
    compose.name_field("size", "size")
    asked = compose.value("size")
    ratio, resolution = compose.value("aspect_ratio"), compose.value("resolution")
    if ratio is None and resolution is None:
        if asked is not None:
            compose.put("size", asked, "size")
        return
    sizes = compose.facts.sizes or COMMON_SIZES
    fitting = sizes_for(sizes, None if ratio is None else str(ratio), None if resolution is None else str(resolution))
    wanted = " ".join(
        f"{name} {value}" for name, value in [("aspect_ratio", ratio), ("resolution", resolution)] if value
    )
    if asked is not None and asked not in fitting:
        raise RequestRefused("invalid_input", f"size {asked} contradicts {wanted}: leave one out")
    if not fitting:
        message = f"{wanted} is not offered by {compose.facts.name} on {compose.provider}: size {spoken(sizes)}"
        raise RequestRefused("unsupported", message)
    compose.put("size", asked or fitting[0], wanted)


def sizes_for(sizes: Sequence[str], ratio: str | None, resolution: str | None) -> list[str]:
    """Those of the sizes that fit, the best first: 16:9 where no ratio is given, 720p where no resolution is."""
    shaped = [(size, min(sides(size))) for size in sizes if is_shaped(*sides(size), ratio or "16:9")]
    for tier in [resolution.lower()] if resolution else _PREFERRED:
        fitting = [size for size, short in shaped if short == _SHORT_SIDES.get(tier)]
        if fitting:
            return fitting
    return [] if resolution else [size for size, _ in shaped]


def sides(size: str) -> tuple[int, int]:
    """Width and height in pixels.

    Raises:
        ValueError: the text is no `WIDTHxHEIGHT`.
    """
    width, _, height = size.partition("x")
    return int(width), int(height)


def is_shaped(width: int, height: int, ratio: str) -> bool:
    """Within 2 %, as 854x480 and 1366x768 are called 16:9."""
    across, colon, up = ratio.partition(":")
    if not colon or not across.isdecimal() or not up.isdecimal() or int(up) == 0:
        return False
    return abs(width / height - int(across) / int(up)) < 0.02 * width / height
