"""Several small pictures in one, each with a label under it. Runs in the child process that decodes."""

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from .picture import SIDE_MAX, jpeg_of

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

GAP = 6
LABEL_HEIGHT = 24
PAPER, CELL, INK = (24, 24, 27), (39, 39, 42), (228, 228, 231)

Cell = tuple[int, str]
"""The bytes of a JPEG (0: there is no picture) and its label."""


def grid(file: BinaryIO, cells: Sequence[Cell]) -> bytes:
    """The JPEGs that follow each other in the file, left to right and top to bottom, as one JPEG."""
    from PIL import Image

    file.seek(0)
    pictures: list[Image.Image | None] = []
    for length, _ in cells:
        data = file.read(length)
        pictures.append(Image.open(io.BytesIO(data), formats=("JPEG",)).convert("RGB") if data else None)
    return jpeg_of(_sheet(pictures, [label for _, label in cells]))


def _sheet(pictures: "Sequence[Image | None]", labels: Sequence[str]) -> "Image":
    from PIL import Image, ImageDraw, ImageFont

    shapes = [picture.width / picture.height for picture in pictures if picture is not None] or [1.0]
    columns, width, height = _layout(len(labels), sum(shapes) / len(shapes))
    rows = math.ceil(len(labels) / columns)
    size = columns * (width + GAP) - GAP, rows * (height + LABEL_HEIGHT + GAP) - GAP
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(15)
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        left, top = (number % columns) * (width + GAP), (number // columns) * (height + LABEL_HEIGHT + GAP)
        if picture is None:
            draw.rectangle((left, top, left + width - 1, top + height - 1), fill=CELL)
        else:
            fitted = _inside(picture, width, height)
            sheet.paste(fitted, (left + (width - fitted.width) // 2, top + (height - fitted.height) // 2))
        middle = left + width / 2, top + height + LABEL_HEIGHT / 2
        draw.text(middle, _shortened(label, font, width), fill=INK, font=font, anchor="mm")
    return sheet


def _layout(count: int, shape: float) -> tuple[int, int, int]:
    """Columns, and width and height of a cell: as large as they can be on a sheet of `SIDE_MAX` a side."""

    def cell(columns: int) -> tuple[float, int]:
        rows = math.ceil(count / columns)
        across = (SIDE_MAX - GAP * (columns - 1)) / columns
        down = (SIDE_MAX - (GAP + LABEL_HEIGHT) * rows) / rows
        return min(across, down * shape), columns

    width, columns = max(cell(columns) for columns in range(1, count + 1))
    return columns, max(1, int(width)), max(1, int(width / shape))


def _inside(picture: "Image", width: int, height: int) -> "Image":
    """As large as fits, never stretched."""
    from PIL import Image

    scale = min(width / picture.width, height / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS)  # pyright: ignore[reportUnknownMemberType]


def _shortened(label: str, font: "FreeTypeFont | ImageFont", width: int) -> str:
    """The label, as much of it as fits."""
    shown = label
    while shown and font.getlength(shown) > width:
        shown = shown[:-1]
    return shown if shown == label else f"{shown[:-1]}…"
