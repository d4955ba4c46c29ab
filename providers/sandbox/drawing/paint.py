"""Painting without bands: colours are laid out coarsely in floating point, enlarged, and rounded with a fine grain."""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import random
from array import array
from collections.abc import Callable

from PIL import Image, ImageChops, ImageDraw, ImageMath

from .colour import Colour

GRAIN_TILE = 256
GRAIN_STRENGTH = 2.2
"""Spread of the grain in steps of 1/255: enough that no edge of a rounded colour can be seen."""

Size = tuple[int, int]


class Grain:
    """Film grain: one tile of noise, the same over a whole scene, laid as often as needed."""

    def __init__(self, rng: random.Random) -> None:
        side = (GRAIN_TILE, GRAIN_TILE)
        first, second = (Image.frombytes("L", side, rng.randbytes(GRAIN_TILE * GRAIN_TILE)) for _ in range(2))
        self._tile = ImageChops.add(first, second, scale=2)

    def over(self, size: Size) -> Image.Image:
        """The grain of a picture of this size, around 0, as floating point."""
        sheet = Image.new("L", size)
        for left in range(0, size[0], GRAIN_TILE):
            for top in range(0, size[1], GRAIN_TILE):
                sheet.paste(self._tile, (left, top))
        scale = 2 * GRAIN_STRENGTH / 255
        return sheet.convert("F").point(lambda value: value * scale + (0.5 - GRAIN_STRENGTH))


def paint(size: Size, cells: Size, colour_at: Callable[[float, float], Colour], grain: Grain) -> Image.Image:
    """A picture whose colour at (across, down), each 0 to 1, is what `colour_at` says, sampled in so many cells."""
    channels = (array("f"), array("f"), array("f"))
    across, down = cells
    for row in range(down):
        for column in range(across):
            colour = colour_at((column + 0.5) / across, (row + 0.5) / down)
            for channel, value in zip(channels, colour, strict=True):
                channel.append(value)
    noise = grain.over(size)
    return Image.merge("RGB", [_channel(size, cells, values.tobytes(), noise) for values in channels])


def _channel(size: Size, cells: Size, values: bytes, noise: Image.Image) -> Image.Image:
    smooth = Image.frombytes("F", cells, values).resize(size, Image.Resampling.BICUBIC)
    channel: Image.Image = ImageMath.lambda_eval(
        lambda args: args["convert"](args["smooth"] + args["noise"], "L"), smooth=smooth, noise=noise
    )
    return channel


def dimmed(mask: Image.Image, strength: float, most: int = 255) -> Image.Image:
    """The mask with each level times `strength`, at most `most`."""
    return mask.point([min(most, round(level * strength)) for level in range(256)])


def soft_disc(radius: int) -> Image.Image:
    """A mask of a disc with clean edges, `2 * radius` across."""
    fine = 4
    mask = Image.new("L", (2 * radius * fine, 2 * radius * fine))
    ImageDraw.Draw(mask).ellipse((0, 0, mask.width - 1, mask.height - 1), fill=255)
    return mask.reduce(fine)
