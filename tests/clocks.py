"""Clocks for tests: one whose time of day is wrong, and one on which nobody has to wait."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import anyio

from rushes.tasks.clock import SystemClock

_SETTLING_SECONDS = 0.001
"""Real time that is given to whoever works, before the time jumps to the next moment that somebody waits for."""


@dataclass
class SteppedClock(SystemClock):
    """This machine's clock with its time of day put forward or back, or with time passed that nobody waited for."""

    ahead: timedelta = timedelta(0)
    """A step of the time of day alone."""
    passed: timedelta = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead + self.passed

    def elapsed(self) -> float:
        return super().elapsed() + self.passed.total_seconds()


@dataclass
class JumpingClock:
    """Time jumps to the next moment that somebody sleeps until; in between it stands still."""

    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    ahead: timedelta = timedelta(0)
    """A step of the time of day alone."""
    seconds: float = 0.0
    _sleepers: list[float] = field(default_factory=list[float])

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds) + self.ahead

    def elapsed(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        due = self.seconds + max(0.0, seconds)
        self._sleepers.append(due)
        try:
            while True:
                await anyio.sleep(_SETTLING_SECONDS)
                if self.seconds >= due:
                    return
                if min(self._sleepers) == due:
                    self.seconds = due
                    return
        finally:
            self._sleepers.remove(due)
