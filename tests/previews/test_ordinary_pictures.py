"""Ordinary pictures that are made smaller to be seen: decoded by FFmpeg, and seen as Pillow would show them."""

# pyright: reportUnknownMemberType=false
# (Pillow's hints name numpy types, and numpy is not installed.)

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from rushes.domain.errors import RequestRefused

from .here import glimpse
from .media_files import kept

SIZE = (1500, 1000)
SHOWN = (1024, 683)
PATCHES = ((200, 30, 40), (20, 180, 60), (30, 60, 200), (250, 240, 10), (128, 128, 128), (255, 255, 255))
WITHIN = 4
"""Levels of a colour, on the mean of a patch: of two conversions and a JPEG."""
SIDEWAYS = 6
ORIENTATION = 0x0112

KINDS: dict[str, tuple[str, dict[str, object]]] = {
    "png": ("PNG", {}),
    "webp": ("WEBP", {"quality": 90}),
    "lossless.webp": ("WEBP", {"lossless": True}),
}
kind = pytest.mark.parametrize("kind", KINDS)


def patches(size: tuple[int, int] = SIZE) -> Image.Image:
    """Colours beside each other, over a shade from left to right."""
    width, height = size
    made = Image.merge("RGB", [Image.linear_gradient("L").rotate(90).resize(size)] * 3)
    for number, colour in enumerate(PATCHES):
        made.paste(colour, (width * number // 6, height // 2, width * (number + 1) // 6, height))
    return made


def shown(path: Path, data: bytes) -> Image.Image:
    path.write_bytes(data)
    mime_type = "image/png" if data.startswith(b"\x89PNG") else "image/webp"
    return Image.open(io.BytesIO(glimpse(kept(path, mime_type)).jpeg))


def written(image: Image.Image, kind: str, **options: object) -> bytes:
    into, (name, usual) = io.BytesIO(), KINDS[kind]
    image.save(into, name, **{**usual, **options})
    return into.getvalue()


def far_apart(seen: Image.Image, wanted: Image.Image) -> float:
    """Levels between two pictures: on the mean of the worst of a grid of places."""
    places = [
        ImageStat.Stat(ImageChops.difference(seen, wanted).crop((x, y, x + 64, y + 64))).mean
        for x in range(32, seen.width - 64, 171)
        for y in range(32, seen.height - 64, 128)
    ]
    return max(level for place in places for level in place)


@kind
def test_an_ordinary_picture_is_shown_in_its_colours(tmp_path: Path, kind: str) -> None:
    data = written(patches(), kind)
    wanted = Image.open(io.BytesIO(data)).convert("RGB").resize(SHOWN, Image.Resampling.LANCZOS)
    seen = shown(tmp_path / "picture", data)
    assert seen.size == SHOWN
    assert far_apart(seen, wanted) <= WITHIN


@kind
def test_what_is_transparent_in_a_picture_of_that_size_is_grey(tmp_path: Path, kind: str) -> None:
    picture = patches()
    picture.putalpha(Image.new("L", SIZE, 0))
    assert far_apart(shown(tmp_path / "picture", written(picture, kind)), Image.new("RGB", SHOWN, (128, 128, 128))) <= 1


@kind
def test_a_picture_that_says_how_it_is_turned_is_shown_upright(tmp_path: Path, kind: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = SIDEWAYS
    assert shown(tmp_path / "picture", written(patches(), kind, exif=exif.tobytes())).size == SHOWN[::-1]


def test_a_png_that_says_so_behind_its_pixels_is_shown_upright_too(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = SIDEWAYS
    told = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
    data, end = written(patches(), "png"), -12
    chunk = struct.pack(">I", len(told) - 4) + told + struct.pack(">I", zlib.crc32(told))
    assert shown(tmp_path / "picture", data[:end] + chunk + data[end:]).size == SHOWN[::-1]


@kind
def test_of_an_animation_the_first_frame_is_shown(tmp_path: Path, kind: str) -> None:
    later = Image.new("RGB", SIZE, (255, 0, 255))
    data = written(patches(), kind, save_all=True, append_images=[later])
    assert far_apart(shown(tmp_path / "picture", data), patches().resize(SHOWN, Image.Resampling.LANCZOS)) <= WITHIN


@kind
@pytest.mark.parametrize("left", [0.5, 0.99])
def test_half_a_picture_is_not_shown_as_a_whole_one(tmp_path: Path, kind: str, left: float) -> None:
    data = written(patches(), kind)
    with pytest.raises(RequestRefused, match="could not be decoded"):
        shown(tmp_path / "picture", data[: int(len(data) * left)])


@pytest.mark.parametrize("size", [(1025, 1), (1, 2047), (1025, 1025), (2047, 3)])
def test_odd_sizes_are_shown(tmp_path: Path, size: tuple[int, int]) -> None:
    assert max(shown(tmp_path / "picture", written(patches(size), "png")).size) == 1024
