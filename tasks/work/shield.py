"""Work that a cancelled call does not cut in two."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

T = TypeVar("T")


async def uninterrupted(work: Callable[[], Awaitable[T]]) -> T:
    """Do all of `work`; a cancellation that comes meanwhile is felt at the caller's next checkpoint."""
    with anyio.CancelScope(shield=True):
        return await work()
    raise AssertionError("a shielded scope is not cancelled")
