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
_Points = list[tuple[float, float]]
_PIECE = 128
_REACH = 4
"""A peak is the highest of so many places to either side."""


def noise(rng: random.Random, count: int) -> Line:
    """Values between random ones at so many even places, joined by smooth curves."""
    values = [rng.random() for _ in range(count)]

    def at(place: float) -> float:
        index, share = divmod(place % 1.0 * count, 1)
        share = share * share * (3 - 2 * share)
        return values[int(index) % count] * (1 - share) + values[(int(index) + 1) % count] * share

    return at


def hills(rng: random.Random, count: int, roughness: float) -> Line:
    """Rounded hills, about `count` of them; `roughness` 0 to 1 adds smaller ones."""
    octaves = [(roughness**n, noise(rng, count * 2**n)) for n in range(5)]
    total = sum(weight for weight, _ in octaves)

    def height(place: float) -> float:
        mean = sum(weight * octave(place) for weight, octave in octaves) / total
        return min(1.0, max(0.0, (mean - 0.5) * 1.6 + 0.5))

    return height


def peaks(rng: random.Random, count: int) -> Line:
    """Sharp mountains, about `count` great ones among smaller ones, with broken slopes."""
    tents: list[tuple[float, float, float]] = []
    for number in range(round(count * 2.5)):
        top = rng.uniform(0.72, 1.0) if number < count else rng.uniform(0.35, 0.7)
        at = (number + rng.uniform(-0.3, 0.3)) / count if number < count else rng.random()
        tents.append((at % 1.0, top, rng.uniform(0.9, 1.35) * count))
    rocks = [(weight, noise(rng, count * factor)) for weight, factor in ((0.5, 7), (0.3, 15), (0.2, 33))]

    def height(place: float) -> float:
        slope = max(top - steep * min(abs(place - at) % 1.0, 1 - abs(place - at) % 1.0) for at, top, steep in tents)
        rough = sum(weight * abs(2 * rock(place) - 1) for weight, rock in rocks)
        return min(1.0, max(0.0, max(0.12, slope) - 0.12 * rough))

    return height


def fir(rng: random.Random, height: float) -> Iterator[_Points]:
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
    """The colour well below the ridge: lighter with mist."""
    speed: int
    """Pixels a frame in a picture of 720 lines."""
    rim: Colour | None = None
    """Light along the ridge."""
    firs: tuple[float, float, float] | None = None
    """Mean distance between two, smallest and greatest height."""
    shade: Colour | None = None
    """On the faces of mountains that turn away from the light."""


