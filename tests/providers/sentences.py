"""The table of sentences in `sentences.toml`, typed."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

_FILE = Path(__file__).with_name("sentences.toml")


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    given: frozenset[str] = frozenset()
    """The kinds of media that went in."""
    source: str | None = None
    """Whose page has it; `None` for ours."""


class Entry(_Row):
    """A sentence in the table, below its reason."""

    money: str | None = None


class Sentence(Entry):
    """What a gateway says of a failed task."""

    reason: str


class RefusedPost(_Row):
    """What a gateway says when it refuses a POST."""

    gateway: str
    status: int
    reason: str
    code: str | None = None


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    pages: dict[str, list[Entry]]
    invented: dict[str, list[str | Entry]]
    refused: list[RefusedPost]


def _sentence(reason: str, entry: str | Entry) -> Sentence:
    row = Entry(text=entry) if isinstance(entry, str) else entry
    return Sentence(reason=reason, text=row.text, given=row.given, source=row.source, money=row.money)


_TABLE = _Table.model_validate(tomllib.loads(_FILE.read_text(encoding="utf-8")))

PAGES = [_sentence(reason, entry) for reason, entries in _TABLE.pages.items() for entry in entries]
INVENTED = [_sentence(reason, entry) for reason, entries in _TABLE.invented.items() for entry in entries]
REFUSED = _TABLE.refused
