"""How soon gateways want no further look at a job: what each one's latest answer said of that, until the next one."""

from dataclasses import dataclass

from ..ports import Clock
from .cadence import PAUSE_MIN_SECONDS, RETRY_AFTER_MAX_SECONDS


@dataclass(frozen=True)
class _Told:
    seconds: float
    until: float


class RetryAfter:
    """The time in each gateway's latest answer of a job: to its submission, or to a look. Kept by one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[str, _Told] = {}

    def note(self, task_id: str, seconds: float | None) -> None:
        """What the latest answer said; `None` where it named no time."""
        if seconds is None:
            self._told.pop(task_id, None)
        else:
            bounded = min(seconds, RETRY_AFTER_MAX_SECONDS)
            self._told[task_id] = _Told(bounded, self._clock.elapsed() + bounded)

    def left(self, task_id: str) -> float | None:
        """Seconds that are still to pass. A time of less than a pause asks for looks so often."""
        told = self._told.get(task_id)
        if told is None or told.seconds < PAUSE_MIN_SECONDS:
            return None if told is None else told.seconds
        left = told.until - self._clock.elapsed()
        return left if left >= PAUSE_MIN_SECONDS else None

    def forget(self, task_id: str) -> None:
        """Nothing is left to do for the task here."""
        self._told.pop(task_id, None)
