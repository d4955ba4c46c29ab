"""The film: which shots and sounds one MP4 is assembled from, and where each of them stands in it; pure.

All times are seconds; a still has no time of its own and is shown for as long as its clip says.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .kept_media import Kept
from .value import Value

FILM_PROVIDER = "rushes"
"""The provider that assembles films: rushes itself. People name servers of their own `local`."""
FILM_MODEL = "assemble"

SHOTS_MAX = 64
SOUNDS_MAX = 16
FILM_SECONDS_MAX = 1800.0
STILL_SECONDS = 3.0
"""How long a still is shown where nobody said."""

LOUDNESS_LUFS = -16.0
"""Integrated loudness (EBU R128) to which the sound of a film is brought: what web players and podcasts aim at."""
PEAK_DBFS = -1.5
"""No sample is louder than that."""
LOUDNESS_GAIN_MAX_DB = 20.0
"""Hardly anything is to be heard below that, and it would be noise."""

SAMPLE_RATE = 48_000
"""Of a film's sound, which is stereo."""

Role = Literal["shot", "sound"]


class ClipWish(Value):
    """A shot or a sound as it was asked for."""

    given: str
    """As it was written, to say which one is meant."""
    source: str
    """What of it names the medium: `task:<task_id>#1`, or a path."""
    start_seconds: float = 0.0
    end_seconds: float | None = None
    """`None`: until its own end."""
    gain_db: float = 0.0
    mute: bool = False
    at_seconds: float = 0.0
    """Of a sound: where in the film it begins."""


class FilmWish(Value):
    """A film as it was asked for."""

    shots: tuple[ClipWish, ...]
    sounds: tuple[ClipWish, ...] = ()
    transition_seconds: float = 0.0
    """Of each cross-fade; 0 for cuts."""
    fade_out_seconds: float = 0.0
    aspect_ratio: str | None = None
    resolution: str | None = None
    loudness_lufs: float = LOUDNESS_LUFS

    @property
    def title(self) -> str:
        """What stands in place of a prompt, before anybody knows how long it will be."""
        return _title(len(self.shots), len(self.sounds))


class Clip(Value):
    """A shot or a sound that was found: the file, what is in it, and what of it is used."""

    given: str
    path: str
    """Of the file on this machine."""
    mime_type: str
    size_bytes: int
    sha256: str
    width: int | None = None
    """As it is shown: upright, with square pixels."""
    height: int | None = None
    duration_seconds: float | None = None
    """Of the whole file; `None` for a still."""
    frame_rate: float | None = None
    has_audio: bool = False

    start_seconds: float = 0.0
    seconds: float = 0.0
    """How much of it is used."""
    gain_db: float = 0.0
    mute: bool = False
    at_seconds: float = 0.0

    @property
    def is_still(self) -> bool:
        return self.mime_type.startswith("image/")

    @property
    def is_heard(self) -> bool:
        return self.has_audio and not self.mute

    @property
    def kept(self) -> Kept:
        """By what it can be opened again."""
        return Kept(Path(self.path), self.size_bytes, self.sha256)


class Film(Value):
    """Everything that decides the bytes of the film, as JSON that a task's record can hold."""

    shots: tuple[Clip, ...]
    sounds: tuple[Clip, ...] = ()
    width: int
    height: int
    """Pixels, both even."""
    rate: tuple[int, int]
    """Frames a second, as a fraction."""
    transition_seconds: float = 0.0
    fade_out_seconds: float = 0.0
    loudness_lufs: float = LOUDNESS_LUFS
    seconds: float
    """Its length."""

    @property
    def frame_rate(self) -> float:
        """Frames a second."""
        return self.rate[0] / self.rate[1]

    @property
    def frames(self) -> int:
        """Number of its pictures."""
        return round(self.seconds * self.frame_rate)

    @property
    def is_silent(self) -> bool:
        """Nothing in it can be heard, so that it has no soundtrack."""
        return not any(clip.is_heard for clip in (*self.shots, *self.sounds))

    @property
    def title(self) -> str:
        """What stands in place of a prompt."""
        return f"{_title(len(self.shots), len(self.sounds))}, {self.seconds:.1f} s"


def _title(shots: int, sounds: int) -> str:
    heard = "" if not sounds else " and a sound" if sounds == 1 else f" and {sounds} sounds"
    return f"film of {shots} {'shot' if shots == 1 else 'shots'}{heard}"


@dataclass(frozen=True)
class Rendered:
    """What is to be said of a film that was made."""

    loudness_before_lufs: float | None
    """Integrated loudness of the mix; `None` where nothing can be heard in it."""
    gain_db: float
    """By so much it was made louder."""
    notes: tuple[str, ...] = ()
