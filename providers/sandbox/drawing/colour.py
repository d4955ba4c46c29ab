"""Colour arithmetic in OKLab, where equal steps look equal, so that mixes and gradients stay clean."""

import math
from typing import NamedTuple


class Colour(NamedTuple):
    """An sRGB colour, each channel 0 to 255, not rounded."""

    red: float
    green: float
    blue: float

    def rounded(self) -> tuple[int, int, int]:
        """As Pillow takes it."""
        return (_byte(self.red), _byte(self.green), _byte(self.blue))


def parse(text: str) -> Colour:
    """The colour of `#rrggbb`."""
    return Colour(*(float(int(text[i : i + 2], 16)) for i in (1, 3, 5)))


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour in the first, 0 to 1."""
    a, b = _to_oklab(first), _to_oklab(second)
    return _from_oklab(*(x + (y - x) * share for x, y in zip(a, b, strict=True)))


def turn(colour: Colour, degrees: float) -> Colour:
    """The colour with its hue turned, lightness and strength kept."""
    lightness, a, b = _to_oklab(colour)
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return _from_oklab(lightness, a * cosine - b * sine, a * sine + b * cosine)


def lightness(colour: Colour) -> float:
    """Perceived lightness, 0 (black) to 1 (white)."""
    return _to_oklab(colour)[0]


def _byte(value: float) -> int:
    return max(0, min(255, round(value)))


def _linear(value: float) -> float:
    share = min(max(value / 255, 0.0), 1.0)
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def _gamma(share: float) -> float:
    share = min(max(share, 0.0), 1.0)
    return 255 * (share * 12.92 if share <= 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055)


def _to_oklab(colour: Colour) -> tuple[float, float, float]:
    red, green, blue = (_linear(value) for value in colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _from_oklab(lightness: float, a: float, b: float) -> Colour:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return Colour(
        _gamma(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short),
        _gamma(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short),
        _gamma(-0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short),
    )
