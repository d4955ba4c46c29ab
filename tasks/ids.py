"""Ids of tasks: ULIDs, which sort by the time at which they were made."""

from datetime import UTC, datetime

from ulid import ULID

_FIRST_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""Ids tell no time before this; a clock that stands there makes ids that do not sort among each other."""


def new_task_id(now: datetime) -> str:
    """A ULID: it sorts by the time, and cannot be guessed."""
    return str(ULID.from_datetime(max(now, _FIRST_TIME)))


def first_id(moment: datetime) -> str:
    """What no id that was made at this time or later comes before."""
    milliseconds = int((max(moment, _FIRST_TIME) - _FIRST_TIME).total_seconds() * 1000)
    return str(ULID.from_bytes(milliseconds.to_bytes(6, "big") + bytes(10)))


def is_task_id(text: str) -> bool:
    """Whether a text is an id as `new_task_id` makes them."""
    try:
        return str(ULID.from_str(text)) == text
    except ValueError:
        return False
