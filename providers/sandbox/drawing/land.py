"""The land: mountains and hills with firs, each strip drawn once as a ring that slides past.

Speeds are whole pixels a frame, so that a slide is perfectly even and costs the encoder next to nothing.
"""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .paint import Colour, Size, dimmed, mix, paint

Line = Callable[[float], float]
"""The height, 0 to 1, at a place 0 to 1; the line closes: its end meets its beginning."""


def noise(rng: random.Random, count: int) -> Line:
    """Values between random ones at so many even places, joined by smooth curves."""
    values = [rng.random() for _ in range(count)]

    def at(place: float) -> float:
        along = place % 1.0 * count
        index = int(along)
        share = along - index
        share = share * share * (3 - 2 * share)
        return values[index % count] * (1 - share) + values[(index + 1) % count] * share

    return at


def hills(rng: random.Random, count: int, roughness: float) -> Line:
    """Rounded hills, about `count` of them; `roughness` 0 to 1 adds smaller ones."""
    octaves = [(roughness**n, noise(rng, count * 2**n)) for n in range(5)]
    total = sum(weight for weight, _ in octaves)

    def height(place: float) -> float:
        summed = 0.0
        for weight, octave in octaves:
            summed += weight * octave(place)
        return min(1.0, max(0.0, (summed / total - 0.5) * 1.6 + 0.5))

    return height


def peaks(rng: random.Random, count: int) -> Line:
    """Sharp mountains, `count` great ones among smaller ones, with broken slopes."""
    tents = [((n + rng.uniform(-0.3, 0.3)) / count, rng.uniform(0.72, 1.0)) for n in range(count)]
    tents += [(rng.random(), rng.uniform(0.35, 0.7)) for _ in range(count)]
    rocks = [(weight, noise(rng, count * factor)) for weight, factor in ((0.5, 7), (0.3, 15), (0.2, 33))]

    def height(place: float) -> float:
        slope = max(top - 1.15 * count * abs((place - at + 0.5) % 1.0 - 0.5) for at, top in tents)
        rough = sum(weight * abs(2 * rock(place) - 1) for weight, rock in rocks)
        return min(1.0, max(0.0, max(0.12, slope) - 0.12 * rough))

    return height


def fir(rng: random.Random, height: float) -> Iterator[list[tuple[float, float]]]:
    """A fir as polygons around x = 0 that stand on y = 0: tiers that narrow towards the top."""
    tiers, width = rng.randint(4, 6), height * rng.uniform(0.17, 0.23)
    yield [(-height * 0.018, 2), (height * 0.018, 2), (0, -height)]
    for tier in range(tiers):
        low = -height * (0.08 + 0.80 * tier / tiers)
        high = max(-height, min(low - height * 0.34, -height * (tier + 1) / tiers))
        half, tip = width * (1 - 0.82 * tier / tiers) * rng.uniform(0.9, 1.08), low + height * 0.03
        yield [(-half, tip), (-half * 0.35, low), (half * 0.35, low), (half, tip), (0, high)]


@dataclass(frozen=True)
class StripPlan:
    """A strip of land; lengths are shares of the picture's height."""

    line: Line
    top: float
    """Where its highest ridge is, from the picture's top."""
    relief: float
    """From its highest ridge down to its lowest."""
    ridge: Colour
    foot: Colour
    speed: int
    """Pixels a frame in a picture of 720 lines."""
    rim: Colour | None = None
    firs: tuple[float, float, float] | None = None
    """Mean distance between two, smallest and greatest height."""
    shade: Colour | None = None


