"""The scene: what frame N shows."""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import math
import random

from PIL import Image, ImageDraw

from ..spec import RenderSpec
from .colour import mix, parse, turn
from .inputs import Pictures
from .lettering import Lettering


class Scene:
    """Everything that does not move is drawn once; a frame is put together from it."""

    def __init__(self, spec: RenderSpec, seed: int, pictures: Pictures) -> None:
        rng = random.Random(f"scene {seed}")  # noqa: S311
        self._spec = spec
        self._unit = math.sqrt(spec.width * spec.height / (1280 * 720))
        hue = rng.uniform(0, 360)
        self._sky = turn(parse("#3b5b92"), hue), turn(parse("#f2b591"), hue)
        self._backdrop = self._paint_backdrop(pictures)
        self._hills = [self._paint_hill(rng, depth) for depth in range(3)]
        self._title = Lettering(spec.title).picture(spec.width, spec.height)

    def frame(self, number: int) -> Image.Image:
        """Frame N, 24 a second."""
        canvas = self._backdrop.copy()
        for depth, (colour, mask) in enumerate(self._hills):
            speed = max(1, round((depth + 1) * 1.5 * self._unit))
            shift = number * speed % mask.width
            for left in (-shift, mask.width - shift):
                canvas.paste(colour, (left, canvas.height - mask.height), mask)
        canvas.paste((255, 255, 255), (0, 0), self._title)
        return canvas

    def _paint_backdrop(self, pictures: Pictures) -> Image.Image:
        spec = self._spec
        shown = pictures.of("image", "input_image", "reference_image", "reference_video")
        if shown:
            return shown[0].resize((spec.width, spec.height))
        column = Image.new("RGB", (1, spec.height))
        for y in range(spec.height):
            column.putpixel((0, y), mix(*self._sky, y / spec.height).rounded())
        return column.resize((spec.width, spec.height))

    def _paint_hill(self, rng: random.Random, depth: int) -> tuple[tuple[int, int, int], Image.Image]:
        width, height = 2 * self._spec.width, round(self._spec.height * (0.45 - 0.1 * depth))
        waves = [(k, rng.uniform(0, math.tau), rng.uniform(0.3, 1) / k) for k in (2, 3, 5, 8)]
        mask = Image.new("L", (width, height))
        ridge = [
            (x, height * 0.3 * (1 - 0.5 * sum(a * math.sin(math.tau * k * x / width + p) for k, p, a in waves)))
            for x in range(0, width + 8, 8)
        ]
        ImageDraw.Draw(mask).polygon([(0, height), *ridge, (width, height)], fill=255)
        return mix(self._sky[0], parse("#0b0e16"), 0.3 + 0.3 * depth).rounded(), mask
