"""How much of a time limit is left, counted by the time that passed and not by a clock that somebody may set."""

from datetime import datetime

from .clock import Clock


class Patience:
    """Counts down to the ends that records name.

    A record names an end as a time of day, so that another process can go on with it. Here it is read against the
    time of day once, when it is met; from then on only the time that passes counts. So a clock that is set, or that
    jumps when a machine resumes, neither ends a wait early nor makes one longer.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends: dict[str, tuple[datetime, float]] = {}

    def left(self, task_id: str, end: datetime) -> float:
        """Seconds until `end`; not above zero once it is past."""
        elapsed = self._clock.elapsed()
        known = self._ends.get(task_id)
        if known is None or known[0] != end:
            known = self._ends[task_id] = (end, elapsed + (end - self._clock.now()).total_seconds())
        return known[1] - elapsed

    def forget(self, task_id: str) -> None:
        """The task needs no more counting here."""
        self._ends.pop(task_id, None)
