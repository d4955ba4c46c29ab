"""What hooks need of the world, beside what stands in `ports.py`."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol


class Nudges(Protocol):
    """Word for the process that works on a task, from another one, that it is time to look.

    Every method raises a `StoreError` where it cannot be done.
    """

    async def leave(self, task_id: str, /) -> bool:
        """Whether there was none yet."""
        ...

    async def waiting(self) -> Collection[str]:
        """The tasks for which there is word; it stays until it is taken."""
        ...

    async def take(self, task_ids: Collection[str], /) -> None: ...


@dataclass(frozen=True)
class HookParts:
    """What hooks need beside the store."""

    key: bytes = field(repr=False)
    """Secret of the home; all tokens and secrets are made of it."""
    nudges: Nudges
    watch_seconds: float = 0.3
    """How often word that came to other processes is looked for, while there are jobs that may bring some."""
