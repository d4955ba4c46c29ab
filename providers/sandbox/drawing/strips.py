"""Strips of land: each is drawn once, longer than the picture and closed to a ring, and then only slides past.

Speeds are whole pixels a frame, so that a slide is perfectly even and costs the encoder next to nothing.
"""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .colour import Colour, mix
from .growth import Outline
from .paint import GRAIN_TILE, Grain, dimmed, paint
from .terrain import Line

Grow = Callable[[random.Random, float], Iterator[Outline]]


_FADE = 0.35
"""In so many heights of the picture below its lowest ridge a strip takes on the colour of its foot."""
_PIECE_WIDTH = 128
_PEAK_REACH = 4
"""A peak is the highest of so many places to either side."""


@dataclass(frozen=True)
class Growth:
    """What stands on a strip."""

    grow: Grow
    every: float
    """Mean distance between two, in heights of the picture."""
    height: tuple[float, float]
    """Smallest and greatest, in heights of the picture."""


@dataclass(frozen=True)
class StripPlan:
    """A strip as a scene describes it; lengths are shares of the picture's height."""

    line: Line
    top: float
    """Where its highest ridge is, from the picture's top."""
    relief: float
    """From its highest ridge down to its lowest."""
    ridge: Colour
    foot: Colour
    """The colour well below the ridge: lighter with mist."""
    rim: Colour | None = None
    """Light along the ridge."""
    speed: float = 1.0
    """Pixels a frame in a picture of 720 lines."""
    growth: tuple[Growth, ...] = ()
    shade: Colour | None = None
    """On the faces of mountains that turn away from the light."""
    lamps: Colour | None = None
    """Lit windows."""


@dataclass(frozen=True)
class _Piece:
    """One column of a strip, without what is empty in it."""

    left: int
    top: int
    picture: Image.Image
    mask: Image.Image | None
    """None: it hides everything."""


@dataclass(frozen=True)
class Strip:
    """A drawn strip."""

    pieces: tuple[_Piece, ...]
    speed: int
    """Pixels a frame."""
    period: int
    """After so many pixels it begins again."""

    def paste(self, canvas: Image.Image, number: int) -> None:
        """Lay the strip over frame N."""
        shift = number * self.speed % self.period
        for piece in self.pieces:
            left = piece.left - shift
            if left + piece.picture.width <= 0:
                left += self.period
            if left < canvas.width:
                canvas.paste(piece.picture, (left, piece.top), piece.mask)


def draw_strips(
    plans: tuple[StripPlan, ...], size: tuple[int, int], rng: random.Random, grain: Grain, *, still: bool
) -> Iterator[Strip]:
    """The strips for a picture of this size, from back to front; each reaches as far down as the next leaves open."""
    for plan, nearer in zip_longest(plans, plans[1:]):
        bottom = (
            round((nearer.top + nearer.relief) * size[1]) + 4 + 5 * _rim_thickness(size[1])
            if nearer is not None
            else size[1]
        )
        yield _draw_strip(plan, size, min(bottom, size[1]), rng, grain, still=still)


def _draw_strip(
    plan: StripPlan, size: tuple[int, int], bottom: int, rng: random.Random, grain: Grain, *, still: bool
) -> Strip:
    width, height = size
    period = max(width, height) * 2
    visible = width if still else period
    above = round(max((growth.height[1] for growth in plan.growth), default=0) * height)
    ridge_top = round(plan.top * height)
    top = max(0, ridge_top - above)
    band = max(2, round((plan.top + plan.relief) * height) + 2 + 5 * _rim_thickness(height) - top)
    mask = _silhouette(plan, rng, period, visible, band, ridge_top - top, height)
    picture = _ground((visible, max(band, bottom - top)), band + _FADE * height, plan, grain)
    if plan.shade is not None:
        _shade_faces(picture, plan, rng, period, visible, ridge_top - top, height)
    _light(picture, mask, plan, rng, height)
    speed = max(1, round(plan.speed * height / 720)) if plan.speed else 0
    return Strip(tuple(_pieces(picture, mask, top)), speed, period)


def _pieces(picture: Image.Image, mask: Image.Image, top: int) -> Iterator[_Piece]:
    """The strip cut up, so that a frame costs what is seen of it and not what is empty."""
    for left in range(0, picture.width, _PIECE_WIDTH):
        right = min(left + _PIECE_WIDTH, picture.width)
        column = mask.crop((left, 0, right, mask.height))
        seen = column.getbbox()
        open_part = ImageChops.invert(column).getbbox()
        first = seen[1] if seen else mask.height
        solid = open_part[3] if open_part else 0
        if first < solid:
            box = (left, first, right, solid)
            yield _Piece(left, top + first, picture.crop(box), mask.crop(box))
        if solid < picture.height:
            yield _Piece(left, top + solid, picture.crop((left, solid, right, picture.height)), None)


def _ground(size: tuple[int, int], fade: float, plan: StripPlan, grain: Grain) -> Image.Image:
    """The strip's colour from its top down; it is the same all along, so that one tile of it is painted."""
    tile_size = (min(size[0], 2 * GRAIN_TILE), size[1])
    tile = paint(tile_size, (1, 48), lambda _, down: mix(plan.ridge, plan.foot, _ease(down * size[1] / fade)), grain)
    ground = Image.new("RGB", size)
    for left in range(0, size[0], tile.width):
        ground.paste(tile, (left, 0))
    return ground


