"""The scene: what frame N shows, which is a ground with prints and letters over it."""

import random
from typing import Protocol

from PIL import Image, ImageOps

from ..spec import RenderSpec
from .inputs import Pictures
from .landscape import Landscape
from .lettering import Lettering, Measures
from .palette import Palette
from .particles import Drift, Layer, Motes
from .pictures import Ground, Prints, Shade, palette_of


class _Moving(Protocol):
    def frame(self, number: int) -> Image.Image: ...


class Scene:
    """One output's pictures: a landscape of the seed's choice, or an input picture that is slowly approached."""

    def __init__(self, spec: RenderSpec, seed: int, pictures: Pictures) -> None:
        rng = random.Random(f"scene {seed}")  # noqa: S311
        size = (spec.width, spec.height)
        given = pictures.of("image", "input_image")
        full = given[0] if given else None
        self._layers: list[Layer] = []
        self._ground, palette = _landscape(spec, rng) if full is None else _approached(spec, full, pictures, rng)
        if full is not None:
            dust = Drift(30, (1.0, 2.4), palette.paper, (0.12, 0.4), -0.4, -0.3, sway=12, twinkle=0.7)
            self._layers += [Shade(size, palette), Motes(dust, size, rng)]
        shown = (*given[1:], *pictures.of("reference_image", "reference_video"))
        if shown:
            top = round(0.38 * spec.height) if full is not None else Measures(*size).margin
            self._layers.append(Prints(shown, size, top, rng))
        self._layers.append(Lettering(spec, seed, pictures.captions, palette, at_top=full is not None))

    def frame(self, number: int) -> Image.Image:
        """Frame N, 24 a second."""
        canvas = self._ground.frame(number)
        for layer in self._layers:
            layer.paste(canvas, number)
        return canvas


def _landscape(spec: RenderSpec, rng: random.Random) -> tuple[_Moving, Palette]:
    landscape = Landscape(spec.title, (spec.width, spec.height), rng, still=spec.kind == "image")
    return landscape, landscape.palette


def _approached(
    spec: RenderSpec, picture: Image.Image, pictures: Pictures, rng: random.Random
) -> tuple[_Moving, Palette]:
    size = (spec.width, spec.height)
    palette = palette_of(picture)
    for mask in pictures.of("mask"):
        picture = ImageOps.fit(picture, size)
        redrawn = Landscape(spec.title, size, rng, still=True).frame(0)
        picture.paste(redrawn, (0, 0), ImageOps.fit(mask, size))
    last = next(iter(pictures.of("last_frame")), None)
    return Ground(picture, last, size, spec.frames if spec.kind == "video" else 1, rng), palette
