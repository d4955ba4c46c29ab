"""A PNG whose chunks are whole, and whose pixels are not all there: refused, whichever decoder reads it."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from rushes.domain.errors import RequestRefused

from .test_ordinary_pictures import patches, shown, written

WIDTHS = [900, 1200, 2100]
"""Shown as it is, made smaller by FFmpeg, and by Pillow."""


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = 8
    while offset < len(png):
        length = int.from_bytes(png[offset : offset + 4], "big")
        yield png[offset + 4 : offset + 8], png[offset + 8 : offset + 8 + length]
        offset += 12 + length


def with_pixels(png: bytes, pixels: bytes) -> bytes:
    """The same picture with other compressed pixels, each chunk with its checksum."""
    inner = [chunk for chunk in chunks(png) if chunk[0] not in {b"IDAT", b"IEND"}]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in [*inner, (b"IDAT", pixels), (b"IEND", b"")]
    ]
    return png[:8] + b"".join(parts)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("left", [0.5, 0.97])
def test_a_png_whose_pixels_break_off_is_refused_as_damaged(tmp_path: Path, width: int, left: float) -> None:
    png = written(patches((width, 400)), "png")
    pixels = b"".join(data for kind, data in chunks(png) if kind == b"IDAT")
    with pytest.raises(RequestRefused, match="could not be decoded"):
        shown(tmp_path / "picture", with_pixels(png, pixels[: int(len(pixels) * left)]))


@pytest.mark.parametrize("colour", ["black", "white"])
def test_a_whole_picture_that_ends_in_one_colour_is_shown(tmp_path: Path, colour: str) -> None:
    picture = patches()
    picture.paste(Image.new("RGB", (1500, 200), colour), (0, 800))
    seen = shown(tmp_path / "picture", written(picture, "png"))
    level = 0 if colour == "black" else 255
    below = seen.convert("RGB").crop((0, 600, 1024, 683)).getextrema()
    assert all(abs(value - level) < 5 for band in below for value in (band if isinstance(band, tuple) else (band,)))


def test_an_interlaced_picture_is_left_to_pillow(tmp_path: Path) -> None:
    png = bytearray(with_pixels(written(Image.new("RGB", (1500, 2)), "png"), b""))
    png[28] = 1
    png[29:33] = struct.pack(">I", zlib.crc32(png[12:29]))
    first_of_seven_passes = zlib.compress(b"\0" + b"\xff" * 3 * 188)
    with Image.open(io.BytesIO(png)) as head:
        assert head.info["interlace"]
    with pytest.raises(RequestRefused, match="could not be decoded"):
        shown(tmp_path / "picture", with_pixels(bytes(png), first_of_seven_passes[:-4]))
