"""Media as text: base64 that stands where a URL was expected, told from other text by the bytes that it becomes."""

import binascii
import re

_TEXT_LEAST = 64
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]+={0,2}\s*")
_STARTS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"RIFF",
    b"\x1a\x45\xdf\xa3",
    b"OggS",
    b"fLaC",
    b"ID3",
)
_MPEG_SYNC = frozenset({0xFA, 0xFB, 0xF2, 0xF3, 0xF1, 0xF9})


def looks_like_media(head: bytes) -> bool:
    """Whether bytes begin like a picture, a sound or a video."""
    if head.startswith(_STARTS) or head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return True
    return len(head) > 2 and head[0] == 0xFF and head[1] in _MPEG_SYNC and head[2] >> 4 not in (0, 15)


def medium_in(text: str) -> bytes | None:
    """The medium that a text of bare base64 is; `None` for any other text."""
    if len(text) < _TEXT_LEAST:
        return None
    try:
        if not looks_like_media(binascii.a2b_base64(_canonical(text[:_TEXT_LEAST])[:32])):
            return None
        if _BASE64.fullmatch(text) is None:
            return None
        plain = _canonical(text)
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4))
    except ValueError:
        return None


def _canonical(text: str) -> str:
    return "".join(text.split()).replace("-", "+").replace("_", "/")