def _ease(share: float) -> float:
    return math.pow(min(1.0, share), 0.8)


def _silhouette(
    plan: StripPlan, rng: random.Random, period: int, visible: int, band: int, ridge_top: int, height: int
) -> Image.Image:
    """The mask of everything above the body, drawn larger and reduced so that edges are clean."""
    fine = 3 if height <= 1100 else 2
    mask = Image.new("L", (visible * fine, band * fine))
    draw = ImageDraw.Draw(mask)
    relief = plan.relief * height

    def ground(x: float) -> float:
        return ridge_top + relief * (1 - plan.line(x / period))

    step = max(1, height // 360)
    ridge = [(x * fine, ground(x) * fine) for x in range(0, visible + 2 * step, step)]
    draw.polygon([(0, mask.height), *ridge, (mask.width + 1, mask.height)], fill=255)
    for growth in plan.growth:
        for x, tall in _places(growth, rng, period, height):
            for outline in growth.grow(rng, tall):
                for ring in (0, -period):
                    points = [((x + ring + px) * fine, (ground(x) + py) * fine) for px, py in outline]
                    if any(0 <= px <= mask.width for px, _ in points):
                        draw.polygon(points, fill=255)
    return mask.reduce(fine)


def _places(growth: Growth, rng: random.Random, period: int, height: int) -> Iterator[tuple[float, float]]:
    x = 0.0
    low, high = growth.height
    while x < period:
        yield x, height * (low + (high - low) * rng.random() ** 1.6)
        x += growth.every * height * rng.uniform(0.25, 1.75)


def _shade_faces(
    picture: Image.Image, plan: StripPlan, rng: random.Random, period: int, visible: int, ridge_top: int, height: int
) -> None:
    """Darken each mountain from its peak down its right side, down to a jagged edge within it."""
    relief = plan.relief * height
    step = height / 60
    points = [(n * step, ridge_top + relief * (1 - plan.line(n * step / period))) for n in range(round(period / step))]
    mask = Image.new("L", (visible, picture.height))
    draw = ImageDraw.Draw(mask)
    for n in range(_PEAK_REACH, len(points) - _PEAK_REACH):
        heights = [y for _, y in points[n - _PEAK_REACH : n + _PEAK_REACH + 1]]
        if heights.index(min(heights)) == _PEAK_REACH:
            foot = n
            while foot + 1 < len(points) and points[foot + 1][1] > points[foot][1] - relief * 0.02:
                foot += 1
            if foot - n >= _PEAK_REACH:
                draw.polygon(_face(points[n : foot + 1], rng, relief), fill=255)
    soft = mask.filter(ImageFilter.GaussianBlur(height / 500))
    fade = Image.linear_gradient("L").resize((1, max(1, round(relief)))).resize((visible, max(1, round(relief))))
    strength = Image.new("L", mask.size)
    fade = ImageChops.invert(fade)
    strength.paste(ImageChops.multiply(fade, fade), (0, ridge_top))
    picture.paste((plan.shade or plan.ridge).rounded(), (0, 0), ImageChops.multiply(soft, strength))


def _face(slope: list[tuple[float, float]], rng: random.Random, relief: float) -> list[tuple[float, float]]:
    """The shaded side of one mountain: its ridge from the peak down, and back up along a broken arete."""
    (peak_x, peak_y), (foot_x, foot_y) = slope[0], slope[-1]
    drop = max(foot_y - peak_y, relief * 0.25) * 1.25
    arete: list[tuple[float, float]] = []
    for n in range(1, 9):
        share = n / 9
        jag = rng.uniform(-0.07, 0.07) + (0.10 if n % 2 else -0.08)
        arete.append((peak_x + (0.28 * share + jag * min(1.0, 2 * share)) * (foot_x - peak_x), peak_y + share * drop))
    return [*slope, (foot_x, foot_y + 0.1 * drop), *reversed(arete)]


def _rim_thickness(height: int) -> int:
    return max(1, height // 150)


def _light(picture: Image.Image, mask: Image.Image, plan: StripPlan, rng: random.Random, height: int) -> None:
    if plan.rim is not None:
        thick = _rim_thickness(height)
        lower = ImageChops.offset(mask, 0, thick)
        lower.paste(0, (0, 0, mask.width, thick))
        rim = ImageChops.subtract(mask, lower).filter(ImageFilter.GaussianBlur(thick * 0.6))
        picture.paste(plan.rim.rounded(), (0, 0), dimmed(rim, 0.55))
    if plan.lamps is not None:
        _lamps(picture, mask, plan.lamps, rng.getrandbits(32), height)


def _lamps(picture: Image.Image, mask: Image.Image, colour: Colour, seed: int, height: int) -> None:
    """Light some windows; from left to right, so that a still shows the same ones as a film."""
    rng = random.Random(seed)  # noqa: S311
    cell = max(3, height // 100)
    draw = ImageDraw.Draw(picture)
    for x in range(cell, mask.width - cell, cell + cell // 2):
        for y in range(cell, mask.height - cell, 2 * cell):
            inside = mask.getpixel((x - cell // 2, y - cell)) == 255 == mask.getpixel((x + cell, y + cell))
            if inside and rng.random() < 0.22:
                lit = mix(colour, Colour(40, 40, 60), rng.uniform(0, 0.6))
                draw.rectangle((x, y, x + cell // 2, y + cell // 2 + 1), fill=lit.rounded())
