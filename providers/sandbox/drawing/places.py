"""Places: what a scene is made of. The words of the prompt choose one; where they say nothing, the seed does."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from .colour import Colour, mix
from .growth import boat, fir, grass, house, round_tree, trunk
from .palette import Palette, choose
from .particles import Drift
from .sky import SkyPlan
from .strips import Growth, StripPlan
from .terrain import dunes, hills, peaks, swell

WORDS: dict[str, str] = {
    "snow": "snow snowy winter ice icy frozen arctic christmas ski frost blizzard penguin glacier 雪 冬 冰",
    "sea": "sea ocean beach wave waves boat ship sail island whale surf coast lake river harbour fish 海 湖 河 船",
    "city": "city street skyline tokyo neon building buildings tower car traffic downtown urban cyberpunk bridge 城 街",
    "forest": "forest woods wood tree trees jungle deer bear wolf owl mushroom fairy 林 森 树",
    "desert": "desert dune dunes sand camel canyon mars cactus sahara savanna lion 沙 漠",
    "space": "space star stars galaxy planet astronaut rocket nebula cosmos orbit spaceship alien universe 星 宇",
    "meadow": "meadow field flower flowers spring garden grass farm horse cow sheep butterfly village picnic 花 草 田",
    "mountains": "mountain mountains peak alps hike climber eagle valley cliff volcano dragon 山 峰",
}
LIGHTS_OF_WORDS: dict[str, tuple[str, ...]] = {
    "night midnight moon moonlight moonlit dark": ("night", "blue hour"),
    "sunset dusk evening": ("ember", "rose", "violet"),
    "sunrise dawn morning": ("dawn", "frost"),
    "golden warm autumn": ("golden", "dust"),
    "neon cyberpunk": ("violet", "blue hour"),
}
LIGHTS_OF_PLACES: dict[str, tuple[str, ...]] = {
    "snow": ("winter", "frost", "blue hour"),
    "sea": ("dawn", "noon", "ember", "violet", "blue hour"),
    "city": ("violet", "blue hour", "ember", "night"),
    "forest": ("sage", "golden", "dawn", "noon"),
    "desert": ("rose", "dust", "ember"),
    "space": ("night", "violet", "blue hour"),
    "meadow": ("golden", "sage", "noon", "dawn"),
    "mountains": ("dawn", "ember", "sage", "violet", "rose", "blue hour", "golden"),
}


_RAIN_WORDS = {"rain", "rainy", "storm", "stormy", "thunder", "downpour"}
_RAIN = Drift(90, (0.7, 1.2), Colour(225, 235, 250), (0.25, 0.5), -1.5, 17.0, stretch=(0.6, 9.0))


@dataclass(frozen=True)
class Place:
    """All that is needed to draw a scene, from back to front."""

    palette: Palette
    sky: SkyPlan
    strips: tuple[StripPlan, ...]
    drifts: tuple[Drift, ...] = ()
    birds: bool = False
    haze: float = 0.0
    """Opacity of a band of mist before the far land."""


def choose_place(title: str, rng: random.Random) -> Place:
    """The place and light for these words, with the seed's own composition."""
    words = set(re.findall(r"[a-z]+|[\u4e00-\u9fff]", title.lower()))
    scores = {name: len(words & set(text.split())) for name, text in WORDS.items()}
    best = max(scores.values())
    names = [name for name, score in scores.items() if score == best]
    name = names[rng.randrange(len(names))]
    lights = LIGHTS_OF_PLACES[name]
    for text, named in LIGHTS_OF_WORDS.items():
        if words & set(text.split()):
            lights = named
    place = _BUILDERS[name](choose(lights, rng), rng)
    return replace(place, drifts=(*place.drifts, _RAIN)) if words & _RAIN_WORDS else place


def _sun(rng: random.Random, low: float, high: float) -> tuple[float, float]:
    return rng.choice((rng.uniform(0.58, 0.8), rng.uniform(0.24, 0.4))), rng.uniform(low, high)


def _layers(palette: Palette, count: int) -> list[tuple[Colour, Colour]]:
    """Ridge and foot colours from the farthest strip to the nearest."""
    colours: list[tuple[Colour, Colour]] = []
    for number in range(count):
        share = number / max(1, count - 1)
        ridge = mix(mix(palette.far, palette.near, share**0.85), palette.ink, 0.45 * share**3)
        colours.append((ridge, mix(ridge, palette.mist, 0.42 * (1 - share) ** 1.2)))
    return colours


