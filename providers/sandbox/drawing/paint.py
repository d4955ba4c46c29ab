"""Colours, and what is painted with them."""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Size = tuple[int, int]


class Palette(NamedTuple):
    """The colours of one light; `ink` is the darkest, `paper` the lightest, and distance fades into `mist`."""

    zenith: Colour
    horizon: Colour
    glow: Colour
    mist: Colour
    far: Colour
    near: Colour
    ink: Colour
    paper: Colour


def _palette(codes: str) -> Palette:
    return Palette(*((code >> 16, code >> 8 & 255, code & 255) for code in (int(each, 16) for each in codes.split())))


PALETTES = (
    _palette("0d1d47 7d9fd0 f8e7c4 7e9bc8 3c578d 101e41 080f24 f1f6ff"),
    _palette("5783b8 e9eff3 fff3dc dfe8f0 a3b9d3 2f4767 122036 fbfdff"),
    _palette("2f4f86 f3c9bd ffe9d6 dcc8d2 8c9cc4 28375f 0f1a33 fdf7f4"),
)
"""The hour before sunrise, day, and dawn."""


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour in the first, 0 to 1."""
    (red, green, blue), (r, g, b) = first, second
    return round(red + (r - red) * share), round(green + (g - green) * share), round(blue + (b - blue) * share)


def paint(size: Size, cells: Size, colour_at: Callable[[float, float], Colour]) -> Image.Image:
    """A picture whose colour at (across, down), each 0 to 1, is what `colour_at` says, sampled in so many cells."""
    across, down = cells
    coarse = Image.new("RGB", cells)
    coarse.putdata([colour_at((x + 0.5) / across, (y + 0.5) / down) for y in range(down) for x in range(across)])
    return coarse.resize(size, Image.Resampling.BICUBIC)


def dimmed(mask: Image.Image, strength: float, most: int = 255) -> Image.Image:
    """The mask with each level times `strength`, at most `most`."""
    return mask.point([min(most, round(level * strength)) for level in range(256)])


def soft_disc(radius: int) -> Image.Image:
    """A mask of a disc with clean edges, `2 * radius` across."""
    mask = Image.new("L", (8 * radius, 8 * radius))
    ImageDraw.Draw(mask).ellipse((0, 0, mask.width - 1, mask.height - 1), fill=255)
    return mask.reduce(4)


@dataclass(frozen=True)
class Sheet:
    """What lies at the same place of every frame."""

    ink: Image.Image | Colour
    place: tuple[int, int]
    mask: Image.Image | None = None

    def paste(self, canvas: Image.Image, number: int) -> None:  # noqa: ARG002
        """Lay it over any frame."""
        canvas.paste(self.ink, self.place, self.mask)
