"""The type of a medium by its first bytes. What a server declares is often wrong; the bytes are not."""

import re
import unicodedata
from typing import Literal

Kind = Literal["video", "image", "audio"]
"""What a task makes, and what a file holds."""

HEAD_BYTES = 4096
"""How much of a file `sniff_mime` wants to see."""

_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"fLaC", "audio/flac"),
    (b"ADIF", "audio/aac"),
)

_RIFF_FORMS = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}

_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic",
    b"hevx": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"F4A ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
"""ISO 14496-12 major brands that are not plain MP4."""

_QUICKTIME_ATOMS = frozenset({b"moov", b"mdat", b"wide", b"pnot"})
"""What a QuickTime file from before `ftyp` begins with."""

EXTENSIONS = {
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/pcm": "pcm",
    "audio/wav": "wav",
    "audio/webm": "weba",
    "audio/x-matroska": "mka",
    "image/avif": "avif",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "video/ogg": "ogv",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
    "video/x-msvideo": "avi",
}
"""The file name extension of every type that `sniff_mime` knows, and of types that only a server can tell."""


MIME_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}", re.ASCII)
"""What has the form of a type. Anything may be declared, such as a sentence."""


def sniff_mime(head: bytes) -> str | None:
    """The MIME type that a file begins like (`HEAD_BYTES` are plenty), or None for anything that is no known medium.

    An MP4, Matroska or WebM container is called a video: whether it holds only sound is told by its streams.
    """
    for prefix, mime in _PREFIXES:
        if head.startswith(prefix):
            return mime
    if head.startswith(b"RIFF"):
        return _RIFF_FORMS.get(head[8:12])
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head.startswith(b"OggS"):
        return "video/ogg" if b"\x80theora" in head[:HEAD_BYTES] else "audio/ogg"
    return _iso_media(head) or _mpeg_audio(head)


def _iso_media(head: bytes) -> str | None:
    if len(head) < 12:
        return None
    if head[4:8] == b"ftyp":
        major = _BRANDS.get(head[8:12], "video/mp4")
        if major != "image/heif":
            return major
        compatible = head[16 : int.from_bytes(head[:4], "big")]
        return next((mime for brand, mime in _BRANDS.items() if mime in _STILLS and brand in compatible), major)
    # A size of 512 MB or more is no size but text.
    return "video/quicktime" if head[4:8] in _QUICKTIME_ATOMS and head[0] < 0x20 else None


_STILLS = frozenset({"image/avif", "image/heic"})


def _mpeg_audio(head: bytes) -> str | None:
    if head.startswith(b"ID3") and len(head) >= 10:
        # The size of an ID3v2 tag: four bytes of seven bits each.
        tag_bytes = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        tagged = head[tag_bytes:]
        return "audio/flac" if tagged.startswith(b"fLaC") else _mpeg_frame(tagged) or "audio/mpeg"
    return _mpeg_frame(head)


def _mpeg_frame(head: bytes) -> str | None:
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:  # ADTS: twelve bits of sync, layer 0
        return "audio/aac" if head[2] >> 2 & 0xF < 13 else None
    is_frame = (
        head[1] & 0xE0 == 0xE0
        and head[1] >> 3 & 3 != 1  # version
        and head[1] >> 1 & 3 == 1  # layer III
        and head[2] >> 4 not in {0, 15}  # bit rate
        and head[2] >> 2 & 3 != 3  # sampling rate
    )
    return "audio/mpeg" if is_frame else None


def looks_like_text(head: bytes) -> bool:
    """Whether a file begins like HTML, JSON or other text instead of a medium."""
    sample = head[:512]
    try:
        text = sample.decode()
    except UnicodeDecodeError as error:
        if error.start < len(sample) - 3:
            return False
        text = sample[: error.start].decode()
    return all(unicodedata.category(character) != "Cc" or character in "\t\n\r\f" for character in text)