class Strip:
    """A drawn strip, cut into columns so that a frame costs what is seen of it and not what is empty."""

    def __init__(self, plan: StripPlan, covered: float, size: Size, rng: random.Random, *, still: bool) -> None:
        """`covered`: from where on the next strip hides it, in shares of the height."""
        self._plan, self._height, self._rng = plan, size[1], rng
        self._period = 2 * max(size)
        self._visible = size[0] if still else self._period
        self._speed = max(1, round(plan.speed * size[1] / 720))
        above = round(plan.firs[2] * size[1]) if plan.firs else 0
        top = max(0, round(plan.top * size[1]) - above)
        self._ridge = round(plan.top * size[1]) - top
        self._thick = max(1, size[1] // 150)
        band = self._ridge + round(plan.relief * size[1]) + 2 + 5 * self._thick
        mask = self._silhouette(band)
        picture = self._ground((self._visible, max(band + 1, round(covered * size[1]) - top)), band)
        if plan.shade is not None:
            self._shade_faces(picture, plan.shade)
        if plan.rim is not None:
            self._light(picture, mask, plan.rim)
        self._pieces = list(_pieces(picture, mask, top))

    def paste(self, canvas: Image.Image, number: int) -> None:
        """Lay the strip over frame N."""
        shift = number * self._speed % self._period
        for left, top, picture, mask in self._pieces:
            at = left - shift + (self._period if left - shift + picture.width <= 0 else 0)
            if at < canvas.width:
                canvas.paste(picture, (at, top), mask)

    def _y(self, x: float) -> float:
        return self._ridge + self._plan.relief * self._height * (1 - self._plan.line(x / self._period))

    def _silhouette(self, band: int) -> Image.Image:
        """The mask of everything above the body, drawn larger and reduced so that edges are clean."""
        fine = 3 if self._height <= 1100 else 2
        mask = Image.new("L", (self._visible * fine, band * fine))
        draw, step = ImageDraw.Draw(mask), max(1, self._height // 360)
        ridge = [(x * fine, self._y(x) * fine) for x in range(0, self._visible + 2 * step, step)]
        draw.polygon([(0, mask.height), *ridge, (mask.width + 1, mask.height)], fill=255)
        for x, tall in self._places():
            for outline in fir(self._rng, tall):
                for ring in (0, -self._period):
                    points = [((x + ring + px) * fine, (self._y(x) + py) * fine) for px, py in outline]
                    if any(0 <= px <= mask.width for px, _ in points):
                        draw.polygon(points, fill=255)
        return mask.reduce(fine)

    def _places(self) -> Iterator[tuple[float, float]]:
        x = 0.0
        while self._plan.firs is not None and x < self._period:
            every, low, high = self._plan.firs
            yield x, self._height * (low + (high - low) * self._rng.random() ** 1.6)
            x += every * self._height * self._rng.uniform(0.25, 1.75)

    def _ground(self, size: Size, band: int) -> Image.Image:
        """The strip's colour from its top down; it is the same all along, so that one tile of it is painted."""
        fade, plan = band + 0.35 * self._height, self._plan

        def colour_at(_: float, down: float) -> Colour:
            return mix(plan.ridge, plan.foot, min(1.0, down * size[1] / fade) ** 0.8)

        tile = paint((min(size[0], 512), size[1]), (1, 48), colour_at, self._rng)
        ground = Image.new("RGB", size)
        for left in range(0, size[0], tile.width):
            ground.paste(tile, (left, 0))
        return ground

    def _shade_faces(self, picture: Image.Image, shade: Colour) -> None:
        """Darken each mountain from its peak down its right side, down to a jagged edge within it."""
        relief, step = self._plan.relief * self._height, self._height / 60
        points = [(n * step, self._y(n * step)) for n in range(round(self._period / step))]
        mask = Image.new("L", (picture.width, picture.height))
        for n in range(_REACH, len(points) - _REACH):
            if points[n][1] == min(y for _, y in points[n - _REACH : n + _REACH + 1]):
                foot = n
                while foot + 1 < len(points) and points[foot + 1][1] > points[foot][1] - relief * 0.02:
                    foot += 1
                if foot - n >= _REACH:
                    face = _face(points[n : foot + 1], self._rng, relief)
                    ImageDraw.Draw(mask).polygon(face, fill=255)
        soft = mask.filter(ImageFilter.GaussianBlur(self._height / 500))
        fade = ImageChops.invert(Image.linear_gradient("L").resize((picture.width, max(1, round(relief)))))
        strength = Image.new("L", mask.size)
        strength.paste(ImageChops.multiply(fade, fade), (0, self._ridge))
        picture.paste(shade.rounded(), (0, 0), ImageChops.multiply(soft, strength))

    def _light(self, picture: Image.Image, mask: Image.Image, rim: Colour) -> None:
        thick = self._thick
        lower = ImageChops.offset(mask, 0, thick)
        lower.paste(0, (0, 0, mask.width, thick))
        edge = ImageChops.subtract(mask, lower).filter(ImageFilter.GaussianBlur(thick * 0.6))
        picture.paste(rim.rounded(), (0, 0), dimmed(edge, 0.55))


def _face(slope: _Points, rng: random.Random, relief: float) -> _Points:
    """The shaded side of one mountain: its ridge from the peak down, and back up along a broken arete."""
    (peak_x, peak_y), (foot_x, foot_y) = slope[0], slope[-1]
    drop = max(foot_y - peak_y, relief * 0.25) * 1.25
    arete: _Points = []
    for n in range(1, 9):
        jag = rng.uniform(-0.07, 0.07) + (0.10 if n % 2 else -0.08)
        across = 0.28 * n / 9 + jag * min(1.0, 2 * n / 9)
        arete.append((peak_x + across * (foot_x - peak_x), peak_y + n / 9 * drop))
    return [*slope, (foot_x, foot_y + 0.1 * drop), *reversed(arete)]


def _pieces(
    picture: Image.Image, mask: Image.Image, top: int
) -> Iterator[tuple[int, int, Image.Image, Image.Image | None]]:
    for left in range(0, picture.width, _PIECE):
        right = min(left + _PIECE, picture.width)
        column = mask.crop((left, 0, right, mask.height))
        seen, gaps = column.getbbox(), ImageChops.invert(column).getbbox()
        first, solid = seen[1] if seen else mask.height, gaps[3] if gaps else 0
        if first < solid:
            box = (left, first, right, solid)
            yield left, top + first, picture.crop(box), mask.crop(box)
        yield left, top + solid, picture.crop((left, solid, right, picture.height)), None
