"""Palettes: a dozen tuned lights, each turned a little in hue by the seed so that no two scenes look quite the same."""

import random
from dataclasses import dataclass, fields

from .colour import Colour, parse, turn

HUE_TURN = 9.0
"""At most so many degrees: more would spoil a tuned harmony."""


@dataclass(frozen=True)
class Palette:
    """The colours of one light."""

    zenith: Colour
    """The sky at its top."""
    horizon: Colour
    """The sky just above the land."""
    glow: Colour
    """Sun or moon, and what they light."""
    mist: Colour
    """What distance fades into."""
    far: Colour
    near: Colour
    ink: Colour
    """The darkest: the foreground, and the shade behind letters."""
    paper: Colour
    """The lightest: letters."""


def _palette(text: str) -> Palette:
    return Palette(*(parse(f"#{code}") for code in text.split()))


LIGHTS: dict[str, Palette] = {
    "dawn": _palette("34497c f9bf9c ffe6bd eab9a4 8a7a9e 2b2a50 12132a fff6e9"),
    "ember": _palette("3a1f52 ff8f5e ffd591 ee8b66 93425e 2d1233 150818 fff1e2"),
    "golden": _palette("6f8aa8 f9dda0 fff2c9 f2d29b b98a5e 3f2a22 1d110d fff7e6"),
    "winter": _palette("5783b8 e9eff3 fff3dc dfe8f0 a3b9d3 2f4767 122036 fbfdff"),
    "frost": _palette("2f4f86 f3c9bd ffe9d6 dcc8d2 8c9cc4 28375f 0f1a33 fdf7f4"),
    "noon": _palette("2b84ad d6efe6 fffbe2 c3e3dc 6caab0 134656 08242e f7fffb"),
    "sage": _palette("4c857f f3ebca fffbe0 d8e0c2 85a88c 21443b 0d221d fbfbee"),
    "violet": _palette("2b1f66 e59acb ffdff0 c193cf 6c4fa0 21154a 0f0926 fff2fb"),
    "blue hour": _palette("0d1d47 7d9fd0 f8e7c4 7e9bc8 3c578d 101e41 080f24 f1f6ff"),
    "night": _palette("050a20 27497a eaf0ff 2f507f 1c3560 0a1530 040816 eef3ff"),
    "rose": _palette("7a6aa0 ffd2b3 fff0d2 f3b48f c8705a 5a2733 260e17 fff3ea"),
    "dust": _palette("b5794f ffdfae fff4d6 f0b27e bf6a47 5b2a25 27100f fff4e6"),
}


def choose(names: tuple[str, ...], rng: random.Random) -> Palette:
    """One of these lights, its hues turned a little."""
    light = LIGHTS[names[rng.randrange(len(names))]]
    degrees = rng.uniform(-HUE_TURN, HUE_TURN)
    return Palette(*(turn(getattr(light, field.name), degrees) for field in fields(light)))
