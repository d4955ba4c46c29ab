"""Progress of a waiting call: values that only grow (the protocol asks for that), and words that say the same."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from ..domain.record import TaskRecord
from ..domain.unwrapping import unwrapped

ResultT = TypeVar("ResultT")

ReportProgress = Callable[[float, str], Awaitable[None]]
"""Sends one progress notification: percent done (0 to 100), and a message."""

BEAT_SECONDS = 5.0
"""Between two notifications at most, while a call waits."""

APART_SECONDS = 1.0
"""Between two notifications at least, but for the end: nobody reads faster."""

_CREEP = 0.001
"""By so little, in percent, grows the value of what did not move, because equal values are not allowed."""

_UNFINISHED_MAX = 99.0


class ProgressMeter:
    """One call's progress: each value is greater than the last, and 100 for a good end alone.

    Args:
        report: Where the values go.
        now: Seconds of a clock that only runs on.
    """

    def __init__(self, report: ReportProgress, now: Callable[[], float] = anyio.current_time) -> None:
        self._report = report
        self._now = now
        self._last = 0.0
        self._told_at = -APART_SECONDS

    async def task(self, record: TaskRecord) -> None:
        """Report a task's state, at its end in any case."""
        ended_well = record.state == "succeeded" and record.settled
        percent = 100.0 if ended_well else _percent(record, self._last)
        await self._say(percent, _words(record, self._last), at_once=record.settled)

    async def several(self, records: Sequence[TaskRecord], of: int) -> None:
        """Report how far several tasks are together, of `of`."""
        done = sum(record.settled for record in records)
        shares = (1.0 if record.settled else record.progress or 0.0 for record in records)
        await self._say(min(100.0 * sum(shares) / of, _UNFINISHED_MAX), f"{done} of {of} done")

    async def beat(self, waits_for: str) -> None:
        """Report that the call goes on."""
        await self._say(None, f"waiting for {waits_for}")

    async def _say(self, percent: float | None, message: str, *, at_once: bool = False) -> None:
        now = self._now()
        if now - self._told_at < APART_SECONDS and not at_once:
            return
        self._told_at = now
        self._last = max(self._last + _CREEP, percent or 0.0)
        await self._report(self._last, message)


def progress_message(record: TaskRecord) -> str:
    """The state in words, with the percentage where it is known: `running, 40 %`."""
    return _words(record, 0.0)


def _words(record: TaskRecord, told: float) -> str:
    percent = _percent(record, told)
    return record.state if percent is None or record.final else f"{record.state}, {round(percent)} %"


def _percent(record: TaskRecord, told: float) -> float | None:
    """How much is done, and never less than was told before."""
    return None if record.progress is None else max(min(100.0 * record.progress, _UNFINISHED_MAX), told)


async def with_beats(
    meter: ProgressMeter,
    work: Callable[[], Awaitable[ResultT]],
    every_seconds: float,
    *,
    waits_for: str = "the gateway's answer",
) -> ResultT:
    """Do the work, and report every few seconds that it goes on.

    Raises:
        RushesError: as the work raised it.
    """
    outcomes: list[ResultT] = []
    with unwrapped():
        async with anyio.create_task_group() as beating:
            beating.start_soon(_beat, meter, every_seconds, waits_for)
            outcomes.append(await work())
            beating.cancel_scope.cancel()
    return outcomes[0]


async def _beat(meter: ProgressMeter, every_seconds: float, waits_for: str) -> None:
    while True:
        await anyio.sleep(every_seconds)
        await meter.beat(waits_for)
