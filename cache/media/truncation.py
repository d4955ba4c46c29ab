"""Whether a file ends where its own format says it ends, for bodies whose length no server told."""

import os
from pathlib import Path
from typing import BinaryIO

_TAIL_BYTES = 65_536
_BOXES_MAX = 10_000


def is_cut_off(path: Path, mime_type: str) -> bool:
    """True where the format shows that bytes are missing at the end; False where it does not, or cannot show it."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if mime_type in {"video/mp4", "video/quicktime", "audio/mp4", "image/avif", "image/heic", "image/heif"}:
            return _boxes_are_cut_off(file, size)
        if mime_type in {"image/webp", "video/x-msvideo"}:
            return _little_endian(_at(file, 4, 4)) + 8 > size
        if mime_type == "image/png":
            return b"IEND\xae\x42\x60\x82" not in _tail(file, size)
        if mime_type == "image/jpeg":
            return b"\xff\xd9" not in _tail(file, size)
    return False


def _boxes_are_cut_off(file: BinaryIO, size: int) -> bool:
    """Walk the boxes at the top level (ISO 14496-12); the index must be among them, and the last must fit."""
    offset = 0
    kinds: set[bytes] = set()
    for _ in range(_BOXES_MAX):
        header = _at(file, offset, 16) if offset < size else b""
        if len(header) < 8:
            break
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        kinds.add(header[4:8])
        if length == 0:  # the box reaches to the end of the file
            offset = size
            break
        if length < 8:
            return False
        offset += length
    return offset > size or not kinds & {b"moov", b"meta"}


def _at(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def _tail(file: BinaryIO, size: int) -> bytes:
    return _at(file, max(0, size - _TAIL_BYTES), _TAIL_BYTES)


def _little_endian(data: bytes) -> int:
    return int.from_bytes(data, "little")
