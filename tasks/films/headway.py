"""How far the work on a film is, told now and then."""

import time
from collections.abc import Callable

EVERY_SECONDS = 0.25


class Progress:
    """Tells on what it is called with, but not more often than anybody can read."""

    def __init__(self, tell: Callable[[float], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._told_at = float("-inf")

    def __call__(self, done: float) -> None:
        now = self._clock()
        if now - self._told_at >= EVERY_SECONDS:
            self._told_at = now
            self._tell(round(min(max(done, 0.0), 1.0), 3))
