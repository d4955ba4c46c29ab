"""The submissions that this process has begun and has no answer to."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio


@dataclass
class _Submission:
    answered: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class Underway:
    """Task ids, each until its gateway has answered or is known not to.

    An id is here before its record is journaled: a look of the takeover in between must not take it for left lying.
    """

    def __init__(self) -> None:
        self._submissions: dict[str, _Submission] = {}

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._submissions

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._submissions))

    def expect(self, task_id: str) -> None:
        """A submission of this task is about to begin."""
        self._submissions.setdefault(task_id, _Submission())

    def ended(self, task_id: str) -> None:
        """Wake those who wait for its answer."""
        self._submissions.pop(task_id).answered.set()

    @asynccontextmanager
    async def sending(self, task_id: str) -> AsyncGenerator[None]:
        """The POST itself, which `abandon` cancels: whoever sends it then notes that its answer is lost."""
        with self._submissions[task_id].scope:
            yield

    async def answered(self) -> None:
        """Wait until each that is under way now has its answer, or is known not to get one."""
        for submission in list(self._submissions.values()):
            await submission.answered.wait()

    async def abandon(self) -> None:
        """Wait no longer for the answers that did not come, only until the records say so."""
        for submission in list(self._submissions.values()):
            submission.scope.cancel()
        await self.answered()
