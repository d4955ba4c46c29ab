"""Work that many need at once, done for several of them together."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio

T = TypeVar("T")


class Shared(Generic[T]):
    """A finding that is good for whoever asked before the work for it began: of many that ask at once the first has it
    done, and the others once more, together. What fails is told to the one for whom it was done."""

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._turn = anyio.Lock()
        self._begun = 0
        self._found: tuple[int, T] | None = None
        """With the number of the work."""

    async def fresh(self) -> T:
        """What is found by work that begins from now on; raises what that raises."""
        came = self._begun
        async with self._turn:
            if self._found is not None and self._found[0] > came:
                return self._found[1]
            self._begun += 1
            number = self._begun
            found = await self._work()
            self._found = number, found
            return found
