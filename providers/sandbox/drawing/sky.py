"""The sky: a still gradient with sun or moon and stars, clouds that drift before it, and snow that falls."""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import math
import random
from array import array

from PIL import Image, ImageFilter

from .land import noise
from .paint import Colour, Size, dimmed, mix, paint, soft_disc
from .palette import Palette

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

    cells = (64, max(16, round(64 / ratio))) if ratio >= 1 else (max(16, round(64 * ratio)), 64)
    sky = paint(size, cells, colour_at, rng)
    star = soft_disc(max(1, round(height / 720))).filter(ImageFilter.GaussianBlur(0.45 * height / 720))
    for _ in range(palette.stars):
        place = rng.randrange(width), round(height * _HORIZON * rng.random() ** 1.4)
        sky.paste(palette.paper.rounded(), place, dimmed(star, rng.uniform(0.15, 0.9) ** 1.5))
    disc = soft_disc(max(2, round(_SUN_RADIUS * height)))
    place = (round(sun_x * width) - disc.width // 2, round(sun_y * height) - disc.height // 2)
    sky.paste(mix(palette.glow, Colour(255, 255, 255), 0.55).rounded(), place, dimmed(disc, 0.94))
    return sky


class Clouds:
    """Soft bands of cloud or mist that drift slowly; they close to a ring."""

    def __init__(self, colour: Colour, size: Size, bounds: tuple[float, float], rng: random.Random,
                 *, speed: float) -> None:  # fmt: skip
        self._period, self._speed = 2 * max(size), speed * size[1] / 720
        self._top = round(bounds[0] * size[1])
        ring = _cloud_mask((self._period, max(8, round((bounds[1] - bounds[0]) * size[1]))), rng)
        self._mask = Image.new("L", (self._period + size[0], ring.height))
        for left in (0, self._period):
            self._mask.paste(ring, (left, 0))
        self._veil = Image.new("RGB", (size[0], ring.height), colour.rounded())

    def paste(self, canvas: Image.Image, number: int) -> None:
        """Lay the bands over frame N."""
        left = int(number * self._speed) % self._period
        canvas.paste(self._veil, (0, self._top), self._mask.crop((left, 0, left + canvas.width, self._mask.height)))


def _cloud_mask(size: Size, rng: random.Random) -> Image.Image:
    columns, rows, cells = 48, 12, array("f")
    bands = [[(weight, noise(rng, count)) for weight, count in ((0.55, 5), (0.3, 11), (0.15, 23))] for _ in range(4)]
    for row in range(rows):
        upper, share = divmod(3 * row / rows, 1)
        for column in range(columns + 1):
            low, high = (sum(w * at(column / columns) for w, at in bands[int(upper) + n]) for n in (0, 1))
            cover = low * (1 - share) + high * share
            cells.append(150 * math.sin(math.pi * row / (rows - 1)) ** 2 * min(1.0, max(0.0, (cover - 0.42) * 3.2)))
    small = Image.frombytes("F", (columns + 1, rows), cells.tobytes())
    return small.resize(size, Image.Resampling.BICUBIC, box=(0.5, 0, columns + 0.5, rows)).convert("L")


class Snow:
    """Falling flakes of one size: soft sprites, each pasted at a place that depends on N."""

    def __init__(self, count: int, radius: float, strength: float, palette: Palette, size: Size,
                 rng: random.Random) -> None:  # fmt: skip
        unit = max(0.25, min(size) / 720)
        self._size, self._colour = size, palette.paper.rounded()
        reach = max(1, math.ceil(radius * unit))
        mask = Image.new("L", (6 * reach + 1, 6 * reach + 1))
        mask.paste(soft_disc(reach), (2 * reach, 2 * reach))
        mask = mask.filter(ImageFilter.GaussianBlur(max(0.5, 0.55 * radius * unit)))
        sharp = 1.5 * min(1.0, (radius * unit / reach) ** 2)
        sprites = [dimmed(mask, sharp * strength * rng.uniform(0.7, 1.2)) for _ in range(5)]
        self._flakes = [
            (rng.random() * size[0], rng.random() * size[1], rng.uniform(0, math.tau), rng.uniform(0.6, 1.4) * unit,
             sprites[n % 5])
            for n in range(round(count * min(3.0, size[0] * size[1] / (1280 * 720 * unit * unit))))
        ]  # fmt: skip
        self._pace = 0.45 + 0.5 * radius

    def paste(self, canvas: Image.Image, number: int) -> None:
        """Lay all of them over frame N."""
        for x, y, phase, pace, sprite in self._flakes:
            margin = sprite.width
            across = x - 0.9 * self._pace * pace * number + 7 * pace * math.sin(phase + number * 0.06)
            left = (across + margin) % (self._size[0] + 2 * margin) - 2 * margin
            top = (y + self._pace * pace * number) % (self._size[1] + margin) - margin
            canvas.paste(self._colour, (round(left), round(top)), sprite)
