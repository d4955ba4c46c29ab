"""Small moving things: snow, dust, glints, stars, birds. Each is a soft sprite pasted at a place that depends on N."""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import math
import random
from dataclasses import dataclass
from typing import Protocol

from PIL import Image, ImageDraw, ImageFilter

from .colour import Colour
from .paint import Size, dimmed, soft_disc


class Layer(Protocol):
    """Whatever can be laid over frame N."""

    def paste(self, canvas: Image.Image, number: int) -> None: ...


@dataclass(frozen=True)
class Drift:
    """How a kind of particle looks and moves; lengths in 1/720 of the picture's height, times in frames."""

    count: int
    """In a picture of 1280 by 720."""
    radius: tuple[float, float]
    colour: Colour
    strength: tuple[float, float]
    """Opacity, 0 to 1."""
    across: float
    """Mean speed to the right."""
    down: float
    sway: float = 0.0
    twinkle: float = 0.0
    """0: steady; 1: goes out and comes back."""
    region: tuple[float, float] = (0.0, 1.0)
    """Where it lives, in shares of the picture's height."""
    stretch: tuple[float, float] = (1.0, 1.0)
    """Across and down: a glint on water is wide, a drop of rain long."""
    column: tuple[float, float, float] | None = None
    """Gathered around this place across, so wide at the top of the region and so wide at its bottom; all shares."""


@dataclass(frozen=True)
class _Mote:
    x: float
    y: float
    vx: float
    vy: float
    sway: float
    phase: float
    pace: float
    sprites: tuple[Image.Image, ...]


class Motes:
    """Particles of one kind."""

    def __init__(self, drift: Drift, size: Size, rng: random.Random) -> None:
        self._drift = drift
        self._width, self._height = size
        unit = self._height / 720 if self._width >= self._height else self._width / 720
        unit = max(unit, 0.25)
        top, bottom = (share * self._height for share in drift.region)
        self._top, self._span = top, max(1.0, bottom - top)
        count = round(drift.count * min(3.0, self._width * self._height / (1280 * 720 * unit * unit)))
        sets = [_sprites(unit * _between(rng, drift.radius), _between(rng, drift.strength), drift) for _ in range(5)]
        self._motes = [self._mote(rng, unit, sets[n % len(sets)], n % len(sets)) for n in range(count)]
        self._margin = max((max(s[0].size) for s in sets), default=0)

    def _mote(self, rng: random.Random, unit: float, sprites: tuple[Image.Image, ...], rank: int) -> _Mote:
        pace = 0.6 + 0.2 * rank
        y = rng.random()
        x = rng.random()
        if self._drift.column is not None:
            middle, narrow, wide = self._drift.column
            y **= 1.5
            x = rng.gauss(middle, narrow + (wide - narrow) * y)
        return _Mote(
            x=x * self._width,
            y=y * self._span,
            vx=unit * self._drift.across * pace * rng.uniform(0.8, 1.2),
            vy=unit * self._drift.down * pace * rng.uniform(0.85, 1.15),
            sway=unit * self._drift.sway * rng.uniform(0.4, 1.0),
            phase=rng.uniform(0, math.tau),
            pace=rng.uniform(0.6, 1.4),
            sprites=sprites,
        )

    def paste(self, canvas: Image.Image, number: int) -> None:
        """Lay all of them over frame N."""
        colour = self._drift.colour.rounded()
        margin = self._margin
        for mote in self._motes:
            turn = mote.phase + number * 0.06 * mote.pace
            x = (mote.x + mote.vx * number + mote.sway * math.sin(turn) + margin) % (self._width + 2 * margin) - margin
            y = (mote.y + mote.vy * number) % self._span + self._top
            level = len(mote.sprites) - 1
            if self._drift.twinkle:
                level = round(level * (1 - self._drift.twinkle * (0.5 + 0.5 * math.sin(1.7 * turn))))
            sprite = mote.sprites[level]
            canvas.paste(colour, (round(x) - sprite.width // 2, round(y) - sprite.height // 2), sprite)


def _between(rng: random.Random, bounds: tuple[float, float]) -> float:
    return rng.uniform(*bounds)


def _sprites(radius: float, strength: float, drift: Drift) -> tuple[Image.Image, ...]:
    """One mask, or eight from faint to full for a thing that twinkles."""
    size = max(1, math.ceil(radius))
    mask = Image.new("L", (6 * size + 1, 6 * size + 1))
    disc = soft_disc(size)
    mask.paste(disc, (mask.width // 2 - size, mask.height // 2 - size))
    mask = mask.filter(ImageFilter.GaussianBlur(max(0.5, 0.55 * radius)))
    if drift.stretch != (1.0, 1.0):
        across, down = drift.stretch
        mask = mask.resize((max(3, round(mask.width * across)), max(3, round(mask.height * down))))
    shrink = min(1.0, (radius / size) ** 2)
    steps = range(9) if drift.twinkle else (8,)
    return tuple(dimmed(mask, 1.5 * strength * shrink * step / 8) for step in steps)


class Birds:
    """A loose flock that crosses the sky."""

    def __init__(self, size: Size, colour: Colour, rng: random.Random) -> None:
        self._width, height = size
        self._colour = colour.rounded()
        self._unit = max(0.3, height / 720)
        self._phases = [_bird(self._unit * 7, lift) for lift in (-0.75, -0.4, 0.0, 0.35, 0.55, 0.35, 0.0, -0.4)]
        lead = rng.uniform(0.35, 0.8) * self._width
        middle = rng.uniform(0.2, 0.34) * height
        self._flock = [
            (lead - 26 * self._unit * n + rng.gauss(0, 9) * self._unit,
             middle + (n % 2 * 2 - 1) * 9 * self._unit * (n + 1) // 2 + rng.gauss(0, 6) * self._unit,
             rng.randrange(8))
            for n in range(rng.randint(5, 8))
        ]  # fmt: skip

    def paste(self, canvas: Image.Image, number: int) -> None:
        """Lay the flock over frame N."""
        for x, y, phase in self._flock:
            wings = self._phases[(number // 2 + phase) % len(self._phases)]
            across = (x + number * 0.9 * self._unit) % (self._width * 1.3) - 0.15 * self._width
            down = y + 5 * self._unit * math.sin(number * 0.03 + phase)
            canvas.paste(self._colour, (round(across), round(down)), wings)


def _bird(reach: float, lift: float) -> Image.Image:
    fine, side = 4, round(2.4 * reach)
    mask = Image.new("L", (side * fine, side * fine))
    draw = ImageDraw.Draw(mask)
    middle, thick = side * fine / 2, max(2.0, reach * fine * 0.13)
    for direction in (-1, 1):
        elbow = (middle + direction * reach * 0.45 * fine, middle + (lift * 0.5 - 0.12) * reach * fine)
        tip = (middle + direction * reach * fine, middle + lift * reach * fine * 0.9)
        draw.line([(middle, middle), elbow, tip], fill=255, width=round(thick), joint="curve")
    return mask.reduce(fine)
