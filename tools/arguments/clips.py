"""Shots and sounds as an agent writes them: a medium, and in brackets behind it what of it is used and how.

task:T#1                 all of it
task:T#1[1.5-4]          from 1.5 s to 4 s; [1.5-] to its end; [4] its first 4 s, or a still for 4 s
task:T#1[0-4 -6dB]       softer; [mute] without its sound
task:S#1[@2.5]           a sound that begins 2.5 s after the film does
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from ...domain.failure import clean_text
from ...domain.film import SHOTS_MAX, SOUNDS_MAX, ClipWish
from .values import listed, wrong

SOURCE_CHARACTERS_MAX = 4096
SECONDS_MAX = 86_400.0
GAIN_MIN_DB, GAIN_MAX_DB = -60.0, 24.0

_BRACKETS = re.compile(r"(?P<source>.*\S)\s*\[(?P<inside>[^\[\]]*)\]\Z", re.DOTALL)
_NUMBER = r"\d{1,6}(?:\.\d{1,6})?"
_TO = r"(?:\s+(?:-|to)\s+|-|\u2013|\.\.)"
"""A blank on one side only would make a part of `4 -6dB`."""
_WORDS = re.compile(
    rf"@\s*(?P<at>{_NUMBER})s?\b"
    rf"|(?P<gain>[+\u2212-]?{_NUMBER})\s*db\b"
    rf"|(?P<start>{_NUMBER})s?{_TO}(?:(?P<end>{_NUMBER})s?\b)?"
    rf"|(?P<length>{_NUMBER})s?\b"
    r"|(?P<mute>muted?)\b"
    r"|(?P<other>[^\s,;]+)",
    re.IGNORECASE,
)

FORMS = "[1.5-4] is a part, [3] a length, [-6dB] a gain, [mute] no sound, [@2] where a sound begins"


def clip(text: str) -> ClipWish:
    """One shot or sound.

    Raises:
        PydanticCustomError: it cannot be read; says how it is written.
    """
    given = text.strip()
    if not given or len(given) > SOURCE_CHARACTERS_MAX:
        raise wrong(f"must name media such as task:<task_id>#1, each with at most {SOURCE_CHARACTERS_MAX} characters")
    match = _BRACKETS.match(given)
    if match is None:
        return ClipWish(given=given, source=given)
    found: dict[str, float | bool] = {}
    for word in _WORDS.finditer(match["inside"]):
        _read(word, found, given)
    start, end = found.get("start_seconds", 0.0), found.get("end_seconds")
    if end is not None and end <= start:
        raise wrong(f"{_shown(given)}: the part ends before it begins; write [from-to] in seconds, such as [1.5-4]")
    return ClipWish.model_validate({"given": given, "source": match["source"], **found})


def _read(word: re.Match[str], found: dict[str, float | bool], given: str) -> None:
    names = {
        "start": "start_seconds",
        "end": "end_seconds",
        "length": "end_seconds",
        "gain": "gain_db",
        "at": "at_seconds",
    }
    if word["other"] is not None:
        raise wrong(f"{_shown(given)}: {_shown(word['other'])} is not understood; {FORMS}")
    told: dict[str, float | bool] = {
        names[name]: _number(text) for name, text in word.groupdict().items() if text and name in names
    }
    if word["mute"]:
        told["mute"] = True
    twice = found.keys() & told.keys()
    if twice:
        raise wrong(f"{_shown(given)}: says {' and '.join(sorted(twice))} twice")
    if not GAIN_MIN_DB <= told.get("gain_db", 0.0) <= GAIN_MAX_DB:
        raise wrong(f"{_shown(given)}: a gain is {GAIN_MIN_DB:g}dB to +{GAIN_MAX_DB:g}dB")
    if any(told.get(name, 0.0) > SECONDS_MAX for name in ("start_seconds", "end_seconds", "at_seconds")):
        raise wrong(f"{_shown(given)}: no clip is so long")
    found.update(told)


def _number(text: str) -> float:
    return float(text.replace("\u2212", "-"))


def _shown(text: str) -> str:
    return repr(clean_text(text, 80))


def _shots(texts: list[str]) -> list[str]:
    if not 1 <= len(texts) <= SHOTS_MAX:
        raise wrong(f"must be 1 to {SHOTS_MAX} shots, not {len(texts)}")
    return _readable(texts)


def _sounds(texts: list[str]) -> list[str]:
    if len(texts) > SOUNDS_MAX:
        raise wrong(f"may be at most {SOUNDS_MAX} sounds, not {len(texts)}")
    return _readable(texts)


def _readable(texts: list[str]) -> list[str]:
    for text in texts:
        clip(text)
    return texts


def _written(value: object) -> object:
    """Refuses what other editors take, an object for each clip, with how it is written here."""
    if isinstance(value, str):
        return value
    raise wrong(f"must be a text such as task:<task_id>#1[1.5-4], not {_shown(str(value))}; {FORMS}")


_Clips = list[Annotated[str, BeforeValidator(_written)]]

Shots = Annotated[_Clips, BeforeValidator(listed), AfterValidator(_shots)]
Sounds = Annotated[_Clips, BeforeValidator(listed), AfterValidator(_sounds)]
