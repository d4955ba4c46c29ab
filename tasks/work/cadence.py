"""When to look at a job next: pure functions of what is known.

Looks cost requests, and late looks cost the agent's time. With the hazard rate h(t) of the job's end and a price of
`c` seconds of lag per look, the best pause is sqrt(2c / h) (Barlow, Hunter and Proschan 1963; Keller 1974). What is
expected of a job's time is learned from those before it (`durations.py`). docs/benchmarks.md says how near
this comes to what no rule can better.
"""

import math
from dataclasses import dataclass

from .durations import Expectation

WAITED_FOR, NORMAL, UNWATCHED = 0.1, 0.3, 2.0
"""Price of a look in seconds of lag: somebody waits for it, nobody in particular, given up here already."""

PRICED_SECONDS = 120.0
"""Of jobs that are shorter a second of lag counts for more, in proportion: nobody wants to wait twice for a picture."""
PRICE_MIN = 0.03

PAUSE_MIN_SECONDS = 1.0
EARLY_SHARE = 0.45
"""Of the median: before it no pause is longer."""
LATE_SECONDS, LATE_SHARE = 15.0, 0.12
"""After it none is longer than this, or this share of the time that has passed."""
FIRST_SHARE = 0.01
"""Of the median: what is expected of the moments before is what is expected here, for it is next to nothing."""

AHEAD = (0.0, 0.15, 0.4)
"""Moments at which the rate is asked for, in shares of the longest pause."""

ERROR_PAUSE_MAX_SECONDS = 120.0
RETRY_AFTER_MAX_SECONDS = 3600.0
"""What a gateway says of the next look is honoured up to this."""

EXPECTED_SECONDS = {"video": 120.0, "image": 20.0, "audio": 15.0}
"""Where the model's facts name no expected time."""


@dataclass(frozen=True)
class Outlook:
    """What the pause before the next look depends on; times in seconds."""

    elapsed: float
    """Since the job began to run, as far as that is known, else since it was submitted."""
    expectation: Expectation
    price: float = NORMAL
    errors: int = 0
    """Failed looks in a row."""
    retry_after: float | None = None
    """The gateway's own: a floor. Only one for looks in less than a second, which would not be made without, brings the
    next one forward; no time at all (`Retry-After: 0`) says nothing."""


def pause_seconds(look: Outlook, jitter: float) -> float:
    """Seconds until the next look. `jitter` lies in -1..1 and moves the pause by up to a tenth."""
    if look.errors:
        base = min(PAUSE_MIN_SECONDS * 2.0 ** min(look.errors, 10), ERROR_PAUSE_MAX_SECONDS)
    else:
        base = _best_pause(look)
    floor = min(look.retry_after, RETRY_AFTER_MAX_SECONDS) if look.retry_after is not None else 0.0
    quick = 0 < floor < PAUSE_MIN_SECONDS and not look.errors
    return max(0.05, floor) if quick else max(base * (1 + 0.1 * jitter), floor)


def _best_pause(look: Outlook) -> float:
    median = look.expectation.median
    price = max(look.price * min(1.0, median / PRICED_SECONDS), min(PRICE_MIN, look.price))
    longest = EARLY_SHARE * median if look.elapsed < median else max(LATE_SECONDS, LATE_SHARE * look.elapsed)
    now, best = max(look.elapsed, FIRST_SHARE * median), longest
    for share in AHEAD:
        # What is best from a moment ahead on counts from now: soon there may be more to see, such as refusals.
        rate = look.expectation.hazard(now + share * longest)
        if rate > 0:
            best = min(best, share * longest + math.sqrt(2 * price / rate))
    return max(best, PAUSE_MIN_SECONDS)
