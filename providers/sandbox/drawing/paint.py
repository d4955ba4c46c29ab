"""Colours, and painting without bands: coarse floating point, enlarged, and rounded with a fine grain."""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import random
from array import array
from collections.abc import Callable
from typing import NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageMath

Size = tuple[int, int]
_TILE = 256
_STRENGTH = 2.2
"""Spread of the grain in steps of 1/255: enough that no edge of a rounded colour can be seen."""


class Colour(NamedTuple):
    """An sRGB colour, each channel 0 to 255, not rounded."""

    red: float
    green: float
    blue: float

    def rounded(self) -> tuple[int, int, int]:
        """As Pillow takes it."""
        return (round(self.red), round(self.green), round(self.blue))


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour in the first, 0 to 1."""
    return Colour(*(a + (b - a) * share for a, b in zip(first, second, strict=True)))


def grain(size: Size, rng: random.Random) -> Image.Image:
    """Film grain around 0, as floating point: one tile of noise, laid as often as needed."""
    first, second = (Image.frombytes("L", (_TILE, _TILE), rng.randbytes(_TILE * _TILE)) for _ in range(2))
    tile, sheet = ImageChops.add(first, second, scale=2), Image.new("L", size)
    for left in range(0, size[0], _TILE):
        for top in range(0, size[1], _TILE):
            sheet.paste(tile, (left, top))
    scale = 2 * _STRENGTH / 255
    return sheet.convert("F").point(lambda value: value * scale + (0.5 - _STRENGTH))


def paint(size: Size, cells: Size, colour_at: Callable[[float, float], Colour], rng: random.Random) -> Image.Image:
    """A picture whose colour at (across, down), each 0 to 1, is what `colour_at` says, sampled in so many cells."""
    across, down = cells
    colours = [colour_at((x + 0.5) / across, (y + 0.5) / down) for y in range(down) for x in range(across)]
    noise = grain(size, rng)
    return Image.merge("RGB", [_channel([c[n] for c in colours], cells, noise) for n in range(3)])


def _channel(values: list[float], cells: Size, noise: Image.Image) -> Image.Image:
    coarse = Image.frombytes("F", cells, array("f", values).tobytes())
    smooth = coarse.resize(noise.size, Image.Resampling.BICUBIC)
    channel: Image.Image = ImageMath.lambda_eval(
        lambda args: args["convert"](args["smooth"] + args["noise"], "L"), smooth=smooth, noise=noise
    )
    return channel


def dimmed(mask: Image.Image, strength: float, most: int = 255) -> Image.Image:
    """The mask with each level times `strength`, at most `most`."""
    return mask.point([min(most, round(level * strength)) for level in range(256)])


def soft_disc(radius: int) -> Image.Image:
    """A mask of a disc with clean edges, `2 * radius` across."""
    mask = Image.new("L", (8 * radius, 8 * radius))
    ImageDraw.Draw(mask).ellipse((0, 0, mask.width - 1, mask.height - 1), fill=255)
    return mask.reduce(4)
