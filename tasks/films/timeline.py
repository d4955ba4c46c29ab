"""Where each shot stands in a film, counted in frames; pure."""

from dataclasses import dataclass

from ...domain.film import Clip, Film


@dataclass(frozen=True)
class Stand:
    """One shot's place."""

    begins: int
    """Frames of the film before its first one."""
    frames: int
    overlap: int
    """So many of its first frames are faded over the last ones of the shot before."""
    alone: int
    """So many frames after that are seen alone."""


def shot_frames(shot: Clip, frame_rate: float) -> int:
    """Pictures of a shot in the film, at least one."""
    return max(1, round(shot.seconds * frame_rate))


def places(film: Film) -> list[Stand]:
    """The place of each shot."""
    faded = round(film.transition_seconds * film.frame_rate)
    counts = [shot_frames(shot, film.frame_rate) for shot in film.shots]
    stands: list[Stand] = []
    begins = 0
    for number, count in enumerate(counts):
        before = faded if number else 0
        after = faded if number + 1 < len(counts) else 0
        stands.append(Stand(begins, count, before, count - before - after))
        begins += count - after
    return stands


def film_frames(shots: tuple[Clip, ...], frame_rate: float, transition_seconds: float) -> int:
    """Pictures of the whole film."""
    faded = round(transition_seconds * frame_rate)
    return sum(shot_frames(shot, frame_rate) for shot in shots) - faded * (len(shots) - 1)
