"""The sky: a still gradient with sun and clouds, and snow that falls."""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import math
import random

from PIL import Image, ImageFilter

from .paint import Colour, Palette, Sheet, Size, dimmed, mix, paint, soft_disc

_HORIZON = 0.6
_SUN_RADIUS = 0.042


def paint_sky(palette: Palette, size: Size, rng: random.Random) -> Image.Image:
    """All of the sky that never moves."""
    width, height = size
    ratio = width / height
    sun_x, sun_y = rng.choice((rng.uniform(0.58, 0.8), rng.uniform(0.24, 0.4))), rng.uniform(0.2, 0.3)

    def colour_at(across: float, down: float) -> Colour:
        colour = mix(palette.zenith, palette.horizon, min(1.0, down / _HORIZON) ** 1.25)
        distance = math.hypot((across - sun_x) * ratio, down - sun_y)
        near = math.exp(-((distance / 0.14) ** 1.3)) * 0.6 + math.exp(-distance / 0.42) * 0.34
        corner = max(0.0, math.hypot(across - 0.5, (down - 0.5) * 0.8) - 0.38)
        return mix(mix(colour, palette.glow, min(1.0, near)), palette.ink, min(0.4, 0.9 * corner))

    sky, sun = paint(size, (64, 64), colour_at), soft_disc(max(2, round(_SUN_RADIUS * height)))
    place = (round(sun_x * width) - sun.width // 2, round(sun_y * height) - sun.height // 2)
    sky.paste(mix(palette.glow, (255, 255, 255), 0.55), place, dimmed(sun, 0.94))
    clouds(mix(palette.horizon, palette.paper, 0.35), size, (0.08, 0.46), rng).paste(sky, 0)
    return sky


def clouds(colour: Colour, size: Size, bounds: tuple[float, float], rng: random.Random) -> Sheet:
    """Soft bands of cloud or mist between two shares of the height."""
    columns, rows = max(4, round(11 * size[0] / max(size))), 5
    cells = Image.new("L", (columns, rows))
    for place in range(columns, columns * (rows - 1)):
        cover = max(0.0, (rng.random() + rng.random()) / 2 - 0.42) * 3.2
        level = 150 * math.sin(math.pi * (place // columns) / (rows - 1)) * min(1.0, cover)
        cells.putpixel((place % columns, place // columns), round(level))
    height = max(8, round((bounds[1] - bounds[0]) * size[1]))
    return Sheet(colour, (0, round(bounds[0] * size[1])), cells.resize((size[0], height), Image.Resampling.BICUBIC))


class Snow:
    """Falling flakes, the nearer ones larger, faster and fainter: each a soft sprite at a place that depends on N."""

    def __init__(self, palette: Palette, size: Size, rng: random.Random) -> None:
        unit = max(0.25, min(size) / 720)
        self._size, self._colour = size, palette.paper
        sprites: list[tuple[float, Image.Image]] = []
        for radius, strength in ((1.2, 0.6), (2.0, 0.75), (2.8, 0.9), (7.0, 0.3)):
            reach = max(1, math.ceil(radius * unit))
            sprite = Image.new("L", (6 * reach + 1, 6 * reach + 1))
            sprite.paste(soft_disc(reach), (2 * reach, 2 * reach))
            sprite = sprite.filter(ImageFilter.GaussianBlur(max(0.5, 0.55 * radius * unit)))
            faint = 1.5 * strength * min(1.0, (radius * unit / reach) ** 2)
            sprites.append(((0.45 + 0.5 * radius) * unit, dimmed(sprite, faint)))
        count = round(160 * min(3.0, size[0] * size[1] / (1280 * 720 * unit * unit)))
        self._flakes = [
            (rng.random() * size[0], rng.random() * size[1], rng.uniform(0, math.tau), rng.uniform(0.6, 1.4), *kind)
            for kind in rng.choices(sprites, weights=(16, 4, 3, 1), k=count)
        ]

    def paste(self, canvas: Image.Image, number: int) -> None:
        """Lay all of them over frame N."""
        for x, y, phase, haste, pace, sprite in self._flakes:
            margin, fallen = sprite.width, haste * pace * number
            left = (x - 0.9 * fallen + 7 * math.sin(phase + number * 0.06)) % (self._size[0] + 2 * margin) - margin
            top = (y + fallen) % (self._size[1] + margin) - margin
            canvas.paste(self._colour, (round(left), round(top)), sprite)
