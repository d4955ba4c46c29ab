"""The time of day for deadlines: read once for each task, and then counted on by the time that passes."""

from datetime import UTC, datetime, timedelta

from .ports import Clock

_START = datetime(2000, 1, 1, tzinfo=UTC)
_SAME_SECONDS = 0.25
"""The two clocks are read one after the other, and drift a little: less than this is no clock that was set."""


class SteadyTime:
    """Tells by what time a task's deadlines are to be judged.

    Records name their ends as times of day, so that another process can go on with them. This process reads its clock
    when it meets a task, and from then on only the time that passes counts for that task. So a clock that is set, or
    that jumps when a machine resumes, neither ends a healthy job early nor makes anybody wait longer.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = 0.0
        self._offsets: dict[str, float] = {}
        """Seconds between the time of day and the time that passes. Tasks met under one setting of the clock share
        one number, for the sake of memory."""

    def now(self, task_id: str) -> datetime:
        """The time of day, as it would be had nobody set the clock since this task was met."""
        elapsed = self._clock.elapsed()
        offset = self._offsets.get(task_id)
        if offset is None:
            offset = self._offsets[task_id] = self._present(elapsed)
        return _START + timedelta(seconds=elapsed + offset)

    def meet_again(self, task_id: str) -> None:
        """An end was named just now, by the clock as it is set now."""
        self._offsets[task_id] = self._present(self._clock.elapsed())

    def forget(self, task_id: str) -> None:
        """The task needs no more counting here."""
        self._offsets.pop(task_id, None)

    def _present(self, elapsed: float) -> float:
        offset = (self._clock.now() - _START).total_seconds() - elapsed
        if abs(offset - self._offset) > _SAME_SECONDS:
            self._offset = offset
        return self._offset
