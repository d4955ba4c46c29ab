"""Work that many need at once, done for several of them together."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio

T = TypeVar("T")

APART_SECONDS = 0.025
"""So far apart work begins: of those who come one by one in between, all share the next."""


class Shared(Generic[T]):
    """A finding that is good for whoever asked before the work for it began: of many that ask at once the first has it
    done, and the others once more, together. What fails is told to the one for whom it was done."""

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._turn = anyio.Lock()
        self._begun = 0
        self._not_before = float("-inf")
        self._found: tuple[int, T] | None = None
        """With the number of the work."""

    async def fresh(self) -> T:
        """What is found by work that begins from now on; raises what that raises."""
        came = self._begun
        async with self._turn:
            if self._found is not None and self._found[0] > came:
                return self._found[1]
            if (early := self._not_before - anyio.current_time()) > 0:
                await anyio.sleep(early)
            self._begun += 1
            self._not_before = anyio.current_time() + APART_SECONDS
            number = self._begun
            found = await self._work()
            self._found = number, found
            return found
