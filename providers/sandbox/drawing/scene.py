"""The scene: what frame N shows, which is a landscape or a given picture, with prints and letters over it."""
# pyright: reportUnknownMemberType=false
# (Pillow's and PyAV's hints name numpy types, and numpy is not installed.)

import random
from collections.abc import Callable
from io import BytesIO
from typing import Protocol

import av
from av.error import FFmpegError
from PIL import Image, ImageOps

from ....domain.errors import FailureError
from ....domain.request import MediaRole
from ..spec import RenderSpec
from .land import Strip, StripPlan, hills, peaks
from .letters import Letters
from .paint import Size, mix
from .palette import NIGHT, Palette, choose_palette
from .sky import Clouds, Snow, paint_sky

_APPROACH = 1.14
"""How much larger a given picture has become at the end."""
_PIXELS_MAX = 80_000_000
_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, FFmpegError)

Given = dict[MediaRole, list[Image.Image]]


class _Layer(Protocol):
    def paste(self, canvas: Image.Image, number: int) -> None: ...


class Scene:
    """One output's pictures."""

    def __init__(self, spec: RenderSpec, seed: int, given: Given) -> None:
        rng = random.Random(f"scene {seed}")  # noqa: S311
        size = (spec.width, spec.height)
        self._size, self._frames = size, max(1, spec.frames - 1)
        full = [*given.get("image", []), *given.get("input_image", [])]
        palette = NIGHT if full else choose_palette(spec.title, rng)
        self._ground, self._last = None, next(iter(given.get("last_frame", [])), None)
        self._layers: list[_Layer] = []
        still = spec.kind == "image"
        if full:
            self._ground = _fitted(full[0], size if still else _scaled(size, _APPROACH))
            for mask in given.get("mask", []):
                redrawn = Scene(spec.model_copy(update={"title": ""}), seed, {}).frame(0)
                self._ground.paste(redrawn.resize(self._ground.size), (0, 0), _fitted(mask, self._ground.size))
        else:
            self._sky = paint_sky(palette, size, rng)
            self._layers = _landscape(palette, size, rng, still=still)
        self._prints = [*full[1:], *given.get("reference_image", []), *given.get("reference_video", [])]
        captions = [medium.source for medium in spec.media if medium.role not in given]
        without = [f"without {spec.negative_prompt}"] if spec.negative_prompt else []
        shape = f"{spec.width} × {spec.height}"  # noqa: RUF001
        self._layers.append(Letters(spec, ["rushes sandbox", f"seed {seed}", shape, *without, *captions], palette))

    def frame(self, number: int) -> Image.Image:
        """Frame N, 24 a second."""
        canvas = self._sky.copy() if self._ground is None else self._approached(self._ground, number)
        for place, picture in enumerate(self._prints):
            side = round(0.28 * min(self._size))
            print_ = ImageOps.expand(ImageOps.contain(picture, (side, side)), max(1, side // 28), (250, 248, 244))
            canvas.paste(print_, (round(side * (0.2 + 1.15 * place)), side // 5))
        for layer in self._layers:
            layer.paste(canvas, number)
        return canvas

    def _approached(self, ground: Image.Image, number: int) -> Image.Image:
        """The picture as given at first, then nearer and nearer; a last frame fades in over it."""
        share = min(1.0, number / self._frames)
        width, height = ground.size
        scale = 1 - (1 - 1 / _APPROACH) * share
        box = (width * (1 - scale) / 2, height * (1 - scale) / 2, width * (1 + scale) / 2, height * (1 + scale) / 2)
        picture = ground.resize(self._size, Image.Resampling.BILINEAR, box=box)
        shown = min(1.0, max(0.0, (share - 0.5) / 0.42))
        return Image.blend(picture, _fitted(self._last, self._size), shown) if self._last and shown else picture


def _landscape(palette: Palette, size: Size, rng: random.Random, *, still: bool) -> list[_Layer]:
    """From back to front: clouds, white mountains, and hills with firs between drifting mist, in falling snow."""
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
    plans = (mountains, wood, field, trees, front)
    covered = [*(min(1.0, plan.top + plan.relief + 0.05) for plan in plans[1:]), 1.0]
    strips = [Strip(plan, end, size, rng, still=still) for plan, end in zip(plans, covered, strict=True)]
    lit = mix(palette.horizon, palette.paper, 0.35)
    mist = Clouds(palette.mist, size, (0.46, 0.70), rng, speed=1.2)
    flakes = [Snow(*kind, palette, size, rng) for kind in ((110, 1.2, 0.5), (44, 2.4, 0.7), (7, 7.0, 0.22))]
    return [Clouds(lit, size, (0.08, 0.46), rng, speed=0.4), *strips[:2], mist, *strips[2:], *flakes]


def _scaled(size: Size, factor: float) -> Size:
    return round(size[0] * factor), round(size[1] * factor)


def _fitted(picture: Image.Image, size: Size) -> Image.Image:
    return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)


def open_media(spec: RenderSpec, read_media: Callable[[str], bytes | None]) -> Given:
    """All input media that can be seen, unpacked; a video by its first frame.

    Raises:
        FailureError: one is gone or cannot be read (`invalid_media`).
    """
    given: Given = {}
    for medium in spec.media:
        if medium.sha256 is None or medium.role == "reference_audio":
            continue
        data = read_media(medium.sha256)
        if data is None:
            gone = f"The bytes of {medium.source} are gone; give the medium again."
            raise FailureError("invalid_media", gone, charged="no")
        try:
            picture = _first_frame(data) if medium.role == "reference_video" else _image(data, medium.role)
        except _UNREADABLE as error:
            wrong = f"{medium.source} is not a {medium.role.replace('_', ' ')} that can be read."
            raise FailureError("invalid_media", wrong, charged="no") from error
        given.setdefault(medium.role, []).append(picture)
    return given


def _image(data: bytes, role: MediaRole) -> Image.Image:
    with Image.open(BytesIO(data)) as opened:
        if opened.width * opened.height > _PIXELS_MAX:
            raise ValueError("too large")
        picture = ImageOps.exif_transpose(opened)
    picture.thumbnail((4096, 4096))
    if role != "mask":
        return picture.convert("RGB")
    # White is drawn anew: what is transparent, or where nothing is, what is white.
    seen = picture.getchannel("A") if "A" in picture.getbands() else None
    return ImageOps.invert(seen) if seen and seen.getextrema() != (255, 255) else picture.convert("L")


def _first_frame(data: bytes) -> Image.Image:
    with av.open(BytesIO(data), "r") as container:
        for frame in container.decode(video=0):
            pixels = frame.reformat(format="rgb24")
            plane = pixels.planes[0]
            return Image.frombytes("RGB", (frame.width, frame.height), bytes(plane), "raw", "RGB", plane.line_size)
    raise ValueError("no picture")