def _mountains(palette: Palette, rng: random.Random) -> Place:
    c = _layers(palette, 5)
    return Place(
        palette,
        SkyPlan(palette, 0.62, _sun(rng, 0.26, 0.4), 0.045, stars=_night_stars(palette), clouds=0.5),
        (
            StripPlan(peaks(rng, 5, 0.5), 0.27, 0.28, *c[0], rim=palette.glow, speed=1,
                      shade=mix(c[0][0], palette.near, 0.35)),
            StripPlan(peaks(rng, 7, 0.5), 0.44, 0.18, *c[1], rim=palette.glow, speed=1,
                      shade=mix(c[1][0], palette.near, 0.30)),
            StripPlan(hills(rng, 6, 0.45), 0.57, 0.12, *c[2], speed=2, growth=(Growth(fir, 0.03, (0.015, 0.035)),)),
            StripPlan(hills(rng, 5, 0.4), 0.67, 0.12, *c[3], speed=3, growth=(Growth(fir, 0.045, (0.04, 0.10)),)),
            StripPlan(hills(rng, 4, 0.3), 0.80, 0.09, *c[4], speed=5,
                      growth=(Growth(fir, 0.28, (0.10, 0.26)), Growth(grass, 0.02, (0.008, 0.02)))),
        ),
        (Drift(26, (1.2, 2.6), palette.paper, (0.15, 0.5), -0.5, -0.12, sway=8, twinkle=0.7),),
        birds=True,
        haze=0.5,
    )  # fmt: skip


def _snow(palette: Palette, rng: random.Random) -> Place:
    white = mix(palette.paper, palette.mist, 0.25)
    shade = mix(palette.far, palette.mist, 0.5)
    c = _layers(palette, 5)
    return Place(
        palette,
        SkyPlan(palette, 0.6, _sun(rng, 0.2, 0.3), 0.042, halo=0.9, clouds=0.6),
        (
            StripPlan(peaks(rng, 5, 0.55), 0.23, 0.30, mix(white, c[0][0], 0.22), mix(white, palette.mist, 0.7),
                      rim=palette.paper, speed=1, shade=mix(palette.far, palette.near, 0.15)),
            StripPlan(hills(rng, 6, 0.5), 0.49, 0.10, c[1][0], c[1][1], speed=1,
                      growth=(Growth(fir, 0.022, (0.02, 0.06)),)),
            StripPlan(hills(rng, 4, 0.35), 0.585, 0.09, white, shade, rim=palette.paper, speed=2,
                      growth=()),
            StripPlan(hills(rng, 5, 0.4), 0.66, 0.10, c[3][0], mix(c[3][0], palette.mist, 0.3), speed=3,
                      growth=(Growth(fir, 0.07, (0.07, 0.20)),)),
            StripPlan(hills(rng, 3, 0.3), 0.80, 0.08, c[4][0], palette.ink, rim=palette.mist, speed=5,
                      growth=(Growth(fir, 0.55, (0.16, 0.46)),)),
        ),
        (
            Drift(110, (0.8, 1.7), palette.paper, (0.35, 0.7), -0.9, 1.0, sway=7),
            Drift(44, (1.7, 3.0), palette.paper, (0.5, 0.9), -1.6, 1.9, sway=12),
            Drift(7, (5.0, 9.0), palette.paper, (0.16, 0.3), -3.0, 3.2, sway=20),
        ),
        haze=0.6,
    )  # fmt: skip


