"""Documents: a task's record as plain JSON, how an older one is brought up to date, and what is written beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, TypedDict

from pydantic import JsonValue

from .errors import StoreDamaged, StoreTooNew
from .money import Bound

Document = dict[str, JsonValue]
"""One record as JSON. Its index fields: `task_id`, `schema`, `revision`, `kind`, `state`, `owner` (texts and whole
numbers), `open` (bool: somebody must still work on it), `worker` (the process that does, if one does), `counts_until`
(until when an equal call is answered with it: `ALWAYS`, a time, or null)."""

Migration = Callable[[Document], Document]
"""Takes a document of one schema to the next."""


ALWAYS: Literal["always"] = "always"

COUNTS_AFTER_SUCCESS = timedelta(minutes=2)
"""For this long after a good end an equal call is answered with the same task."""

CLOCK_SET_BACK_MAX = timedelta(minutes=10)
"""An end that lies so little in the future is one of a moment ago, and the clock was set back since."""


@dataclass(frozen=True)
class Counting:
    """What a store needs to know to tell which documents count for an equal call: data, so that any database can decide
    it inside its own transaction."""

    now: datetime
    ended_ago: Mapping[str, timedelta] = field(default_factory=dict[str, timedelta])
    """How long ago tasks ended well, by id, whatever the clock says: for those whose end this process saw."""

    def counts(self, document: Document) -> bool:
        """Whether an equal call is answered with this document.

        Raises:
            StoreDamaged: its `counts_until` is nothing that rushes wrote.
        """
        until = document.get("counts_until")
        if until is None or until == ALWAYS:
            return until == ALWAYS
        ago = self.ended_ago.get(str(document.get("task_id")))
        left = _moment(until) - self.now if ago is None else COUNTS_AFTER_SUCCESS - ago
        return timedelta(0) < left < COUNTS_AFTER_SUCCESS + CLOCK_SET_BACK_MAX


def _moment(text: JsonValue) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise StoreDamaged(f"A record of the task store counts until {str(text)[:40]!r}, which is no time.")
    return moment


class Line(NamedTuple):
    """A line of another book than the journal, such as a ledger: written in the very transaction of a record's write,
    so that neither is there without the other."""

    book: str
    key: str
    """Within its book; lines sort by it. A line of the same key takes the place of the one before."""
    value: JsonValue


class Beside(TypedDict, total=False):
    """What goes with the write of a document, in its transaction."""

    lines: Sequence[Line]
    within: Sequence[Bound]
    """Where with its line more would be spent and reserved than one of these allows, nothing is written."""


class Creating(Beside, total=False):
    """How a new document is kept."""

    fingerprint: str | None
    """What equal calls have in common."""
    counting: Counting | None
    """Which earlier documents of the fingerprint count; without it all do."""
    anew: bool
    """Also where an earlier one counts."""


class Replacing(Beside, total=False):
    """How a document takes the place of the stored one."""

    claims_job: bool
    """Its job must be no other task's."""
    reopens: bool
    """A final state may go on."""
    answer: str | None
    """The gateway's answer, as JSON, in place of the one kept before."""


@dataclass(frozen=True)
class Selection:
    """Which documents a list shows, the newest first; `None`: any."""

    owner: str | None = None
    state: str | None = None
    kind: str | None = None
    words: str | None = None
    """All of them in prompt, model, provider or output name."""
    since: str | None = None
    """From this task id on, and so from its time on."""
    before: str | None = None
    """Before this task id."""


EVERYTHING = Selection()


def number_of(document: Document, field: str) -> int:
    """A field that must be a whole number.

    Raises:
        StoreDamaged: it is not.
    """
    value = document.get(field)
    if not isinstance(value, int) or isinstance(value, bool):
        raise StoreDamaged(f"A record of the task store has no `{field}`.")
    return value


def migrated(document: Document, schema: int, migrations: Mapping[int, Migration]) -> Document:
    """The document in schema `schema`, brought there step by step (`migrations[1]` leads from 1 to 2).

    Raises:
        StoreTooNew: it was written by a newer rushes.
        StoreDamaged: no step leads on, or the document is not what a step expects.
    """
    found = number_of(document, "schema")
    task_id = document.get("task_id")
    if found > schema:
        raise StoreTooNew(
            f"The record of task {task_id!r} was written by a newer rushes (schema {found}; this one knows {schema}).",
            hint="Update rushes, then try again; the record was left as it is.",
        )
    for step in range(found, schema):
        migration = migrations.get(step)
        if migration is None:
            raise StoreDamaged(f"The record of task {task_id!r} has schema {step}, which this rushes cannot read.")
        try:
            document = {**migration(document), "schema": step + 1}
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise StoreDamaged(f"The record of task {task_id!r} is not what schema {step} promises.") from error
    return document
