"""The scene: what frame N shows, which is a landscape or a given picture, with prints and letters over it."""
# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import random
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO

from PIL import Image, ImageOps

from ....domain.errors import FailureError
from ....domain.kept_media import PILLOW_FORMATS
from ....domain.request import MediaRole
from ..spec import RenderSpec
from .land import Strip, StripPlan, hills, peaks
from .letters import letters
from .paint import PALETTES, Palette, Sheet, Size, mix
from .sky import Snow, clouds, paint_sky

Given = Sequence[tuple[MediaRole, Image.Image]]
_Layer = Strip | Snow | Sheet
_PIXELS_MAX = 30_000_000
"""Of a picture that is given. It is decoded in this process, and may be what a gateway made: it takes 4 bytes each."""


class Scene:
    """One output's pictures: the first picture given to begin with fills them, all others are prints laid over them."""

    def __init__(self, spec: RenderSpec, seed: int, given: Given) -> None:
        rng = random.Random(f"scene {seed}")  # noqa: S311
        size = (spec.width, spec.height)
        palette = rng.choice(PALETTES)
        full = next((picture for role, picture in given if role in ("image", "input_image")), None)
        if full is not None:
            self._ground = ImageOps.fit(full, size, Image.Resampling.LANCZOS)
            self._layers: list[_Layer] = []
        else:
            self._ground = paint_sky(palette, size, rng)
            self._layers = _landscape(palette, size, rng, spec.frames)
        self._layers.append(Snow(palette, size, rng))
        self._layers += _prints([picture for _, picture in given if picture is not full], size)
        unseen = [medium.source for medium in spec.media if not medium.is_seen]
        without = [f"without {spec.negative_prompt}"] if spec.negative_prompt else []
        shape = f"{spec.width} × {spec.height}"  # noqa: RUF001
        self._layers += letters(spec, ["rushes sandbox", f"seed {seed}", shape, *without, *unseen], palette)

    def frame(self, number: int) -> Image.Image:
        """Frame N, 24 a second."""
        canvas = self._ground.copy()
        for layer in self._layers:
            layer.paste(canvas, number)
        return canvas


def _landscape(palette: Palette, size: Size, rng: random.Random, frames: int) -> list[_Layer]:
    """From back to front: white mountains, and hills with firs around mist."""
    white = mix(palette.paper, palette.mist, 0.35)
    dark = [mix(mix(palette.far, palette.near, share), palette.ink, 0.45 * share**3) for share in (0.3, 0.8, 1.0)]
    mountains = StripPlan(peaks(rng, 5), 0.23, 0.30, mix(white, palette.far, 0.22), mix(white, palette.mist, 0.7), 1,
                          rim=palette.paper, shade=mix(palette.far, palette.near, 0.15))  # fmt: skip
    wood = StripPlan(hills(rng, 6, 0.5), 0.49, 0.10, dark[0], mix(dark[0], palette.mist, 0.2), 1,
                     firs=(0.022, 0.02, 0.06))  # fmt: skip
    field = StripPlan(hills(rng, 4, 0.35), 0.585, 0.09, white, mix(palette.far, palette.mist, 0.5), 2,
                      rim=palette.paper)  # fmt: skip
    trees = StripPlan(hills(rng, 5, 0.4), 0.66, 0.10, dark[1], mix(dark[1], palette.mist, 0.2), 3,
                      firs=(0.07, 0.07, 0.20))  # fmt: skip
    front = StripPlan(hills(rng, 3, 0.3), 0.80, 0.08, dark[2], palette.ink, 5, rim=palette.mist,
                      firs=(0.55, 0.16, 0.46))  # fmt: skip
    strips = [Strip(plan, size, frames, rng) for plan in (mountains, wood, field, trees, front)]
    return [*strips[:2], clouds(palette.mist, size, (0.46, 0.70), rng), *strips[2:]]


def _prints(pictures: Sequence[Image.Image], size: Size) -> Iterator[Sheet]:
    side = round(min(0.28 * min(size), 0.8 * size[0] / max(1, len(pictures))))
    for place, picture in enumerate(pictures):
        framed = ImageOps.expand(ImageOps.contain(picture, (side, side)), max(1, side // 28), (250, 248, 244))
        yield Sheet(framed, (round(side * (0.2 + 1.15 * place)), side // 5))


def open_media(spec: RenderSpec, read_media: Callable[[str], bytes | None]) -> Given:
    """All pictures among the input media.

    Raises:
        FailureError: one is gone or cannot be read (`invalid_media`).
    """
    given: list[tuple[MediaRole, Image.Image]] = []
    for medium in spec.media:
        if medium.sha256 is not None and medium.is_seen:
            data = read_media(medium.sha256)
            try:
                with Image.open(BytesIO(data or b""), formats=tuple(PILLOW_FORMATS.values())) as opened:
                    _check_size(medium.source, opened)
                    picture = ImageOps.exif_transpose(opened)
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                wrong = "is not a picture that can be read" if data is not None else "is gone; give the medium again"
                raise FailureError("invalid_media", f"{medium.source} {wrong}.", charged="no") from error
            picture.thumbnail((4096, 4096))
            given.append((medium.role, picture.convert("RGB")))
    return given


def _check_size(source: str, picture: Image.Image) -> None:
    width, height = picture.size
    if width * height > _PIXELS_MAX:
        message = (
            f"{source} has {width}x{height} pixels, and the sandbox draws from {_PIXELS_MAX // 10**6} million at most."
        )
        raise FailureError("invalid_media", message, charged="no", hint="Give a smaller picture.")