def _sea(palette: Palette, rng: random.Random) -> Place:
    sun = (rng.uniform(0.56, 0.76), rng.uniform(0.30, 0.40))
    shore = _layers(palette, 4)[0]
    strips: list[StripPlan] = [
        StripPlan(peaks(rng, 4, 0.45), 0.455, 0.085, *shore, rim=palette.glow, speed=0),
    ]
    for number, speed in enumerate((1, 1, 1, 2, 2, 3, 5)):
        share = number / 6
        far, near = mix(palette.horizon, palette.far, 0.45), mix(palette.near, palette.ink, 0.55)
        ridge = mix(far, near, share**0.75)
        light = mix(ridge, palette.glow, 0.5 - 0.32 * share)
        strips.append(
            StripPlan(swell(rng, round(18 - 11 * share)), 0.538 + 0.36 * share**1.5, 0.004 + 0.028 * share,
                      ridge, mix(ridge, near, 0.5), rim=light, speed=speed,
                      growth=(Growth(boat, 2.4, (0.05, 0.085)),) if number == 2 else ())
        )  # fmt: skip
    glint = Drift(70, (0.9, 1.8), palette.glow, (0.4, 0.95), -0.1, 0.0, twinkle=1.0, stretch=(3.2, 0.7))
    return Place(
        palette,
        SkyPlan(palette, 0.56, sun, 0.05, halo=1.1, clouds=0.55, stars=_night_stars(palette)),
        tuple(strips),
        (
            replace(glint, region=(0.545, 0.66), column=(sun[0], 0.02, 0.045)),
            replace(glint, radius=(1.4, 2.6), count=60, region=(0.60, 0.86), column=(sun[0], 0.04, 0.09)),
            Drift(14, (1.0, 2.0), palette.paper, (0.2, 0.4), -0.5, -0.2, sway=9, twinkle=0.6),
        ),
        birds=True,
    )


def _city(palette: Palette, rng: random.Random) -> Place:
    c = _layers(palette, 4)
    lamp = mix(palette.glow, Colour(255, 190, 90), 0.5)
    flat = hills(rng, 2, 0.1)
    return Place(
        palette,
        SkyPlan(palette, 0.68, _sun(rng, 0.22, 0.36), 0.055, halo=0.9, stars=90, clouds=0.4),
        (
            StripPlan(flat, 0.52, 0.02, *c[0], speed=1, growth=(Growth(house, 0.075, (0.10, 0.30)),)),
            StripPlan(flat, 0.60, 0.02, *c[1], speed=2, growth=(Growth(house, 0.12, (0.10, 0.34)),),
                      lamps=mix(lamp, c[1][0], 0.45)),
            StripPlan(flat, 0.72, 0.02, *c[2], speed=3, growth=(Growth(house, 0.24, (0.12, 0.40)),), lamps=lamp),
            StripPlan(flat, 0.84, 0.015, *c[3], speed=6, rim=palette.mist,
                      growth=(Growth(round_tree, 0.30, (0.06, 0.12)),)),
        ),
        (Drift(26, (1.2, 3.0), palette.glow, (0.15, 0.45), -0.4, -0.5, sway=9, twinkle=0.8),),
        haze=0.45,
    )  # fmt: skip


def _forest(palette: Palette, rng: random.Random) -> Place:
    c = _layers(palette, 5)
    return Place(
        palette,
        SkyPlan(palette, 0.72, _sun(rng, 0.28, 0.42), 0.0, halo=1.35),
        (
            StripPlan(hills(rng, 5, 0.5), 0.42, 0.12, *c[0], speed=1, growth=(Growth(fir, 0.03, (0.06, 0.14)),)),
            StripPlan(hills(rng, 5, 0.5), 0.54, 0.10, *c[1], speed=2, growth=(Growth(fir, 0.06, (0.10, 0.26)),)),
            StripPlan(hills(rng, 5, 0.4), 0.66, 0.08, *c[2], speed=3,
                      growth=(Growth(trunk, 0.34, (1.0, 1.3)), Growth(fir, 0.20, (0.06, 0.16)))),
            StripPlan(hills(rng, 4, 0.4), 0.75, 0.08, *c[3], speed=4,
                      growth=(Growth(trunk, 0.85, (1.6, 2.2)), Growth(grass, 0.03, (0.02, 0.05)))),
            StripPlan(hills(rng, 4, 0.3), 0.85, 0.06, *c[4], speed=6,
                      growth=(Growth(grass, 0.02, (0.02, 0.07)), Growth(trunk, 2.6, (2.8, 3.6)))),
        ),
        (
            Drift(40, (1.0, 2.4), palette.glow, (0.3, 0.8), -0.35, -0.15, sway=14, twinkle=1.0, region=(0.3, 0.9)),
            Drift(20, (2.5, 5.0), palette.glow, (0.08, 0.2), -0.8, -0.1, sway=14, twinkle=0.6),
        ),
        haze=0.7,
    )  # fmt: skip


