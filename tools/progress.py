"""Progress of a waiting call: values that only grow (the protocol asks for that), messages that state the truth."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from ..domain.record import TaskRecord
from ..domain.unwrapping import unwrapped

ResultT = TypeVar("ResultT")

ReportProgress = Callable[[float, str], Awaitable[None]]
"""Sends one progress notification: percent done (0 to 100), and a message."""

BEAT_SECONDS = 5.0
"""Between two notifications at most, while a call waits."""

_CREEP = 0.01
"""Share of what is left that an unchanged task's value grows by, because equal values are not allowed."""


class ProgressMeter:
    """One call's progress: each value is greater than the last, and below 100 until the end."""

    def __init__(self, report: ReportProgress) -> None:
        self._report = report
        self._last = 0.0

    async def task(self, record: TaskRecord) -> None:
        """Report a task's state."""
        if record.final:
            self._last = max(self._last, 99.0)
        await self._say(record.progress, progress_message(record))

    async def beat(self) -> None:
        """Report that the submission goes on."""
        await self._say(None, "waiting for the gateway's answer")

    async def _say(self, fraction: float | None, message: str) -> None:
        creeping = self._last + (100.0 - self._last) * _CREEP
        self._last = max(creeping, min(100.0 * (fraction or 0.0), 99.0))
        await self._report(self._last, message)


def progress_message(record: TaskRecord) -> str:
    """The state in words, with the percentage where it is known: `running, 40 %`."""
    if record.progress is None or record.final:
        return record.state
    return f"{record.state}, {round(100 * record.progress)} %"


async def with_beats(meter: ProgressMeter, work: Callable[[], Awaitable[ResultT]], every_seconds: float) -> ResultT:
    """Do the work, and report every few seconds that it goes on.

    Raises:
        RushesError: as the work raised it.
    """
    outcomes: list[ResultT] = []
    with unwrapped():
        async with anyio.create_task_group() as beating:
            beating.start_soon(_beat, meter, every_seconds)
            outcomes.append(await work())
            beating.cancel_scope.cancel()
    return outcomes[0]


async def _beat(meter: ProgressMeter, every_seconds: float) -> None:
    while True:
        await anyio.sleep(every_seconds)
        await meter.beat()
