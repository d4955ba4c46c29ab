"""Ports to what lies beside the journal in one store; `ports.py` has them all."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from pydantic import JsonValue

from ..domain.document import Line
from ..domain.money import Bound


class SideValues(Protocol):
    """Small values that are worth keeping, and can be had anew: a cached list, a learned number."""

    async def get_value(self, key: str) -> tuple[JsonValue, datetime] | None: ...

    async def set_value(self, key: str, value: JsonValue) -> None: ...

    async def get_values(self, prefix: str) -> dict[str, JsonValue]:
        """The values of all keys that begin so."""
        ...


class Ledger(Protocol):
    """What tasks have cost and what is kept ready for them: a line each, which `Journal` writes with its document."""

    async def lines(self, book: str, *, after: str = "", limit: int = ...) -> list[Line]:
        """In the order of their keys."""
        ...

    async def last_lines(self, book: str, *, limit: int, true: str | None = None) -> list[Line]:
        """Those whose keys come last, the last one first; of so many only the ones of which the field `true` is."""
        ...

    async def add_lines(self, lines: Sequence[Line]) -> None:
        """Write those that are not there yet."""
        ...

    async def tasks_without_line(self, book: str, *, after: str = "", limit: int = ...) -> list[str]:
        """Ids of tasks that have no line in the book, oldest first: an older rushes wrote them."""
        ...

    async def used(self, bound: Bound) -> Decimal:
        """What is spent and reserved within a bound."""
        ...


class WordIndex(Protocol):
    """What makes a page with words of `Journal` quick: an index that is filled some at a time."""

    async def index_words(self, before: str) -> bool:
        """Prepare some more of the documents with ids before this one; false where none is left."""
        ...

    async def recount_words(self) -> None:
        """See whether documents have come where the preparing has been already."""
        ...
