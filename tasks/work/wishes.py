"""What gateways wish for the next look at a job, from the answer that said it until the next one."""

from dataclasses import dataclass

from ..ports import Clock
from .cadence import PAUSE_MIN_SECONDS, WISH_MAX_SECONDS


@dataclass(frozen=True)
class _Wish:
    seconds: float
    until: float


class Wishes:
    """The wish in each gateway's latest answer of a job: to its submission, or to a look. Kept by one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wishes: dict[str, _Wish] = {}

    def note(self, task_id: str, seconds: float | None) -> None:
        """What the latest answer wished for; `None` where it named no time."""
        if seconds is None:
            self._wishes.pop(task_id, None)
        else:
            bounded = min(seconds, WISH_MAX_SECONDS)
            self._wishes[task_id] = _Wish(bounded, self._clock.elapsed() + bounded)

    def left(self, task_id: str) -> float | None:
        """Seconds that the gateway still wishes to wait. A wish of less than a pause is one for looks so often."""
        wish = self._wishes.get(task_id)
        if wish is None or wish.seconds < PAUSE_MIN_SECONDS:
            return None if wish is None else wish.seconds
        left = wish.until - self._clock.elapsed()
        return left if left >= PAUSE_MIN_SECONDS else None

    def forget(self, task_id: str) -> None:
        """Nothing is left to do for the task here."""
        self._wishes.pop(task_id, None)
