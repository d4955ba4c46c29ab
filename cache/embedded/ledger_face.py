"""The part of the task store's face that is about the ledger."""

from collections.abc import Sequence
from decimal import Decimal

from ...domain.document import Line
from ...domain.money import Bound, amount_from
from .ledger_rows import last_lines, tasks_without_line, used
from .rows import Rows
from .thread import StoreThread


class LedgerFace:
    """Of `TaskStore`, which sets the two threads."""

    _writer: StoreThread[Rows]
    _reader: StoreThread[Rows]

    async def last_lines(self, book: str, *, limit: int) -> list[Line]:
        """The lines of a book whose keys come last, the last one first; one that cannot be read is left out."""
        return await self._reader.run(lambda rows: last_lines(rows.cache, book, limit))

    async def add_lines(self, lines: Sequence[Line]) -> None:
        """Write those lines that are not there yet."""
        await self._writer.run(lambda rows: rows.add_lines(lines))

    async def tasks_without_line(self, book: str, *, after: str = "", limit: int = 1000) -> list[str]:
        """Ids of tasks that have no line in a book, oldest first, from the one after `after` on."""
        return await self._reader.run(lambda rows: tasks_without_line(rows.cache, book, after, limit))

    async def used(self, bound: Bound) -> Decimal:
        """What is spent and reserved within a bound."""
        return amount_from(await self._reader.run(lambda rows: used(rows.cache, bound)))
