"""The clock as a port: what time it is, how much time has passed, and waiting, so that tests wait on nothing."""

import time
from datetime import UTC, datetime
from typing import Protocol

import anyio


class Clock(Protocol):
    """Two times that must not be mixed up, and a wait by the second of them."""

    def now(self) -> datetime:
        """The time of day, in UTC. It may jump either way: a person or a time server sets it, a machine resumes."""
        ...

    def elapsed(self) -> float:
        """Seconds since some moment of this process. Never goes back, and means nothing to another process."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for that much of `elapsed`."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)
