"""One error out of a task group, as what it is."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import cast


@contextmanager
def unwrapped() -> Generator[None]:
    """A single error leaves the block as itself, and not in the group that a task group makes of it.

    Callers catch what was raised, whether or not there is a task group on its way.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        error = _only(group)
        raise error from error.__cause__


def _only(error: BaseException) -> BaseException:
    inner = cast("tuple[BaseException, ...]", getattr(error, "exceptions", ()))
    return _only(inner[0]) if len(inner) == 1 else error
