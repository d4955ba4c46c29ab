"""Lettering: the title and a small line below it, as one mask made once.

EB Garamond SemiBold (SIL Open Font License, fonts/OFL.txt), cut down to Latin, Greek and Cyrillic.
"""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import unicodedata
from functools import cache
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from ..spec import RenderSpec
from .paint import dimmed
from .palette import Palette

_FACE = Path(__file__).with_name("fonts") / "EBGaramond-SemiBold.ttf"
_LEADING = 1.14
_SMALL_MIN = 9
"""Below this size, in pixels, small print would be a smear and is left out."""
_ABSENT = "\U0010fffe"


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FACE), size)


@cache
def _picture(character: str) -> bytes:
    picture = Image.new("L", (48, 48))
    ImageDraw.Draw(picture).text((8, 32), character, 255, _font(24), "ls")
    return picture.tobytes()


def _has(character: str) -> bool:
    return character.isspace() or _picture(character) != _picture(_ABSENT)


def settable(text: str) -> str:
    """The text without what the face lacks; a decorated letter that is missing becomes a plain one."""
    spaced = " ".join(text.split())
    kept = (c if _has(c) else unicodedata.normalize("NFKD", c) for c in unicodedata.normalize("NFC", spaced))
    shown = (c for part in kept for c in part if _has(c) and unicodedata.category(c) not in ("Cc", "Cf"))
    return " ".join("".join(shown).split())


def set_text(text: str, width: float, height: float, sizes: range) -> tuple[list[str], int]:
    """Lines and their size: as large as fits the box; what fits at no size is cut with an ellipsis."""
    lines: list[str] = []
    for size in sizes:
        lines = _wrapped(text, width, size)
        if len(lines) * size * _LEADING <= height:
            return lines, size
    fitting = lines[: max(1, int(height / (sizes[-1] * _LEADING)))]
    return [*fitting[:-1], fitting[-1][: max(0, len(fitting[-1]) - 2)].rstrip() + "…"], sizes[-1]


def _wrapped(text: str, width: float, size: int) -> list[str]:
    lines: list[str] = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if _font(size).getlength(joined) <= width:
            lines[-1] = joined
            continue
        lines += [""] if lines[-1] else []
        for letter in word:
            lines += [""] if lines[-1] and _font(size).getlength(lines[-1] + letter) > width else []
            lines[-1] += letter
    return lines


class Letters:
    """All letters of a scene over a soft shadow, to be laid over each frame."""

    def __init__(self, spec: RenderSpec, small_print: list[str], palette: Palette) -> None:
        unit = (spec.width * spec.height / (1280 * 720)) ** 0.5
        margin, small = max(3, round(min(54 * unit, 0.09 * min(spec.width, spec.height)))), round(15 * unit)
        width = min(spec.width - 2 * margin, 1000 * unit)
        text = settable(spec.title)
        calm = 66 if len(text) <= 40 else 54 if len(text) <= 80 else 40
        sizes = range(max(9, round(calm * unit)), max(6, round(20 * unit) - 1), -max(1, round(2 * unit)))
        lines, size = set_text(text[:1].upper() + text[1:], width, 0.25 * spec.height, sizes)
        below = round(1.3 * small) if spec.marked and small >= _SMALL_MIN else 0
        letters = Image.new("L", (spec.width, spec.height))
        draw = ImageDraw.Draw(letters)
        base = spec.height - margin - below
        for number, line in enumerate(reversed(lines)):
            draw.text((margin, base - (0.22 + number * _LEADING) * size), line, 255, _font(size), "ls")
        if below:
            unset = ["no font for the title's script"] if spec.title and not text else []
            shown = settable(" · ".join([*unset, *small_print])).upper()
            draw.text((margin, spec.height - margin), shown, 255, _font(small), "ls")
        shadow = dimmed(letters.filter(ImageFilter.GaussianBlur(round(14 * unit) + 2)), 1.5, most=150)
        box = shadow.getbbox() or (0, 0, 1, 1)
        self._place, self._ink, self._paper = box[:2], palette.ink.rounded(), palette.paper.rounded()
        self._letters, self._shadow = letters.crop(box), ImageChops.subtract(shadow, letters).crop(box)

    def paste(self, canvas: Image.Image, number: int) -> None:  # noqa: ARG002
        """Lay the letters over any frame."""
        canvas.paste(self._ink, self._place, self._shadow)
        canvas.paste(self._paper, self._place, self._letters)
