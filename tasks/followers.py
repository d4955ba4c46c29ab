"""Followers: whoever in this process wants to hear at once what a write of a record says has happened."""

import logging
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields

from ..domain.events import Event, Looked, Warned, events_between
from ..domain.failure import Failure
from ..domain.job import Cost
from ..domain.record import TaskRecord

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Change:
    """One write: the record as it is stored now, and what happened since the one before."""

    record: TaskRecord
    events: tuple[Event, ...]


Follower = Callable[[Change], None]
"""Called in the writer's own task, right after the write: it must return at once."""


class Followers:
    """Tells of changes, once each, in the order of the writes of this process. Other processes' are not heard of."""

    def __init__(self) -> None:
        self._of_task: defaultdict[str, list[Follower]] = defaultdict(list)
        self._of_all: list[Follower] = []

    @contextmanager
    def following(self, follower: Follower, task_id: str | None = None) -> Generator[None]:
        """Tell `follower` of every change of this task, or of all tasks, while the context is open."""
        listed = self._of_all if task_id is None else self._of_task[task_id]
        listed.append(follower)
        try:
            yield
        finally:
            listed.remove(follower)
            if task_id is not None and not listed:
                self._of_task.pop(task_id, None)

    def tell(self, before: TaskRecord | None, after: TaskRecord) -> None:
        """A record was written in place of the one before."""
        change = Change(after, events_between(before, after))
        for event in change.events:
            _log(after.task_id, event)
        for follower in (*self._of_task.get(after.task_id, ()), *self._of_all):
            try:
                follower(change)
            except Exception:
                # The write is done: what a listener makes of it must not look like a write that failed.
                logger.exception("follower failed", extra={"task_id": after.task_id})


def _log(task_id: str, event: Event) -> None:
    # A look is the rule, and a warning is text of a gateway.
    level = logging.DEBUG if isinstance(event, Looked | Warned) else logging.INFO
    if logger.isEnabledFor(level):
        logger.log(level, _word(event), extra={"task_id": task_id, **dict(_told(event))})


def _word(event: Event) -> str:
    name = type(event).__name__
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _told(event: Event) -> Iterator[tuple[str, object]]:
    for field in fields(event):
        value: object = getattr(event, field.name)
        match value:
            case Failure():
                yield from (("reason", value.reason), ("charged", value.charged), ("problem", value.message))
            case Cost():
                yield from (("amount", value.amount), ("currency", value.currency))
            case _:
                yield field.name, value