def _desert(palette: Palette, rng: random.Random) -> Place:
    c = _layers(palette, 5)
    lit = palette.glow
    return Place(
        palette,
        SkyPlan(palette, 0.6, _sun(rng, 0.28, 0.4), 0.085, halo=0.8),
        (
            StripPlan(peaks(rng, 4, 0.4), 0.43, 0.13, *c[0], speed=1),
            StripPlan(dunes(rng, 7), 0.53, 0.10, mix(c[1][0], lit, 0.3), c[1][1], rim=lit, speed=1),
            StripPlan(dunes(rng, 5), 0.60, 0.12, mix(c[2][0], lit, 0.18), c[2][0], rim=lit, speed=2),
            StripPlan(dunes(rng, 4), 0.69, 0.13, mix(c[3][0], lit, 0.08), c[3][0], rim=lit, speed=3),
            StripPlan(hills(rng, 3, 0.2), 0.82, 0.09, c[4][0], palette.ink, rim=mix(lit, c[4][0], 0.4), speed=5),
        ),
        (
            Drift(50, (0.8, 1.8), palette.paper, (0.15, 0.5), -2.2, -0.1, sway=6, twinkle=0.5, region=(0.45, 1.0)),
        ),
        birds=True,
        haze=0.35,
    )  # fmt: skip


def _space(palette: Palette, rng: random.Random) -> Place:
    c = _layers(palette, 3)
    return Place(
        palette,
        SkyPlan(
            palette,
            1.1,
            (rng.uniform(0.6, 0.78), rng.uniform(0.28, 0.38)),
            0.13,
            halo=0.4,
            stars=320,
            nebula=0.8,
            planet=True,
        ),
        (
            StripPlan(
                peaks(rng, 6, 0.45), 0.64, 0.14, *c[0], rim=palette.glow, speed=1, shade=mix(c[0][0], palette.ink, 0.4)
            ),
            StripPlan(hills(rng, 6, 0.4), 0.75, 0.10, *c[1], rim=palette.glow, speed=2),
            StripPlan(hills(rng, 4, 0.3), 0.85, 0.07, *c[2], rim=palette.mist, speed=4),
        ),
        (
            Drift(60, (0.7, 1.4), palette.paper, (0.4, 0.9), -0.35, 0.0, twinkle=0.8, region=(0.0, 0.66)),
            Drift(10, (1.2, 2.2), palette.glow, (0.4, 0.8), -1.0, 0.15, twinkle=0.3, region=(0.0, 0.7)),
        ),
    )


def _meadow(palette: Palette, rng: random.Random) -> Place:
    c = _layers(palette, 5)
    return Place(
        palette,
        SkyPlan(palette, 0.62, _sun(rng, 0.26, 0.38), 0.05, clouds=0.75),
        (
            StripPlan(hills(rng, 5, 0.4), 0.44, 0.12, *c[0], speed=1),
            StripPlan(hills(rng, 4, 0.3), 0.54, 0.11, *c[1], rim=palette.glow, speed=1,
                      growth=(Growth(round_tree, 0.10, (0.02, 0.05)),)),
            StripPlan(hills(rng, 4, 0.3), 0.62, 0.11, *c[2], rim=palette.glow, speed=2,
                      growth=(Growth(round_tree, 0.22, (0.05, 0.11)),)),
            StripPlan(hills(rng, 4, 0.3), 0.71, 0.10, *c[3], speed=3,
                      growth=(Growth(round_tree, 0.8, (0.16, 0.26)), Growth(grass, 0.02, (0.008, 0.02)))),
            StripPlan(hills(rng, 4, 0.3), 0.83, 0.06, *c[4], speed=6, growth=(Growth(grass, 0.014, (0.03, 0.09)),)),
        ),
        (
            Drift(36, (1.2, 2.8), palette.paper, (0.3, 0.75), -0.7, -0.25, sway=16, twinkle=0.5, region=(0.25, 1.0)),
        ),
        birds=True,
        haze=0.35,
    )  # fmt: skip


def _night_stars(palette: Palette) -> int:
    return 140 if sum(palette.zenith) < 160 else 0


_BUILDERS: dict[str, Callable[[Palette, random.Random], Place]] = {
    "snow": _snow,
    "sea": _sea,
    "city": _city,
    "forest": _forest,
    "desert": _desert,
    "space": _space,
    "meadow": _meadow,
    "mountains": _mountains,
}
