"""The fuse: where in its work a process ends, stalls, or is held until somebody does something to it."""

import os
import signal
from collections import Counter
from collections.abc import Callable

import anyio
from pydantic import BaseModel

Tell = Callable[[str], None]
"""Says an event to the test that started this process."""


class Burn(BaseModel):
    """What happens where; places are named by the seams in `seams.py`, such as `job-id.before`."""

    kill_at: str | None = None
    nth: int = 1
    """Not before the process comes to `kill_at` for this time."""
    stall_at: str | None = None
    """It stops (SIGSTOP), after the event `stalling`, until it is sent SIGCONT."""
    hold_at: str | None = None
    """It stays there, after the event `held`, until it is cancelled."""
    tell_at: str | None = None
    """Coming here for the n-th time is the event `<place> n`."""


class Fuse:
    """Acts on a process by what was ordered."""

    def __init__(self, burn: Burn, tell: Tell) -> None:
        self._burn = burn
        self._tell = tell
        self._passed: Counter[str] = Counter()

    async def at(self, place: str) -> None:
        """The process is here now."""
        burn = self._burn
        self._passed[place] += 1
        times = self._passed[place]
        if place == burn.kill_at and times == burn.nth:
            os.kill(os.getpid(), signal.SIGKILL)
        if place == burn.tell_at:
            self._tell(f"{place} {times}")
        if place == burn.stall_at and times == 1:
            self._tell("stalling")
            os.kill(os.getpid(), signal.SIGSTOP)
        if place == burn.hold_at and times == 1:
            self._tell("held")
            await anyio.sleep_forever()
