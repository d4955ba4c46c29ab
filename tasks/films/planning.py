"""From a film as it was asked for and the files that were found to the film as it is made, and what is to say of it;
pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ...domain.errors import RequestRefused
from ...domain.failure import clean_text
from ...domain.film import FILM_SECONDS_MAX, STILL_SECONDS, Clip, ClipWish, Film, FilmWish, Role
from ...domain.kept_media import MediaFacts
from .telling import listed, seconds_text
from .timeline import film_frames, shot_frames

STILLS_RATE = Fraction(24)
"""Frames a second of a film that is made of stills alone."""
RATES = (
    *(Fraction(rate) for rate in (24, 25, 30, 48, 50, 60)),
    *(Fraction(rate * 1000, 1001) for rate in (24, 30, 60)),
)
RATE_MIN, RATE_MAX = 10, 60
_RATE_OFF = 0.002
"""Share by which a measured rate may miss the one that is meant."""
LINES_OF_STILLS_MAX = 1080
"""A film that begins with a still and names no resolution has at most so many lines."""
LINES_MAX, SIDE_MAX = 2160, 4096
_PAST_THE_END_SECONDS = 0.1
"""An out point may lie so far behind the end that was measured: people and models round."""


@dataclass(frozen=True)
class FoundFile:
    """A file that was named, as it is."""

    path: str
    mime_type: str
    size_bytes: int
    sha256: str
    facts: MediaFacts


@dataclass(frozen=True)
class PlannedFilm:
    """The film, and what the agent should know of it."""

    film: Film
    warnings: tuple[str, ...]


def planned(wish: FilmWish, shots: Sequence[FoundFile], sounds: Sequence[FoundFile]) -> PlannedFilm:
    """The film that is made.

    Raises:
        RequestRefused: `invalid_input` or `invalid_media`, with the clip and what would be right.
    """
    clips = tuple(_shot(*pair, number) for number, pair in enumerate(zip(wish.shots, shots, strict=True), start=1))
    rate = _rate(clips)
    width, height = frame_size(wish, clips)
    _check_transition(wish.transition_seconds, clips, float(rate))
    seconds = float(film_frames(clips, float(rate), wish.transition_seconds) / rate)
    _check_length(seconds, wish)
    heard = tuple(
        _sound(*pair, number, seconds) for number, pair in enumerate(zip(wish.sounds, sounds, strict=True), start=1)
    )
    film = Film(
        shots=clips,
        sounds=heard,
        width=width,
        height=height,
        rate=rate.as_integer_ratio(),
        transition_seconds=wish.transition_seconds,
        fade_out_seconds=wish.fade_out_seconds,
        loudness_lufs=wish.loudness_lufs,
        seconds=seconds,
    )
    return PlannedFilm(film, tuple(_warnings(film)))


def _named(role: Role, number: int, wish: ClipWish) -> str:
    return f"{role.capitalize()} {number} ({clean_text(wish.given, 120)})"


def _clip(wish: ClipWish, found: FoundFile, seconds: float, at_seconds: float = 0.0) -> Clip:
    return Clip(
        given=wish.given,
        path=found.path,
        mime_type=found.mime_type,
        size_bytes=found.size_bytes,
        sha256=found.sha256,
        width=found.facts.width,
        height=found.facts.height,
        duration_seconds=found.facts.duration_seconds,
        frame_rate=found.facts.frame_rate,
        has_audio=bool(found.facts.has_audio),
        start_seconds=wish.start_seconds,
        seconds=seconds,
        gain_db=wish.gain_db,
        mute=wish.mute,
        at_seconds=at_seconds,
    )


def _shot(wish: ClipWish, found: FoundFile, number: int) -> Clip:
    name = _named("shot", number, wish)
    if wish.at_seconds:
        raise RequestRefused("invalid_input", f"{name}: @ is for sounds; shots follow each other in their order.")
    if found.mime_type.startswith("audio/"):
        raise RequestRefused("invalid_media", f"{name} is a sound ({found.mime_type}): put it into sounds.")
    if not found.mime_type.startswith("image/"):
        return _clip(wish, found, _part(wish, found.facts.duration_seconds, name))
    if wish.start_seconds:
        raise RequestRefused("invalid_input", f"{name} is a still: say how long it is shown, such as [3].")
    seconds = STILL_SECONDS if wish.end_seconds is None else wish.end_seconds
    return _clip(wish, found, seconds)


def _sound(wish: ClipWish, found: FoundFile, number: int, film_seconds: float) -> Clip:
    name = _named("sound", number, wish)
    if not found.facts.has_audio:
        what = "a still" if found.mime_type.startswith("image/") else "a video without sound"
        raise RequestRefused("invalid_media", f"{name} is {what}: nothing can be heard in it.")
    if wish.mute:
        raise RequestRefused("invalid_input", f"{name}: leave a sound out instead of muting it.")
    if wish.at_seconds >= film_seconds:
        raise RequestRefused(
            "invalid_input", f"{name} would begin at {wish.at_seconds:g} s, and the film is {film_seconds:.1f} s long."
        )
    return _clip(wish, found, _part(wish, found.facts.duration_seconds, name), wish.at_seconds)


def _part(wish: ClipWish, duration: float | None, name: str) -> float:
    """How much of a clip with a time of its own is used."""
    start, end = wish.start_seconds, wish.end_seconds
    if duration is None or duration <= 0:
        if end is None:
            raise RequestRefused("invalid_media", f"{name} does not say how long it is: give its part, such as [0-4].")
        return end - start
    if start >= duration or (end is not None and end > duration + _PAST_THE_END_SECONDS):
        raise RequestRefused("invalid_input", f"{name} is {seconds_text(duration)} long: its part lies outside.")
    return (duration if end is None else min(end, duration)) - start


def _rate(shots: Sequence[Clip]) -> Fraction:
    """That of the first moving shot, as it is meant."""
    measured = next((shot.frame_rate for shot in shots if shot.frame_rate and not shot.is_still), None)
    if measured is None:
        return STILLS_RATE
    near = min(RATES, key=lambda rate: abs(float(rate) - measured))
    if abs(float(near) - measured) <= _RATE_OFF * measured:
        return near
    return Fraction(round(min(max(measured, RATE_MIN), RATE_MAX)))


def frame_size(wish: FilmWish, shots: Sequence[Clip]) -> tuple[int, int]:
    """Width and height of the film, both even: the first shot's shape and lines, unless others are asked for."""
    first = shots[0]
    width, height = first.width or 16, first.height or 9
    if wish.aspect_ratio not in (None, "auto"):
        across, down = (float(part) for part in str(wish.aspect_ratio).split(":"))
    else:
        across, down = float(width), float(height)
    lines = _lines(wish.resolution) or min(width, height)
    if wish.resolution is None and first.is_still:
        moving = next((shot for shot in shots if not shot.is_still and shot.width and shot.height), None)
        told = LINES_OF_STILLS_MAX if moving is None else min(moving.width or lines, moving.height or lines)
        lines = min(lines, told) if moving is None else told
    unit = min(lines, LINES_MAX) / min(across, down)
    unit = min(unit, SIDE_MAX / max(across, down))
    return max(16, 2 * round(unit * across / 2)), max(16, 2 * round(unit * down / 2))


