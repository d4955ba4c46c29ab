"""A landscape in motion: a still sky, and before it the layers that drift and slide."""

import random

from PIL import Image

from .colour import mix
from .paint import Grain, Size
from .particles import Birds, Layer, Motes
from .places import Place, choose_place
from .sky import Clouds, paint_sky
from .strips import draw_strips


class Landscape:
    """The place that the words name or the seed chooses, without letters. A `still` has only its frame 0."""

    def __init__(self, title: str, size: Size, rng: random.Random, *, still: bool) -> None:
        place = choose_place(title, rng)
        grain = Grain(rng)
        self.palette = place.palette
        self._sky = paint_sky(place.sky, size, rng, grain)
        self._layers = _layers(place, size, rng, grain, still=still)

    def frame(self, number: int) -> Image.Image:
        """Frame N, as a picture of its own."""
        canvas = self._sky.copy()
        for layer in self._layers:
            layer.paste(canvas, number)
        return canvas


def _layers(place: Place, size: Size, rng: random.Random, grain: Grain, *, still: bool) -> list[Layer]:
    """From back to front."""
    layers: list[Layer] = []
    if place.sky.clouds:
        lit = mix(place.palette.horizon, place.palette.paper, 0.35)
        layers.append(Clouds(lit, size, 0.08, 0.46, place.sky.clouds, rng, still=still))
    if place.birds:
        layers.append(Birds(size, place.palette.near, rng))
    for number, strip in enumerate(draw_strips(place.strips, size, rng, grain, still=still)):
        layers.append(strip)
        if place.haze and number == 1:
            mist = Clouds(place.palette.mist, size, 0.46, 0.70, place.haze, rng, pixels_per_frame=1.2, still=still)
            layers.append(mist)
    layers.extend(Motes(drift, size, rng) for drift in place.drifts)
    return layers
