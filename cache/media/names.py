"""File names from outside, made safe."""

import re
import unicodedata

_CHARACTERS_MAX = 80
_BYTES_MAX = 180  # of the 255 that most file systems allow: extension, number, sidecar and temporary suffix come on top

_WINDOWS_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)")


def safe_stem(text: str) -> str:
    """A file name's stem made of `text`: letters and digits of any script, `-`, `_` and inner dots; never empty.

    At most 80 characters (180 bytes), no separators, no leading dot, no name that Windows reserves.
    """
    kept = "".join(_safe(character) for character in unicodedata.normalize("NFC", text))
    joined = re.sub(r"-{2,}", "-", re.sub(r"\.{2,}", ".", kept))
    stem = _bounded(joined.strip("-. ")).rstrip("-. ")
    if not stem:
        return "output"
    return f"_{stem}" if _WINDOWS_DEVICES.match(stem) else stem


def _safe(character: str) -> str:
    if character in "-_.":
        return character
    return character if unicodedata.category(character)[0] in "LMN" else "-"


def _bounded(text: str) -> str:
    return text[: _CHARACTERS_MAX - 1].encode()[:_BYTES_MAX].decode(errors="ignore")
