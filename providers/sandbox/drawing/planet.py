"""A planet with a ring, lit from one side."""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .colour import Colour, mix
from .paint import Grain, paint, soft_disc
from .palette import Palette
from .veil import Veil

TILT = -18.0
"""Of the ring, in degrees."""


def paste_planet(
    sky: Image.Image, palette: Palette, place: tuple[float, float], radius: float, rng: random.Random, grain: Grain
) -> None:
    """Draw the planet into the sky; `radius` in heights of the picture."""
    size = max(3, round(radius * sky.height))
    light = rng.choice((-1, 1)) * rng.uniform(0.5, 0.8)
    bands = Veil(rng, 3, 9)

    def colour_at(across: float, down: float) -> Colour:
        x, y = 2 * across - 1, 2 * down - 1
        z = math.sqrt(max(0.0, 1 - x * x - y * y))
        lit = max(0.0, x * light - 0.45 * y + 0.62 * z)
        surface = mix(palette.horizon, palette.far, bands.ring(0.2 * across, down + 0.06 * across))
        return mix(mix(palette.ink, palette.zenith, 0.5), mix(surface, palette.glow, 0.25), min(1.0, 1.15 * lit))

    disc = soft_disc(size)
    ball = paint(disc.size, (40, 40), colour_at, grain)
    ring = _ring(size)
    middle = (round(place[0] * sky.width), round(place[1] * sky.height))
    corner = (middle[0] - ring.width // 2, middle[1] - ring.height // 2)
    colour = mix(palette.glow, palette.horizon, 0.4).rounded()
    sky.paste(colour, corner, ring)
    sky.paste(ball, (middle[0] - size, middle[1] - size), disc)
    front = ImageChops.multiply(ring, _front_half(ring.size))
    sky.paste(colour, corner, front)


def _ring(size: int) -> Image.Image:
    fine = 3
    side = round(4.6 * size) * fine
    mask = Image.new("L", (side, side))
    draw = ImageDraw.Draw(mask)
    middle = side / 2
    for outer, inner, light in ((2.15, 1.86, 120), (1.80, 1.50, 190), (1.45, 1.32, 80)):
        for reach, level in ((outer, light), (inner, 0)):
            box = (middle - reach * size * fine, middle - 0.24 * reach * size * fine,
                   middle + reach * size * fine, middle + 0.24 * reach * size * fine)  # fmt: skip
            draw.ellipse(box, fill=level)
    return mask.rotate(-TILT, Image.Resampling.BILINEAR).reduce(fine)


def _front_half(size: tuple[int, int]) -> Image.Image:
    half = Image.new("L", size)
    half.paste(255, (0, size[1] // 2, size[0], size[1]))
    return half.rotate(-TILT, Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(1))
