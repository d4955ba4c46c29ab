"""Moments as agents and people name them: dates, times, and how long ago; pure."""

import re
from datetime import UTC, datetime, time, timedelta

from .values import wrong

_AGO = re.compile(r"(\d{1,5})\s*(m|min|h|d|w)(?:\s+ago)?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAYS_AGO = {"today": 0, "yesterday": 1}

FORMS = "2026-11-20, 2026-11-20T14:00, 7d, 12h, today or yesterday"


def moment(text: str, now: datetime, *, end: bool) -> datetime:
    """The moment in UTC. A day is one of this machine's zone: its beginning, or with `end` its last moment.

    Raises:
        PydanticCustomError: it is none of the forms.
    """
    word = text.strip().lower()
    here = now.astimezone()
    if (ago := _AGO.fullmatch(word)) is not None:
        return now.astimezone(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    if word in _DAYS_AGO:
        word = (here.date() - timedelta(days=_DAYS_AGO[word])).isoformat()
    try:
        if _DAY.fullmatch(word):
            day = datetime.fromisoformat(word).date() + timedelta(days=1 if end else 0)
            return datetime.combine(day, time()).astimezone(UTC)
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo is not None else found.astimezone()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise wrong(f"must be a date or how long ago: {FORMS}") from error
