"""A gateway's documented rate, kept inside of by looks and submissions together, with room for submissions always.

A gateway that counts every request refuses a paid one when looks have used its minute up. So looks may fill only a part
of the rate, wait where submissions fill it, and a submission beyond the rate waits for the moment at which it fits.
Each process counts for itself; where several share an account, what is refused all the same is held.
"""

import math
from bisect import bisect_right, insort
from collections.abc import Mapping

from ...providers.provider import Provider
from ..ports import Clock

WINDOW_SECONDS = 60.0
LOOKS_SHARE = 0.75
"""Looks leave the rest of the rate to submissions, however many tasks are watched."""

BURST_SHARE = 0.1
"""So many looks of a minute may come at once; beyond that they are spread over it."""

_SAME_SECONDS = 0.001


class _Budget:
    """One gateway's requests of the last minute, and those that are promised a time to come."""

    def __init__(self, per_minute: float) -> None:
        self._max = max(1, math.floor(per_minute))
        self._looks_max = max(1, math.floor(self._max * LOOKS_SHARE))
        self._pause = WINDOW_SECONDS / self._looks_max
        self._burst = self._pause * self._max * BURST_SHARE
        self._times: list[float] = []
        """In order."""
        self._next_look = -math.inf
        self._promised: dict[str, float] = {}
        self._booked: dict[str, float] = {}

    def look(self, task_id: str, now: float) -> float:
        """Seconds until this look may be made; 0.0 counts it."""
        self._drop_old(now)
        due = self._booked.get(task_id)
        if due is None:
            due = self._place(now)
        if due <= now + _SAME_SECONDS:
            free_at = self._free_at(self._looks_max)
            if free_at <= now + _SAME_SECONDS:
                self._booked.pop(task_id, None)
                insort(self._times, now)
                return 0.0
            due = self._place(free_at)
        self._booked[task_id] = due
        return due - now

    def _place(self, at: float) -> float:
        """The next place in the row of looks, not before `at`."""
        due = max(at - self._burst, self._next_look)
        self._next_look = due + self._pause
        return max(at, due)

    def submission(self, task_id: str, now: float) -> float:
        """Seconds until this submission fits; 0.0 counts it.

        A time that was promised is kept in mind as if it were sent then, so that whoever comes later goes later. What
        comes to its time is counted anew: it, or those before it, may have been late.
        """
        self._drop_old(now)
        promised = self._unpromised(task_id)
        if promised is not None and promised > now + _SAME_SECONDS:
            return self._promise(task_id, promised) - now
        before = self._times if promised is None else self._times[: bisect_right(self._times, now)]
        if len(before) < self._max:
            insort(self._times, now)
            return 0.0
        return self._promise(task_id, max(now, before[-self._max] + WINDOW_SECONDS)) - now

    def _promise(self, task_id: str, due: float) -> float:
        insort(self._times, due)
        self._promised[task_id] = due
        return due

    def _unpromised(self, task_id: str) -> float | None:
        promised = self._promised.pop(task_id, None)
        if promised is not None and promised in self._times:
            self._times.remove(promised)
        return promised

    def note(self, now: float) -> None:
        """A request that cannot wait."""
        insort(self._times, now)

    def forget(self, task_id: str) -> None:
        self._booked.pop(task_id, None)
        self._unpromised(task_id)

    def _free_at(self, most: int) -> float:
        """When fewer than `most` requests lie in the minute before."""
        return self._times[-most] + WINDOW_SECONDS if len(self._times) >= most else -math.inf

    def _drop_old(self, now: float) -> None:
        del self._times[: bisect_right(self._times, now - WINDOW_SECONDS)]


class Rates:
    """The budgets of all gateways that name a rate; where none is named, nothing waits."""

    def __init__(self, providers: Mapping[str, Provider], clock: Clock) -> None:
        self._clock = clock
        self._budgets = {
            name: _Budget(rate) for name, provider in providers.items() if (rate := provider.traits.requests_per_minute)
        }

    def look_in(self, provider: str, task_id: str) -> float:
        """Seconds until a look at this task may be made; where it may be made now (0.0) it is counted."""
        budget = self._budgets.get(provider)
        return budget.look(task_id, self._clock.elapsed()) if budget else 0.0

    def submit_in(self, provider: str, task_id: str) -> float:
        """Seconds until this task's POST fits into the rate; where it fits now (0.0) it is counted."""
        budget = self._budgets.get(provider)
        return budget.submission(task_id, self._clock.elapsed()) if budget else 0.0

    def note(self, provider: str) -> None:
        """Count another request, such as a cancellation."""
        if budget := self._budgets.get(provider):
            budget.note(self._clock.elapsed())

    def forget(self, provider: str, task_id: str) -> None:
        """The task needs no more place."""
        if budget := self._budgets.get(provider):
            budget.forget(task_id)
