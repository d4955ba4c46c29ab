"""How a film is encoded: in its own length on one core at most, and nowhere with more bits than are seen; pure."""

import math
from fractions import Fraction

from ...domain.film import Clip, Film

_KEY_FRAME_SECONDS = 2
_BITS_A_PIXEL_MAX = 0.55
"""Of the film, over any two seconds: 12 Mbit/s at 720p and 24 frames a second, twice of what services stream. Grain on
all of it would take three times as many, which is more than players of that size have to take."""
_BITS_A_SECOND_MIN = 4_000_000
"""However small its frame is."""

_ORDINARY = {"preset": "veryfast", "crf": "19"}
_HEAVY = {"preset": "superfast", "crf": "23", "coder": "vlc", "bf": "0", "x264-params": "rc-lookahead=10:ipratio=1.1"}
"""For footage with grain on all of it. What a slower search finds there is not seen, and arithmetic coding takes as
long as everything else. Where bits are short, grain would be kept in key frames and lost in those between two others,
so that it flickers: there are no such frames, and key frames are hardly better than the rest."""
_HEAVY_BITS_A_PIXEL = 0.5
"""Of the footage; 11 Mbit/s at 720p and 24 frames a second."""


def encoder_options(film: Film) -> dict[str, str]:
    """The options of libx264 for a film."""
    rate = Fraction(*film.rate)
    bits = round(max(_BITS_A_SECOND_MIN, _BITS_A_PIXEL_MAX * film.width * film.height * float(rate)))
    heavy = _bits_a_pixel(film) > _HEAVY_BITS_A_PIXEL
    return {
        **(_HEAVY if heavy else _ORDINARY),
        "maxrate": str(bits),
        "bufsize": str(2 * bits),
        "rc_init_occupancy": str(bits),
        "g": str(math.ceil(_KEY_FRAME_SECONDS * rate)),
    }


def _bits_a_pixel(film: Film) -> float:
    """Of its footage, on average over the film's length."""
    seconds = sum(shot.seconds for shot in film.shots)
    return sum(_bits_of(shot) * shot.seconds for shot in film.shots) / seconds if seconds else 0.0


def _bits_of(shot: Clip) -> float:
    if shot.is_still:
        return 0.0
    pixels = (shot.width or 0) * (shot.height or 0) * (shot.frame_rate or 0.0) * (shot.duration_seconds or 0.0)
    return 8 * shot.size_bytes / pixels if pixels else 0.0
