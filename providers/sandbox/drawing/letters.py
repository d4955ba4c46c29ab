"""Lettering: the title and a small line below it.

EB Garamond SemiBold (SIL Open Font License, fonts/OFL.txt), cut down to Latin, Greek and Cyrillic.
"""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import re
import textwrap
import unicodedata
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from ..spec import RenderSpec
from .paint import Palette, Sheet, dimmed

_FACE = Path(__file__).with_name("fonts") / "EBGaramond-SemiBold.ttf"
_LEADING = 1.14
_UNIT_MIN, _SMALL_MIN = 0.25, 9
"""Less would be a smear: no title below this share of 720p, no small print below so many pixels."""
_UNSET = re.compile("[^\u0020-\u024f\u0370-\u04ff\u1e00-\u1fff\u2010-\u2026]")


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FACE), size)


def settable(text: str) -> str:
    """The text without what the face lacks; what has a plain form is set in it."""
    return " ".join(_UNSET.sub("", unicodedata.normalize("NFKC", " ".join(text.split()))).split())


def set_text(text: str, width: float, height: float, sizes: range) -> tuple[list[str], int]:
    """Lines and their size: as large as fits the box; what fits at no size is cut with an ellipsis."""
    rows, columns = 1, 1
    for size in sizes:
        font, rows = _font(size), max(1, int(height / (size * _LEADING)))
        columns = max(1, int(width * len(text) / max(1.0, font.getlength(text))))
        lines = textwrap.wrap(text, columns)
        if len(lines) <= rows and all(font.getlength(line) <= width for line in lines):
            return lines, size
    return textwrap.wrap(text, columns, max_lines=rows, placeholder="…"), sizes[-1]


def letters(spec: RenderSpec, small_print: list[str], palette: Palette) -> list[Sheet]:
    """All letters of a scene, and the soft shadow below them."""
    unit = (spec.width * spec.height / (1280 * 720)) ** 0.5
    if unit < _UNIT_MIN or not spec.title:
        return []
    margin, small = round(min(54 * unit, 0.09 * min(spec.width, spec.height))), round(15 * unit)
    text = settable(spec.title) or "No font for this title"
    sizes = range(round((66 if len(text) <= 40 else 48) * unit), max(6, round(20 * unit) - 1), -max(1, round(2 * unit)))
    width = min(spec.width - 2 * margin, 1000 * unit)
    lines, size = set_text(text[:1].upper() + text[1:], width, 0.25 * spec.height, sizes)
    below = round(1.3 * small) if spec.marked and small >= _SMALL_MIN else 0
    mask = Image.new("L", (spec.width, spec.height))
    draw = ImageDraw.Draw(mask)
    base = spec.height - margin - below
    for number, line in enumerate(reversed(lines)):
        draw.text((margin, base - (0.22 + number * _LEADING) * size), line, 255, _font(size), "ls")
    if below:
        draw.text((margin, spec.height - margin), settable(" · ".join(small_print)).upper(), 255, _font(small), "ls")
    shadow = dimmed(mask.filter(ImageFilter.GaussianBlur(round(14 * unit) + 2)), 1.5, most=150)
    box = shadow.getbbox() or (0, 0, 1, 1)
    shade = ImageChops.subtract(shadow, mask).crop(box)
    return [Sheet(palette.ink, box[:2], shade), Sheet(palette.paper, box[:2], mask.crop(box))]
