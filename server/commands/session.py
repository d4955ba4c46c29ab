"""One run of a command: settings, logs and the engine around the work, and Ctrl-C."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from ...tools.context import ToolContext

ResultT = TypeVar("ResultT")


class Interrupted(Exception):
    """The person pressed Ctrl-C. What was under way is on record."""


def run(work: Callable[[ToolContext], Awaitable[ResultT]]) -> ResultT:
    """Open the engine, do the work in it, and close it.

    Raises:
        RushesError: a setting is wrong, or the store cannot be used.
        Interrupted: Ctrl-C.
    """
    from ..assembly import open_engine
    from ..preparation import prepared_settings

    settings = prepared_settings()

    async def inside() -> ResultT:
        async with open_engine(settings, any_local_file=True) as service:
            return await work(ToolContext(service=service, local_files=True))

    try:
        return anyio.run(inside)
    except KeyboardInterrupt:
        raise Interrupted from None
