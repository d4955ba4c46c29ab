"""The tasks that are done, as this process knows them: who looks at one again and again need not read the store."""

from collections.abc import Sequence
from typing import TypeVar

from ..domain.record import TaskRecord

T = TypeVar("T")

KNOWN_MAX = 64


class DoneRecords:
    """Records on which nothing is left to do, and what was made from them: only by hand they are changed again.

    Every read of the store may be overtaken by a write. So who reads notes the `turn` before and tells it with what was
    read: what is of an earlier turn is not kept.
    """

    def __init__(self, known_max: int = KNOWN_MAX) -> None:
        self._known_max = known_max
        self._records: dict[str, TaskRecord] = {}
        self._children: dict[str, tuple[str, ...]] = {}
        self.turn = 0

    def get(self, task_id: str) -> TaskRecord | None:
        """The record as it was read last; `None` where it is not known."""
        return self._records.get(task_id)

    def children(self, task_id: str) -> tuple[str, ...] | None:
        """Ids of the tasks that were made from it; `None` where they are not known."""
        return self._children.get(task_id)

    def keep(self, record: TaskRecord, turn: int) -> None:
        """Know a record that was read just now, if its task is done."""
        if turn == self.turn and not record.open:
            _put(self._records, record.task_id, record, self._known_max)

    def keep_children(self, task_id: str, children: Sequence[str], turn: int) -> None:
        """Know what was made from a task that is done."""
        if turn == self.turn and task_id in self._records:
            _put(self._children, task_id, tuple(children), self._known_max)

    def written(self, record: TaskRecord) -> None:
        """This process has written it: it is read anew, and so is what was made from the tasks that it came from."""
        self.turn += 1
        self._records.pop(record.task_id, None)
        for parent in record.parents:
            self._children.pop(parent, None)

    def forget_all(self) -> None:
        """Somebody else has written, nobody knows what."""
        self.turn += 1
        self._records.clear()
        self._children.clear()


def _put(known: dict[str, T], task_id: str, value: T, known_max: int) -> None:
    known.pop(task_id, None)
    known[task_id] = value
    if len(known) > known_max:
        del known[next(iter(known))]
