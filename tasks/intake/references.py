"""What names an output of an earlier task as an input: pure.

`task:<task_id>`, `task:<task_id>#2`, a bare task id, or `rushes://tasks/<task_id>/outputs/2`; behind any of them
`@last`, `@first` or `@2.5` takes a frame of a video.
"""

import re
from dataclasses import dataclass

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}\Z")
_TASK = re.compile(r"task:(?P<task_id>[0-9A-Za-z]{1,64})(?:#(?P<number>[0-9]{1,4}))?(?:@(?P<moment>[^@#]{1,20}))?\Z")
_RESOURCE = re.compile(
    r"rushes://tasks/(?P<task_id>[0-9A-Za-z]{1,64})(?:/outputs/(?P<number>[0-9]{1,4}))?(?:@(?P<moment>[^@#]{1,20}))?\Z"
)
_ID = re.compile(r"(?P<task_id>[0-9A-Za-z]{26})(?:#(?P<number>[0-9]{1,4}))?(?:@(?P<moment>[^@#]{1,20}))?\Z")
_SECONDS = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?(?: ?s)?\Z")

FORMS = "task:<task_id>#<number from 1>, with @last or @<seconds> for a frame of a video"


@dataclass(frozen=True)
class Reference:
    """An output of a task, counted from 1, or one frame of it."""

    task_id: str
    number: int = 1
    moment: str | None = None
    """`last`, or seconds."""

    @property
    def name(self) -> str:
        """The one form that all others are read as: `task:<task_id>#1@last`."""
        return f"task:{self.task_id}#{self.number}" + (f"@{self.moment}" if self.moment else "")

    @property
    def at_seconds(self) -> float | None:
        """The moment of the frame; `None` for the last one."""
        return None if self.moment in (None, "last") else float(self.moment)


def reference_of(text: str) -> Reference | None:
    """The output that a text names; `None` where it is none of these forms.

    Raises:
        ValueError: it is one, and what follows `@` is no moment.
    """
    match = _TASK.match(text) or _RESOURCE.match(text) or _ID.match(text)
    if match is None:
        return None
    upper = match["task_id"].upper()
    is_ulid = _ULID.match(upper) is not None
    if match.re is _ID and not is_ulid:
        return None
    task_id = upper if is_ulid else match["task_id"]
    return Reference(task_id, int(match["number"] or 1), _moment(match["moment"]))


def is_reference_like(text: str) -> bool:
    """Whether a text is meant as one, well formed or not."""
    return text.lower().startswith(("task:", "rushes:"))


def _moment(text: str | None) -> str | None:
    if text is None:
        return None
    word = text.strip().lower()
    if word in ("last", "end"):
        return "last"
    if word in ("first", "start"):
        return "0"
    if _SECONDS.match(word) is None:
        raise ValueError(f"@{text} is no moment of a video")
    return f"{float(word.removesuffix('s').strip()):g}"