class Strip:
    """A drawn strip: a band with a mask, and below it the body that hides all behind it."""

    def __init__(self, plan: StripPlan, size: Size, frames: int, rng: random.Random) -> None:
        self._plan, self._height, self._rng = plan, size[1], rng
        self._period, self._speed = 2 * max(size), max(1, round(plan.speed * size[1] / 720))
        self._width = min(self._period, size[0] + frames * self._speed)
        self._top = max(0, round((plan.top - (plan.firs[2] if plan.firs else 0)) * size[1]))
        self._ridge = round(plan.top * size[1]) - self._top
        thick = max(1, size[1] // 150)
        self._mask = mask = self._silhouette(self._ridge + round(plan.relief * size[1]) + 2 + 5 * thick)
        ground = self._ground(size[1] - self._top + 1, mask.height)
        if plan.shade is not None:
            self._shade_slopes(ground, plan.shade)
        if plan.rim is not None:
            lower = ImageChops.offset(mask, 0, thick)
            lower.paste(0, (0, 0, mask.width, thick))
            edge = ImageChops.subtract(mask, lower).filter(ImageFilter.GaussianBlur(thick * 0.6))
            ground.paste(plan.rim, (0, 0), dimmed(edge, 0.55))
        self._band = ground.crop((0, 0, *mask.size))
        self._body = ground.crop((0, mask.height, *ground.size))

    def paste(self, canvas: Image.Image, number: int) -> None:
        """Lay the strip over frame N."""
        shift = number * self._speed % self._period
        for left in (-shift, self._period - shift):
            if left < canvas.width:
                canvas.paste(self._band, (left, self._top), self._mask)
                canvas.paste(self._body, (left, self._top + self._band.height))

    def _y(self, x: float) -> float:
        return self._ridge + self._plan.relief * self._height * (1 - self._plan.line(x / self._period))

    def _silhouette(self, height: int) -> Image.Image:
        """The mask of everything above the body, drawn larger and reduced so that edges are clean."""
        fine = 3 if self._height <= 1100 else 2
        mask = Image.new("L", (self._width * fine, height * fine))
        draw, step = ImageDraw.Draw(mask), max(1, self._height // 360)
        ridge = [(x * fine, self._y(x) * fine) for x in range(0, self._width + 2 * step, step)]
        draw.polygon([(0, mask.height), *ridge, (mask.width + 1, mask.height)], fill=255)
        every, low, high = self._plan.firs or (0.0, 0.0, 0.0)
        x = 0.0 if every else float(self._period)
        while x < self._period:
            y = self._y(x)
            for outline in fir(self._rng, self._height * (low + (high - low) * self._rng.random() ** 1.6)):
                for ring in (0, -self._period):
                    draw.polygon([((x + ring + px) * fine, (y + py) * fine) for px, py in outline], fill=255)
            x += every * self._height * self._rng.uniform(0.25, 1.75)
        return mask.reduce(fine)

    def _ground(self, height: int, band: int) -> Image.Image:
        """The strip's colour from its top down."""
        fade, plan = band + 0.35 * self._height, self._plan

        def colour_at(_: float, down: float) -> Colour:
            return mix(plan.ridge, plan.foot, min(1.0, down * height / fade) ** 0.8)

        return paint((1, height), (1, 48), colour_at).resize((self._width, height))

    def _shade_slopes(self, picture: Image.Image, shade: Colour) -> None:
        """Darken what falls to the right, the deeper the more it has fallen, with a jagged edge."""
        relief = self._plan.relief * self._height
        jag, xs = noise(self._rng, 90), range(0, self._width + self._height // 60, max(1, self._height // 120))
        ridge = [(x, self._y(x)) for x in xs]
        edge: list[tuple[int, float]] = []
        for x, y in ridge:
            fallen = max(0.0, y - min(self._y(x - relief * back / 8) for back in range(1, 6)))
            edge.append((x, y + fallen * (0.3 + 1.5 * jag(x / self._period))))
        mask, fade = Image.new("L", picture.size), Image.new("L", picture.size)
        ImageDraw.Draw(mask).polygon([*ridge, *reversed(edge)], fill=200)
        down = ImageChops.invert(Image.linear_gradient("L")).resize((picture.width, round(0.85 * relief)))
        fade.paste(down, (0, self._ridge))
        soft = mask.filter(ImageFilter.GaussianBlur(self._height / 500))
        picture.paste(shade, (0, 0), ImageChops.multiply(soft, fade))
