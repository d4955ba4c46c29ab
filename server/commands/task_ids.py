"""Which task a person means: its whole id, a beginning of it that no other task has, or `last`."""

import re
from typing import cast

from ...domain.errors import TaskNotFound
from ...domain.principal import LOCAL
from ...tasks.service import Service
from ...tools import MEDIA

LAST = "last"
_WHOLE = 26
_PART_LEAST = 4
_PART = re.compile(r"[0-9A-HJKMNP-TV-Z]{1,25}", re.IGNORECASE)
_REFERENCE = re.compile(r"task:(?P<id>[0-9A-Za-z]{1,64})(?P<rest>[#@\[\s].*)?\Z", re.DOTALL)
_LAST_AS_MEDIUM = re.compile(
    rf"{LAST}(?P<rest>(?:#\d{{1,4}})?(?:@(?:[a-z]+|[\d.]+(?: ?s)?))?(?:\s*\[.*\])?)\Z", re.DOTALL | re.IGNORECASE
)
"""A file of that name is `./last`; `last frame.png`, `last@2x.png` and `last[1].png` are files."""


async def meant_task(service: Service, text: str) -> str:
    """The id of the task that is meant.

    Raises:
        TaskNotFound: there is none, or more than one begins so.
        StoreError.
    """
    word = text.strip().removeprefix("task:").partition("#")[0]
    if word.lower() == LAST:
        newest = await service.list_tasks(principal=LOCAL, limit=1)
        if not newest.records:
            raise TaskNotFound("There is no task yet.", hint="Make one: rushes generate image 'a lighthouse'")
        return newest.records[0].task_id
    if not _PART.fullmatch(word):
        return word.upper() if len(word) == _WHOLE else word
    part = word.upper()
    if len(part) < _PART_LEAST:
        message = f"{part} is too short: write at least {_PART_LEAST} characters of a task's id."
        raise TaskNotFound(message, hint="Run `rushes tasks` to see them; `last` is the newest.")
    # Ids sort by time, so those that begin so stand together, below the last one that could.
    below = await service.list_tasks(principal=LOCAL, limit=2, cursor=part.ljust(_WHOLE, "Z"))
    found = [record.task_id for record in below.records if record.task_id.startswith(part)]
    match found:
        case []:
            raise TaskNotFound(f"No task's id begins with {part}.", hint="Run `rushes tasks` to see them.")
        case [task_id]:
            return task_id
        case _:
            both = " and ".join(found)
            raise TaskNotFound(f"More than one task's id begins with {part}: {both}.", hint="Write more of it.")


async def with_meant_tasks(service: Service, typed: dict[str, object]) -> dict[str, object]:
    """What was typed with whole ids in place of `task:last#1`, `task:01M7ZH` and the like; for a medium also `last`.

    Raises:
        TaskNotFound, StoreError.
    """
    meant: dict[str, object] = {}
    for name, value in typed.items():
        if name == "from_task" and isinstance(value, str):
            meant[name] = await meant_task(service, value)
        elif isinstance(value, list):
            parts = cast("list[object]", value)
            meant[name] = [await _reference(service, part, of_media=name in MEDIA) for part in parts]
        else:
            meant[name] = value if name == "prompt" else await _reference(service, value, of_media=name in MEDIA)
    return meant


async def _reference(service: Service, value: object, *, of_media: bool) -> object:
    if not isinstance(value, str):
        return value
    text = value.strip()
    if (match := _REFERENCE.match(text)) is not None:
        return f"task:{await meant_task(service, match['id'])}{match['rest'] or ''}"
    if of_media and (match := _LAST_AS_MEDIUM.match(text)) is not None:
        return f"task:{await meant_task(service, LAST)}{match['rest']}"
    return value


def shortest(task_ids: list[str], least: int = 8) -> dict[str, str]:
    """For each id so much of its beginning as tells it from the others."""
    shown: dict[str, str] = {}
    for task_id in task_ids:
        others = [other for other in task_ids if other != task_id]
        length = least
        while length < len(task_id) and any(other.startswith(task_id[:length]) for other in others):
            length += 1
        shown[task_id] = task_id[:length]
    return shown
