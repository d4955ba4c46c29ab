"""The clock of this machine, as the port wants it."""

import time
from datetime import UTC, datetime

import anyio


class SystemClock:
    """What time it is, how much time has passed, and waiting."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)
