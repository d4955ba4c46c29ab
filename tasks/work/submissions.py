"""The submissions that this process has begun and has no answer to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import anyio

from ...domain.record import TaskRecord
from ..intake.routing import Candidate


@dataclass
class _Submission:
    answered: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    record: TaskRecord | None = None
    candidates: Sequence[Candidate] = ()


class Submissions:
    """Task ids, each until its gateway has answered or is known not to, with the plans that no record holds.

    An id is here before its record is journaled. That is what tells a submission of this process from one that was
    found in flight: only what is here is ever sent.
    """

    def __init__(self) -> None:
        self._submissions: dict[str, _Submission] = {}

    def __contains__(self, task_id: object) -> bool:
        return task_id in self._submissions

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._submissions))

    def expect(self, task_id: str) -> None:
        """A submission of this task is about to begin."""
        if task_id not in self._submissions:
            self._submissions[task_id] = _Submission()

    def ready(self, record: TaskRecord, candidates: Sequence[Candidate]) -> None:
        """Its record is in the journal: the task's next step sends it to these, in this order."""
        self.expect(record.task_id)
        submission = self._submissions[record.task_id]
        submission.record, submission.candidates = record, candidates

    def journaled(self, task_id: str) -> TaskRecord | None:
        """The record of one that is ready, with nothing read back: its POST does not depend on it."""
        submission = self._submissions.get(task_id)
        return None if submission is None else submission.record

    def candidates(self, task_id: str) -> Sequence[Candidate]:
        """To whom it goes; nobody where its record is still being journaled."""
        return self._submissions[task_id].candidates

    def ended(self, task_id: str) -> None:
        """Wake those who wait for its answer."""
        self._submissions.pop(task_id).answered.set()

    def sending(self, task_id: str) -> anyio.CancelScope:
        """The scope of the POST, which `abandon` cancels: whoever sends it then notes that its answer is lost."""
        return self._submissions[task_id].scope

    async def answered(self) -> None:
        """Wait until each that is under way now has its answer, or is known not to get one."""
        for submission in list(self._submissions.values()):
            await submission.answered.wait()

    async def abandon(self) -> None:
        """Wait no longer for the answers that did not come, only until the records say so."""
        for submission in list(self._submissions.values()):
            submission.scope.cancel()
        await self.answered()
