"""When to look at a job next: pure functions of what is known.

Looks cost requests, and late looks cost the agent's time. With the hazard rate h(t) of the job's end and a price of
`c` seconds of lag per look, the best pause is sqrt(2c / h) (Barlow, Hunter and Proschan 1963; Keller 1974). The time
of a generation is taken as log-normal around the model's expected time. Refusals come much sooner than results, so the
first pauses grow with the time that has passed, whatever is expected.
"""

import math
from dataclasses import dataclass

WAITED_FOR, NORMAL, UNWATCHED = 0.1, 0.3, 2.0
"""Price of a look in seconds of lag: somebody waits for it, nobody in particular, given up here already."""

SPREAD = 0.6
"""Standard deviation of the logarithm of a generation's time."""

PAUSE_MIN_SECONDS = 1.0
ERROR_PAUSE_MAX_SECONDS = 120.0
WISH_MAX_SECONDS = 3600.0
"""A gateway's wish for the next look is honoured up to this."""

EXPECTED_SECONDS = {"video": 120.0, "image": 20.0, "audio": 15.0}
"""Where the model's facts name no expected time."""


@dataclass(frozen=True)
class Look:
    """What the pause before the next look depends on; times in seconds."""

    elapsed: float
    expected: float
    price: float = NORMAL
    errors: int = 0
    """Failed looks in a row."""
    wish: float | None = None
    """The gateway's own wish; a floor."""


def hazard(elapsed: float, expected: float) -> float:
    """Rate of the job's end at `elapsed`, per second, given that it has not ended yet."""
    if elapsed <= 0:
        return 0.0
    z = (math.log(elapsed) - math.log(expected)) / SPREAD
    survival = 0.5 * math.erfc(z / math.sqrt(2))
    density = math.exp(-z * z / 2) / (elapsed * SPREAD * math.sqrt(2 * math.pi))
    return density / survival if survival > 1e-9 else (z / SPREAD) / elapsed


def pause_seconds(look: Look, jitter: float) -> float:
    """Seconds until the next look. `jitter` lies in -1..1 and moves the pause by up to a tenth."""
    if look.errors:
        base = min(PAUSE_MIN_SECONDS * 2.0 ** min(look.errors, 10), ERROR_PAUSE_MAX_SECONDS)
    else:
        base = _best_pause(look)
    floor = min(look.wish, WISH_MAX_SECONDS) if look.wish is not None else 0.0
    quick = look.wish is not None and look.wish < PAUSE_MIN_SECONDS and not look.errors
    return max(0.05, floor) if quick else max(base * (1 + 0.1 * jitter), floor)


def _best_pause(look: Look) -> float:
    rate = hazard(max(look.elapsed, 0.05 * look.expected), look.expected)
    best = math.sqrt(2 * look.price / rate) if rate > 0 else look.expected
    growing = PAUSE_MIN_SECONDS + (0.25 if look.price <= WAITED_FOR else 0.5) * look.elapsed
    longest = max(15.0, 0.12 * look.elapsed)
    return max(min(best, growing, longest), PAUSE_MIN_SECONDS)
