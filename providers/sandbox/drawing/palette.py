"""Palettes: a few tuned lights. The words of a prompt choose one; where they say nothing, the seed does."""

import random
import re
from dataclasses import dataclass

from .paint import Colour


@dataclass(frozen=True)
class Palette:
    """The colours of one light."""

    zenith: Colour
    """The sky at its top."""
    horizon: Colour
    """The sky just above the land."""
    glow: Colour
    """Sun or moon."""
    mist: Colour
    """What distance fades into."""
    far: Colour
    near: Colour
    ink: Colour
    """The darkest: the foreground, and the shade behind letters."""
    paper: Colour
    """The lightest: snow and letters."""
    stars: int = 0


def _palette(text: str, stars: int = 0) -> Palette:
    zenith, horizon, glow, mist, far, near, ink, paper = (Colour(*bytes.fromhex(code)) for code in text.split())
    return Palette(zenith, horizon, glow, mist, far, near, ink, paper, stars)


DAWN = _palette("2f4f86 f3c9bd ffe9d6 dcc8d2 8c9cc4 28375f 0f1a33 fdf7f4")
DAY = _palette("5783b8 e9eff3 fff3dc dfe8f0 a3b9d3 2f4767 122036 fbfdff")
DUSK = _palette("2b1f66 e59acb ffdff0 c193cf 6c4fa0 21154a 0f0926 fff2fb")
BLUE_HOUR = _palette("0d1d47 7d9fd0 f8e7c4 7e9bc8 3c578d 101e41 080f24 f1f6ff")
NIGHT = _palette("050a20 27497a eaf0ff 2f507f 1c3560 0a1530 040816 eef3ff", stars=140)
_OF_WORDS = {
    "night midnight moon moonlight moonlit dark star stars": NIGHT,
    "sunset dusk evening": DUSK,
    "sunrise dawn morning": DAWN,
    "day noon sunny bright": DAY,
}


def choose_palette(title: str, rng: random.Random) -> Palette:
    """The light that the words name, or one of the seed's choice."""
    chosen = rng.choice((BLUE_HOUR, DAY, DAWN))
    words = set(re.findall(r"[a-z]+", title.lower()))
    return next((light for names, light in _OF_WORDS.items() if words & set(names.split())), chosen)
