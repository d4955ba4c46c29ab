"""Whether a file ends where its own format says it ends. What a server says of a body's length may be wrong."""

import os
from pathlib import Path
from typing import BinaryIO

_TAIL_BYTES = 65_536
_BOXES_MAX = 10_000
_RIFF_LENGTH_UNKNOWN = 0x7FFFF000
_EBML_ELEMENTS_MAX = 16


def is_cut_off(path: Path, mime_type: str) -> bool:
    """True where the format shows that bytes are missing at the end; False where it does not, or cannot show it."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if mime_type in {"video/mp4", "video/quicktime", "audio/mp4", "image/avif", "image/heic", "image/heif"}:
            return _boxes_are_cut_off(file, size)
        if mime_type in {"image/webp", "video/x-msvideo", "audio/wav"}:
            return _riff_is_cut_off(file, size)
        if mime_type in {"video/webm", "video/x-matroska", "audio/webm", "audio/x-matroska"}:
            return _matroska_is_cut_off(file, size)
        if mime_type in {"audio/ogg", "video/ogg"}:
            return _ogg_is_cut_off(file, size)
        if mime_type == "image/png":
            return b"IEND\xae\x42\x60\x82" not in _tail(file, size)
        if mime_type == "image/jpeg":
            return b"\xff\xd9" not in _tail(file, size)
        if mime_type == "image/gif":
            return not _tail(file, size).rstrip(b"\0").endswith(b";")
    return False


def _riff_is_cut_off(file: BinaryIO, size: int) -> bool:
    told = _little_endian(_at(file, 4, 4))
    # Who writes sound while it is made does not know its length yet, and says 0 or about as much as can be said.
    return 0 < told < _RIFF_LENGTH_UNKNOWN and told + 8 > size + 1  # a last padding byte is often left out


def _matroska_is_cut_off(file: BinaryIO, size: int) -> bool:
    """The EBML head, then the segment (RFC 8794), whose length may be unknown; a void may stand between them."""
    offset = 0
    for _ in range(_EBML_ELEMENTS_MAX):
        head = _at(file, offset, 12)
        if len(head) < 12:
            return False
        id_bytes = 9 - head[0].bit_length()
        length_bytes = 9 - head[id_bytes].bit_length() if id_bytes <= 4 else 9
        if length_bytes > 8 or id_bytes + length_bytes > len(head):
            return False
        field = int.from_bytes(head[id_bytes : id_bytes + length_bytes], "big")
        length = field & ((1 << 7 * length_bytes) - 1)
        unknown = length == (1 << 7 * length_bytes) - 1
        offset += id_bytes + length_bytes + length
        if unknown or head[:4] == b"\x18\x53\x80\x67":
            return not unknown and offset > size
    return False


def _ogg_is_cut_off(file: BinaryIO, size: int) -> bool:
    """The last page (RFC 3533) must be there as far as its own table of segments goes."""
    tail = _tail(file, size)
    start = tail.rfind(b"OggS")
    page = tail[start:] if start >= 0 else b""
    if len(page) < 27 or len(page) < 27 + page[26]:
        return start >= 0
    return 27 + page[26] + sum(page[27 : 27 + page[26]]) > len(page)


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
