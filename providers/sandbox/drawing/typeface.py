"""Typefaces: the bundled one, and the system's own for the scripts that it lacks.

EB Garamond SemiBold (SIL Open Font License, fonts/OFL.txt), cut down to Latin, Greek and Cyrillic.
"""

import unicodedata
from functools import cache
from itertools import groupby
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_BUNDLED = Path(__file__).with_name("fonts") / "EBGaramond-SemiBold.ttf"
_SYSTEM = (
    "NotoSansCJK-Medium.ttc",
    "NotoSansCJK-Regular.ttc",
    "NotoSansSC-Regular.otf",
    "Hiragino Sans GB.ttc",
    "PingFang.ttc",
    "msyh.ttc",
    "YuGothM.ttc",
    "malgun.ttf",
    "AppleSDGothicNeo.ttc",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "Nirmala.ttf",
    "segoeui.ttf",
    "Arial Unicode.ttf",
    "DejaVuSans.ttf",
)
"""Asked for in this order, and only for characters that the bundled face lacks."""

SPACING = 0.09
"""Space between spaced letters, in sizes."""

_UNSEEN = ("Cc", "Cf", "Cn", "Co", "Cs")
_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))
_PICTORIAL = ("So", "Sk")
"""Never looked for in the system's faces: emoji there are coloured, or drawn in a hundred ways."""

_PROBE_SIZE = 24
_ABSENT = "\U0010fffe"

Face = str


@cache
def _font(face: Face, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(face, size)


@cache
def _system_faces() -> tuple[Face, ...]:
    found: list[Face] = []
    for name in _SYSTEM:
        try:
            _font(name, _PROBE_SIZE)
        except OSError:
            continue
        found.append(name)
    return tuple(found)


@cache
def _has(face: Face, character: str) -> bool:
    return _picture(face, character) != _picture(face, _ABSENT)


@cache
def _picture(face: Face, character: str) -> tuple[tuple[int, int], bytes]:
    font = _font(face, _PROBE_SIZE)
    left, top, right, bottom = font.getbbox(character)
    picture = Image.new("L", (max(1, round(right - left)), max(1, round(bottom - top))))
    ImageDraw.Draw(picture).text((-left, -top), character, font=font, fill=255)
    return picture.size, picture.tobytes()


def face_of(character: str) -> Face | None:
    """The first face that has this character; `None` where no face does, so that it must not be drawn."""
    bundled = str(_BUNDLED)
    if character.isspace():
        return bundled
    if character in _SELECTORS or unicodedata.category(character) in _UNSEEN:
        return None
    if _has(bundled, character):
        return bundled
    if unicodedata.category(character) in _PICTORIAL:
        return None
    return next((face for face in _system_faces() if _has(face, character)), None)


def settable(text: str) -> str:
    """The text without what no face has; a decorated letter that is missing becomes a plain one."""
    kept: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        if face_of(character) is not None:
            kept.append(character)
            continue
        plain = unicodedata.normalize("NFKD", character)
        kept.extend(part for part in plain if not unicodedata.combining(part) and face_of(part) is not None)
    return " ".join("".join(kept).split())


def measure(text: str, size: int) -> float:
    """Width of a settable text, in pixels."""
    return sum(_font(face, size).getlength(run) for face, run in _runs(text))


def draw_line(draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, size: int) -> None:
    """Draw one line of settable text in white; `place` is the left end of its base line."""
    x, y = place
    for face, run in _runs(text):
        font = _font(face, size)
        draw.text((x, y), run, font=font, fill=255, anchor="ls")
        x += font.getlength(run)


def measure_spaced(text: str, size: int) -> float:
    """Width of a settable text in spaced letters, in pixels; scripts of joined letters are not spaced."""
    if not _spaceable(text):
        return measure(text, size)
    return sum(measure(letter, size) + SPACING * size for letter in text) - SPACING * size


def draw_spaced(draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, size: int) -> None:
    """Draw one line as `draw_line` does, in spaced letters."""
    x, y = place
    for part in text if _spaceable(text) else [text]:
        draw_line(draw, (x, y), part, size)
        x += measure(part, size) + SPACING * size


def _spaceable(text: str) -> bool:
    return all(face == str(_BUNDLED) for face, _ in _runs(text))


def _runs(text: str) -> list[tuple[Face, str]]:
    """The text in pieces of one face. A face that has all of a line gets all of it: words of a script that is written
    from right to left stand in order only within one piece."""
    bundled = str(_BUNDLED)
    faces = [face_of(character) or bundled for character in text]
    for face in sorted(set(faces) - {bundled}):
        if all(character.isspace() or _has(face, character) for character in text):
            return [(face, text)]
    return [
        (face, "".join(c for c, _ in part)) for face, part in groupby(zip(text, faces, strict=True), lambda p: p[1])
    ]