def _lines(resolution: str | None) -> int | None:
    if resolution is None:
        return None
    tiers = {"1k": 1080, "2k": 1440, "4k": 2160}
    if resolution in tiers:
        return tiers[resolution]
    if not resolution.endswith("p"):
        raise RequestRefused("invalid_input", f"resolution {resolution} is no size of a film: 480p, 720p, 1080p or 4k.")
    lines = int(resolution[:-1])
    if not 144 <= lines <= LINES_MAX:
        raise RequestRefused("invalid_input", f"resolution {resolution} is not made: 144p to {LINES_MAX}p.")
    return lines


def _check_transition(seconds: float, shots: Sequence[Clip], frame_rate: float) -> None:
    """A shot needs frames for the fades on both its sides."""
    if not seconds or len(shots) == 1:
        return
    longest: list[tuple[int, int]] = []
    for number, shot in enumerate(shots, start=1):
        sides = 1 if number in (1, len(shots)) else 2
        longest.append((shot_frames(shot, frame_rate) // sides, number))
    frames, number = min(longest)
    if round(seconds * frame_rate) > frames:
        short = shots[number - 1].seconds
        raise RequestRefused(
            "invalid_input",
            f"transition_seconds {seconds:g} is too long: shot {number} is {seconds_text(short)}, "
            f"which leaves {math.floor(100 * frames / frame_rate) / 100:g} s for a cross-fade.",
        )


def _check_length(seconds: float, wish: FilmWish) -> None:
    if seconds > FILM_SECONDS_MAX:
        raise RequestRefused(
            "invalid_input", f"The film would be {seconds_text(seconds)} long; at most {FILM_SECONDS_MAX:g} s are made."
        )
    if wish.fade_out_seconds > seconds:
        raise RequestRefused(
            "invalid_input",
            f"fade_out_seconds {wish.fade_out_seconds:g} is longer than the film ({seconds_text(seconds)}).",
        )


def _warnings(film: Film) -> Iterator[str]:
    barred = [n for n, shot in enumerate(film.shots, start=1) if _is_of_another_shape(shot, film)]
    if barred:
        yield (
            f"{listed(barred)} of another shape than the film ({film.width}x{film.height}), and "
            f"{'is' if len(barred) == 1 else 'are'} shown with black bars."
        )
    small = [n for n, shot in enumerate(film.shots, start=1) if _is_enlarged(shot, film)]
    if small:
        yield f"{listed(small)} smaller than the film ({film.width}x{film.height}), and enlarged."
    other = [n for n, shot in enumerate(film.shots, start=1) if _has_another_pace(shot, film)]
    if other:
        yield (
            f"{listed(other)} of another frame rate than the film ({film.frame_rate:.5g}): "
            "frames are repeated or left out."
        )
    yield from _sound_warnings(film)


def _is_of_another_shape(shot: Clip, film: Film) -> bool:
    if not shot.width or not shot.height:
        return False
    scale = min(film.width / shot.width, film.height / shot.height)
    return film.width - shot.width * scale > 4 or film.height - shot.height * scale > 4


def _is_enlarged(shot: Clip, film: Film) -> bool:
    if not shot.width or not shot.height:
        return False
    return min(film.width / shot.width, film.height / shot.height) > 1.02


def _has_another_pace(shot: Clip, film: Film) -> bool:
    if not shot.frame_rate or shot.is_still:
        return False
    return abs(shot.frame_rate / film.frame_rate - 1) > _RATE_OFF


def _sound_warnings(film: Film) -> Iterator[str]:
    if film.is_silent:
        yield "Nothing in it has sound, so that the film is silent: give a score in sounds."
        return
    silent = [n for n, shot in enumerate(film.shots, start=1) if not shot.has_audio and not shot.mute]
    if silent and len(silent) < len(film.shots):
        yield f"{listed(silent)} without sound of {'its' if len(silent) == 1 else 'their'} own."
    for number, sound in enumerate(film.sounds, start=1):
        over = sound.at_seconds + sound.seconds - film.seconds
        if over > 0.1:
            yield (
                f"Sound {number} is {over:.1f} s longer than the film: its end is left out, and it is faded out there."
            )
        elif over < -0.5:
            yield f"Sound {number} ends {-over:.1f} s before the film, and is not repeated."
