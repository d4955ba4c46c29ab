"""Input pictures in a scene: one as the whole ground, slowly approached, others as prints laid over it."""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import random

from PIL import Image, ImageDraw, ImageFilter, ImageOps, ImageStat

from .colour import Colour, mix
from .paint import Size, dimmed
from .palette import LIGHTS, Palette

APPROACH = 1.14
"""How much larger the ground has become at the end."""
DISSOLVE = (0.5, 0.92)
"""Where in the time a last frame fades in."""


class Ground:
    """A picture that fills the frame. Its first frame is the picture as given; then it is approached."""

    def __init__(
        self, picture: Image.Image, last: Image.Image | None, size: Size, frames: int, rng: random.Random
    ) -> None:
        self._size = size
        self._frames = max(1, frames - 1)
        larger = (round(size[0] * APPROACH), round(size[1] * APPROACH))
        self._picture = ImageOps.fit(picture, larger if frames > 1 else size, Image.Resampling.LANCZOS)
        self._last = ImageOps.fit(last, size, Image.Resampling.LANCZOS) if last is not None else None
        self._towards = rng.uniform(0.3, 0.7), rng.uniform(0.25, 0.6)

    def frame(self, number: int) -> Image.Image:
        """The ground of frame N."""
        share = min(1.0, number / self._frames)
        picture = self._approached(share)
        begin, end = DISSOLVE
        shown = min(1.0, max(0.0, (share - begin) / (end - begin)))
        if self._last is None or not shown:
            return picture
        return Image.blend(picture, self._last, shown * shown * (3 - 2 * shown))

    def _approached(self, share: float) -> Image.Image:
        width, height = self._picture.size
        if (width, height) == self._size:
            return self._picture.copy()
        eased = share * (1.6 - 0.6 * share)
        scale = 1 - (1 - 1 / APPROACH) * eased
        left = (width - width * scale) * self._towards[0]
        top = (height - height * scale) * self._towards[1]
        box = (left, top, left + width * scale, top + height * scale)
        return self._picture.resize(self._size, Image.Resampling.BILINEAR, box=box)


class Prints:
    """Small framed pictures in the upper part of the frame, each a little askew."""

    def __init__(self, pictures: tuple[Image.Image, ...], size: Size, top: int, rng: random.Random) -> None:
        self._laid: list[tuple[Image.Image, Image.Image, tuple[int, int]]] = []
        width, height = size
        margin = round(0.05 * min(size))
        room = (width - 2 * margin) / max(1, len(pictures))
        side = max(12, round(min(0.9 * room, 0.30 * min(width, height) + 0.04 * max(width, height))))
        for number, picture in enumerate(pictures):
            card, mask = _print(picture, side, rng.uniform(-4, 4))
            left = round(width - margin - (len(pictures) - number) * min(room, side * 1.12))
            self._laid.append((card, mask, (left, top + round(rng.uniform(0.1, 0.3) * side))))

    def paste(self, canvas: Image.Image, number: int) -> None:  # noqa: ARG002
        """Lay the prints over any frame."""
        for card, mask, place in self._laid:
            canvas.paste(card, place, mask)


def _print(picture: Image.Image, side: int, angle: float) -> tuple[Image.Image, Image.Image]:
    """A print with a white edge and a shadow, and the mask to lay it with."""
    edge, spread = max(1, side // 28), max(1, side // 22)
    shown = ImageOps.contain(picture, (side - 2 * edge, side - 2 * edge), Image.Resampling.LANCZOS)
    card = ImageOps.expand(shown, edge, (250, 248, 244))
    sheet = Image.new("RGB", (card.width + 6 * spread, card.height + 6 * spread), (6, 8, 14))
    solid = Image.new("L", sheet.size)
    solid.paste(255, (3 * spread, 3 * spread, 3 * spread + card.width, 3 * spread + card.height))
    sheet.paste(card, (3 * spread, 3 * spread))
    sheet, solid = (part.rotate(angle, Image.Resampling.BICUBIC) for part in (sheet, solid))
    shadow = dimmed(solid.filter(ImageFilter.GaussianBlur(spread)), 0.6)
    shadow.paste(solid, (0, 0), solid)
    return sheet, shadow


class Shade:
    """Darkness that falls in from the top, so that letters over any picture can be read."""

    def __init__(self, size: Size, palette: Palette) -> None:
        self._colour = palette.ink.rounded()
        deep = round(size[1] * 0.55)
        column = Image.new("L", (1, deep))
        ImageDraw.Draw(column).rectangle((0, 0, 0, deep), fill=0)
        for y in range(deep):
            column.putpixel((0, y), round(205 * (1 - y / deep) ** 1.6))
        self._mask = column.resize((size[0], deep))

    def paste(self, canvas: Image.Image, number: int) -> None:  # noqa: ARG002
        """Lay the darkness over any frame."""
        canvas.paste(self._colour, (0, 0), self._mask)


def palette_of(picture: Image.Image) -> Palette:
    """A palette for letters and dust over this picture: its own mean colour, very dark and very light."""
    mean = Colour(*ImageStat.Stat(picture.resize((32, 32)).convert("RGB")).mean)
    base = LIGHTS["night"]
    ink, paper = mix(mean, Colour(4, 5, 9), 0.86), mix(mean, Colour(255, 253, 248), 0.93)
    return Palette(*(ink if name == "ink" else paper if name in ("paper", "glow") else getattr(base, name)
                     for name in Palette.__dataclass_fields__))  # fmt: skip
