"""Clocks for tests: one whose time of day is wrong, and one on which nobody has to wait."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import anyio.lowlevel

from rushes.tasks.clock import SystemClock

_SETTLING_SECONDS = 0.001
"""Real time that is given to whoever works, before the time jumps to the next moment that somebody waits for."""

_LOOK_AGAIN_SECONDS = 0.005


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
class MachineClock(SteppedClock):
    """The clock of a machine on which several processes run: its time of day is put forward or back for all at once."""

    file: Path | None = None
    """The seconds by which it is ahead, besides."""

    def now(self) -> datetime:
        told = timedelta(0) if self.file is None else timedelta(seconds=float(self.file.read_text("ascii")))
        return super().now() + told


def put_clock(file: Path, seconds: float) -> None:
    """Let the clock of that machine be so far ahead."""
    new = file.with_suffix(".new")
    new.write_text(str(seconds), "ascii")
    new.replace(file)


@dataclass
class StandingClock:
    """Time stands still, until a test puts it forward."""

    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0.0
    _moved: anyio.Event = field(default_factory=anyio.Event)

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds)

    def elapsed(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        due = self.seconds + max(0.0, seconds)
        await anyio.lowlevel.checkpoint()
        while self.seconds < due:
            await self._moved.wait()

    def put_forward(self, seconds: float) -> None:
        """Let so many seconds pass, for whoever sleeps too."""
        self.seconds += seconds
        moved, self._moved = self._moved, anyio.Event()
        moved.set()


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


async def a_moment() -> None:
    """Let others work before a look at what they have come to: a look at once after the other would take a core."""
    await anyio.sleep(_LOOK_AGAIN_SECONDS)
