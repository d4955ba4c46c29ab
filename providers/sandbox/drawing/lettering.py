"""Lettering: title, small print and the running timecode, each a mask made once."""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import math
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageMath

from ..spec import FRAMES_PER_SECOND, RenderSpec
from .paint import dimmed
from .palette import Palette
from .setting import LEADING, Setting, set_text
from .typeface import draw_line, draw_spaced, measure, measure_spaced, settable

SMALL_PRINT_MIN = 9
"""Below this size, in pixels, small print would be a smear and is left out."""

_CALM = ((40, 1.0), (80, 0.82), (140, 0.66), (math.inf, 0.54))
"""A longer text is set smaller, so that it does not shout over the picture."""


@dataclass(frozen=True)
class Measures:
    """Where lettering goes in a picture of one size; all in pixels."""

    width: int
    height: int

    @property
    def unit(self) -> float:
        """1 in a picture of 1280 by 720."""
        return math.sqrt(self.width * self.height / (1280 * 720))

    @property
    def margin(self) -> int:
        """Free space at each side."""
        return max(3, round(min(54 * self.unit, 0.09 * min(self.width, self.height))))

    @property
    def title_box(self) -> tuple[float, float]:
        """Greatest width and height of the title."""
        wide = self.width - 2 * self.margin
        return min(wide, 1000 * self.unit), self.height * (0.25 if self.width >= self.height else 0.2)

    @property
    def title_sizes(self) -> tuple[int, int]:
        """Smallest and largest size of its letters."""
        return max(7, round(20 * self.unit)), max(9, round(66 * self.unit))

    @property
    def small_size(self) -> int:
        """Of the small print."""
        return round(15 * self.unit)


class Lettering:
    """All letters of a scene, to be laid over each frame."""

    def __init__(
        self, spec: RenderSpec, seed: int, captions: tuple[str, ...], palette: Palette, *, at_top: bool
    ) -> None:
        self._colour = palette.paper.rounded()
        measures = Measures(spec.width, spec.height)
        title = set_title(spec.title, measures)
        letters = Image.new("L", (spec.width, spec.height))
        draw = ImageDraw.Draw(letters)
        small = spec.marked and measures.small_size >= SMALL_PRINT_MIN
        below = round(measures.small_size * 1.3) if small else 0
        top = measures.margin if at_top else spec.height - measures.margin - below - title.height
        _draw_title(draw, title, measures, top)
        if small:
            _draw_small_print(draw, small_print(spec, seed, captions), measures, top + title.height + below)
        box = letters.getbbox() or (0, 0, 1, 1)
        spread = round(14 * measures.unit) + 2
        area = (max(0, box[0] - 3 * spread), max(0, box[1] - 3 * spread),
                min(spec.width, box[2] + 3 * spread), min(spec.height, box[3] + 3 * spread))  # fmt: skip
        self._place = area[:2]
        self._picture, self._mask = _shadowed(letters.crop(area), spread, palette)
        self._timecode = _Timecode(measures) if spec.kind == "video" and spec.marked else None

    def paste(self, canvas: Image.Image, number: int) -> None:
        """Lay the letters over frame N."""
        canvas.paste(self._picture, self._place, self._mask)
        if self._timecode is not None:
            self._timecode.paste(canvas, number, self._colour)


def _shadowed(letters: Image.Image, spread: int, palette: Palette) -> tuple[Image.Image, Image.Image]:
    """The letters over a soft shadow, as one picture and the mask to lay it with."""
    shadow = dimmed(letters.filter(ImageFilter.GaussianBlur(spread)), 1.5, most=150)
    mask = ImageChops.screen(letters, shadow)
    share: Image.Image = ImageMath.lambda_eval(
        lambda args: args["convert"](args["letters"] * 255 / args["max"](args["mask"], 1), "L"),
        letters=letters,
        mask=mask,
    )
    picture = Image.new("RGB", letters.size, palette.ink.rounded())
    picture.paste(palette.paper.rounded(), (0, 0), share)
    return picture, mask


def _draw_title(draw: ImageDraw.ImageDraw, title: Setting, measures: Measures, top: float) -> None:
    for number, line in enumerate(title.lines):
        base = top + title.size * (0.92 + number * LEADING)
        draw_line(draw, (measures.margin, base), line, title.size)


def _draw_small_print(draw: ImageDraw.ImageDraw, parts: list[str], measures: Measures, base: float) -> None:
    size = measures.small_size
    text = settable(" · ".join(parts)).upper()
    room = measures.width - 2 * measures.margin
    for line in set_text(text, room, size * LEADING, (size, size), measure_spaced).lines[:1]:
        draw_spaced(draw, (measures.margin, base), line, size)


def small_print(spec: RenderSpec, seed: int, captions: tuple[str, ...]) -> list[str]:
    """The parts of the lowest line."""
    unset = ["no font for the title's script"] if spec.title and not settable(spec.title) else []
    parts = ["rushes sandbox", *unset, f"seed {seed}", f"{spec.width} × {spec.height}"]  # noqa: RUF001
    if spec.negative_prompt:
        parts.append(f"without {spec.negative_prompt}")
    return [*parts, *captions]


def set_title(title: str, measures: Measures) -> Setting:
    """The title as it will stand."""
    text = settable(title)
    text = text[:1].upper() + text[1:]
    smallest, largest = measures.title_sizes
    calm = next(share for length, share in _CALM if len(text) <= length)
    return set_text(text, *measures.title_box, (smallest, max(smallest, round(largest * calm))), measure)


class _Timecode:
    """Hours to frames in the upper right corner; each digit is a mask of the same width, so that nothing jitters."""

    def __init__(self, measures: Measures) -> None:
        size = measures.small_size
        self._shown = size >= SMALL_PRINT_MIN
        cell = math.ceil(max(measure(digit, size) for digit in "0123456789"))
        narrow = math.ceil(measure(":", size)) + 1
        self._glyphs = {glyph: _glyph(glyph, size, narrow if glyph == ":" else cell) for glyph in "0123456789:"}
        self._right = measures.width - measures.margin
        self._top = measures.margin - size // 4

    def paste(self, canvas: Image.Image, number: int, colour: tuple[int, int, int]) -> None:
        x = self._right
        for glyph in reversed(timecode(number)) if self._shown else ():
            mask = self._glyphs[glyph]
            x -= mask.width
            canvas.paste(colour, (x, self._top), mask)


def timecode(number: int) -> str:
    """`00:00:05:12`: hours, minutes, seconds and frames of frame N."""
    seconds, frames = divmod(number, FRAMES_PER_SECOND)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frames:02}"


def _glyph(glyph: str, size: int, width: int) -> Image.Image:
    mask = Image.new("L", (width, round(size * 1.3)))
    draw_line(ImageDraw.Draw(mask), ((width - measure(glyph, size)) / 2, size), glyph, size)
    return mask
