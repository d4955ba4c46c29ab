"""The sky: a still gradient with sun or moon, stars, and clouds or haze that drift before it."""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import math
import random
from array import array
from dataclasses import dataclass

from PIL import Image, ImageFilter

from .colour import Colour, mix
from .paint import Grain, Size, dimmed, paint, soft_disc
from .palette import Palette
from .planet import paste_planet
from .veil import Veil


@dataclass(frozen=True)
class SkyPlan:
    """A sky as a scene describes it; lengths are shares of the picture."""

    palette: Palette
    horizon: float
    """Where the land begins, from the top."""
    sun: tuple[float, float] = (0.7, 0.4)
    sun_radius: float = 0.05
    """In heights of the picture; 0 for none."""
    halo: float = 1.0
    """Strength of the light around it."""
    stars: int = 0
    clouds: float = 0.0
    """Opacity of the clouds."""
    nebula: float = 0.0
    planet: bool = False
    """A planet in place of the sun."""


def paint_sky(plan: SkyPlan, size: Size, rng: random.Random, grain: Grain) -> Image.Image:
    """All of the sky that never moves."""
    width, height = size
    palette = plan.palette
    sun_x, sun_y = plan.sun
    ratio = width / height
    veils = [Veil(rng, cells, cells) for cells in (4, 9, 19)] if plan.nebula else []

    def colour_at(across: float, down: float) -> Colour:
        share = min(1.0, down / plan.horizon)
        colour = mix(palette.zenith, palette.horizon, share**1.25)
        if veils:
            x, y = 0.25 * (across * ratio + 0.6 * down), 0.5 * down + 0.2 * across
            cloud = sum(w * veil.ring(x, y) for w, veil in zip((0.5, 0.3, 0.2), veils, strict=True))
            lit = mix(palette.mist, palette.far, min(1.0, max(0.0, 2 * veils[1].ring(y, x) - 0.5)))
            colour = mix(colour, lit, plan.nebula * min(1.0, max(0.0, 2.6 * (cloud - 0.38))) ** 1.4)
        distance = math.hypot((across - sun_x) * ratio, down - sun_y)
        near = math.exp(-((distance / 0.14) ** 1.3)) * 0.75 + math.exp(-distance / 0.42) * 0.45
        colour = mix(colour, palette.glow, min(1.0, near * plan.halo * 0.85))
        corner = max(0.0, math.hypot(across - 0.5, (down - 0.5) * 0.8) - 0.38)
        return mix(colour, palette.ink, min(0.4, 0.9 * corner))

    cells = (64, max(16, round(64 / ratio))) if ratio >= 1 else (max(16, round(64 * ratio)), 64)
    sky = paint(size, cells, colour_at, grain)
    _add_stars(sky, plan, rng)
    if plan.planet:
        paste_planet(sky, plan.palette, plan.sun, plan.sun_radius, rng, grain)
    elif plan.sun_radius:
        disc = soft_disc(max(2, round(plan.sun_radius * height)))
        place = (round(sun_x * width) - disc.width // 2, round(sun_y * height) - disc.height // 2)
        white = mix(palette.glow, Colour(255, 255, 255), 0.55)
        sky.paste(white.rounded(), place, dimmed(disc, 0.94))
    return sky


def _add_stars(sky: Image.Image, plan: SkyPlan, rng: random.Random) -> None:
    unit = max(0.5, sky.height / 720)
    colour = plan.palette.paper.rounded()
    sprites = [soft_disc(max(1, round(unit * r))).filter(ImageFilter.GaussianBlur(0.45 * unit)) for r in (1, 1, 1.6)]
    for _ in range(plan.stars):
        x, y = rng.randrange(sky.width), round(sky.height * plan.horizon * rng.random() ** 1.4)
        bright = rng.uniform(0.15, 0.9) ** 1.5 * (1 - 0.7 * y / sky.height)
        sprite = dimmed(sprites[rng.randrange(3)], bright)
        sky.paste(colour, (x, y), sprite)


class Clouds:
    """Soft bands of cloud or haze that drift slowly; they close to a ring."""

    def __init__(self, colour: Colour, size: Size, top: float, bottom: float, opacity: float, rng: random.Random,
                 *, pixels_per_frame: float = 0.4, still: bool = False) -> None:  # fmt: skip
        width, height = size
        self._period = 2 * max(width, height)
        self._top = round(top * height)
        self._speed = pixels_per_frame * height / 720
        ring = _cloud_mask((self._period, max(8, round((bottom - top) * height))), opacity, rng)
        self._mask = Image.new("L", (width if still else self._period + width, ring.height))
        for left in range(0, self._mask.width, self._period):
            self._mask.paste(ring, (left, 0))
        self._veil = Image.new("RGB", (width, ring.height), colour.rounded())

    def paste(self, canvas: Image.Image, number: int) -> None:
        """Lay the bands over frame N."""
        left = int(number * self._speed) % self._period
        canvas.paste(self._veil, (0, self._top), self._mask.crop((left, 0, left + canvas.width, self._mask.height)))


def _cloud_mask(size: Size, opacity: float, rng: random.Random) -> Image.Image:
    columns, rows = 48, 12
    octaves = [Veil(rng, across, down) for across, down in ((5, 2), (11, 4), (23, 7))]
    cells = array("f")
    for row in range(rows):
        for column in range(columns):
            place = (column / columns, row / rows)
            cover = sum(w * o.ring(*place) for w, o in zip((0.55, 0.3, 0.15), octaves, strict=True))
            fade = math.sin(math.pi * row / (rows - 1)) ** (1.2 + 2.4 * octaves[0].ring(column / columns, 0.5))
            cells.append(255 * opacity * fade * min(1.0, max(0.0, (cover - 0.42) * 3.2)))
    first = cells[0::columns]
    ringed = array("f")
    for row in range(rows):
        ringed.extend(cells[row * columns : (row + 1) * columns])
        ringed.append(first[row])
    small = Image.frombytes("F", (columns + 1, rows), ringed.tobytes())
    box = (0.5, 0, columns + 0.5, rows)
    return small.resize(size, Image.Resampling.BICUBIC, box=box).convert("L")
