"""The good ends of a moment ago, by the time that passes: a clock that is set does not change when they were."""

from collections import defaultdict
from datetime import datetime, timedelta

from ..domain.document import COUNTS_AFTER_SUCCESS, Counting
from ..domain.record import TaskRecord
from .ports import Clock


class RecentEnds:
    """Of this process; what others saw end is told by their documents alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends: dict[tuple[str, str], float] = {}
        """When, by fingerprint and id; the oldest first."""
        self._ended: defaultdict[str, set[str]] = defaultdict(set)
        """Their ids by fingerprint."""

    def note(self, record: TaskRecord) -> None:
        """The task has just ended well."""
        elapsed, fingerprint = self._clock.elapsed(), record.fingerprint or ""
        self._ends[fingerprint, record.task_id] = elapsed
        self._ended[fingerprint].add(record.task_id)
        while elapsed - next(iter(self._ends.values())) > COUNTS_AFTER_SUCCESS.total_seconds():
            old = next(iter(self._ends))
            del self._ends[old]
            self._ended[old[0]].discard(old[1])
            if not self._ended[old[0]]:
                del self._ended[old[0]]

    def counting(self, fingerprint: str | None, now: datetime) -> Counting:
        """Which documents of this fingerprint count now."""
        elapsed, own = self._clock.elapsed(), fingerprint or ""
        ended = {each: timedelta(seconds=elapsed - self._ends[own, each]) for each in self._ended.get(own, ())}
        return Counting(now, ended)
