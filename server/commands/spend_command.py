"""`rushes spend` and `rushes settle`: what generations have cost, and what only a person knows of that."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ...domain.budget import Left
from ...domain.errors import ConfigurationError
from ...domain.money import amount_of, plain
from ...domain.principal import LOCAL
from ...tasks.money.spend import By, Row, Spend
from ...tools import ToolContext, task_result
from .answer import Document, complaints, end, say
from .document_view import view_of
from .options import AsJson
from .session import run
from .task_ids import meant_task

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

BAR_COLUMNS = 20
"""Of the longest bar."""

_AGO = re.compile(r"(\d{1,5})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 7 * 24}

ByOption = Annotated[
    Literal["day", "model", "provider", "user"],
    typer.Option("--by", metavar="day|model|provider|user", help="What each line is of."),
]
SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="DATE", help="Such as 2026-11-01, or 7d for the last seven days.")
]
TaskId = Annotated[str, typer.Argument(metavar="TASK_ID", show_default=False)]
AmountArgument = Annotated[
    str, typer.Argument(metavar="AMOUNT", show_default=False, help="What it has cost; none: it was not charged.")
]
CurrencyOption = Annotated[
    str | None, typer.Option("--currency", metavar="TEXT", help="Default: that of its estimate, else USD.")
]


def spend(by: ByOption = "day", since: SinceOption = None, as_json: AsJson = False) -> None:
    """Show what was spent, and what is reserved for tasks that run or may have been charged."""

    async def work(context: ToolContext) -> tuple[Spend, Sequence[Left]]:
        service = await context.opened()
        found = await service.spend(by=by, since=moment_of(since, datetime.now(UTC)), principal=LOCAL)
        return found, await service.budgets_left(principal=LOCAL)

    with complaints(as_json=as_json):
        found, left = run(work)
    say(document_of(found), as_json=as_json, view=lambda: _view(found, left, by))


def moment_of(text: str | None, now: datetime) -> datetime | None:
    """A day, or so many hours, days or weeks ago.

    Raises:
        ConfigurationError: the text is neither.
    """
    if text is None:
        return None
    ago = _AGO.fullmatch(text.strip().lower())
    try:
        if ago is not None:
            return now - timedelta(hours=int(ago[1]) * _HOURS[ago[2]])
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ConfigurationError(
            f"--since {text[:40]!r} is neither a day nor a time ago.", hint="Such as 2026-11-01, or 7d, 12h, 4w."
        ) from None


def document_of(found: Spend) -> Document:
    """The sums with their amounts as texts, so that none of them loses a cent on its way."""
    document: Document = {
        "rows": [
            {
                "key": row.key,
                "currency": row.currency,
                "spent": plain(row.spent),
                "reserved": plain(row.reserved),
                "tasks": row.tasks,
            }
            for row in found.rows
        ],
        "totals": [
            {"currency": total.currency, "spent": plain(total.spent), "reserved": plain(total.reserved)}
            for total in found.totals
        ],
    }
    # Only where there is something to say of it.
    if found.unpriced:
        document["unpriced"] = found.unpriced
    return document


def _view(found: Spend, left: Sequence[Left], by: By) -> "Iterator[RenderableType]":
    from rich.text import Text

    if not found.rows:
        yield Text("Nothing was spent, and nothing is reserved.")
    for total in found.totals:
        rows = [row for row in found.rows if row.currency == total.currency]
        yield _table(rows, by, total.currency)
        reserved = f", {plain(total.reserved)} reserved" if total.reserved else ""
        yield Text(f"{plain(total.spent)} {total.currency} spent{reserved}", "bold")
        yield Text("")
    yield from (Text(line, "dim") for line in _notes(found, left))


def _table(rows: Sequence[Row], by: By, currency: str) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(by, no_wrap=True, overflow="ellipsis")
    table.add_column(f"spent {currency}", no_wrap=True, justify="right")
    table.add_column("reserved", no_wrap=True, justify="right")
    table.add_column("tasks", no_wrap=True, justify="right")
    table.add_column("", no_wrap=True)
    most = max(row.spent + row.reserved for row in rows)
    for row in rows:
        bar = Text(_bar(row.spent, most), "green").append(_bar(row.reserved, most, "░"), "yellow")
        table.add_row(row.key, plain(row.spent), plain(row.reserved) if row.reserved else "", str(row.tasks), bar)
    return table


def _bar(amount: Decimal, most: Decimal, block: str = "█") -> str:
    """As long as the amount is large; something, however small it is."""
    return "" if not amount else block * max(1, round(BAR_COLUMNS * amount / most))


def _notes(found: Spend, left: Sequence[Left]) -> Iterable[str]:
    for each in left:
        budget = each.budget
        for span, rest, limit in (("day", each.today, budget.per_day), ("month", each.this_month, budget.per_month)):
            if rest is not None and limit is not None:
                yield f"Left this {span}: {plain(rest)} of {plain(limit)} {budget.currency}."
    if any(total.reserved for total in found.totals):
        yield "Reserved: for tasks that run, or of which nobody knows whether they were charged: see `rushes settle`."
    if found.assumed:
        yield f"Of {found.assumed} tasks the gateway told no cost; their estimate counts as spent."
    if found.unpriced:
        yield f"Of {found.unpriced} tasks nobody knows a price: rushes.toml can tell it, or `rushes settle`."


def settle(task_id: TaskId, amount: AmountArgument, currency: CurrencyOption = None, as_json: AsJson = False) -> None:
    """Say what a task has cost, where its gateway never did."""

    async def work(context: ToolContext) -> Document:
        service = await context.opened()
        meant = await meant_task(service, task_id)
        record = await service.settle(meant, found, currency, principal=LOCAL)
        return (await task_result(context, record)).document

    with complaints(as_json=as_json, about_a_task=True):
        found = _amount(amount)
        document = run(work)
    if "error" in document:
        end(document, as_json=as_json, view=lambda: view_of(document))
    say(document, as_json=as_json, view=lambda: view_of(document))


def _amount(text: str) -> Decimal:
    found = Decimal(0) if text.strip().lower() == "none" else amount_of(text)
    # Less than there is: it would be taken for nothing.
    if found is None or (not found and any(digit in text for digit in "123456789")):
        raise ConfigurationError(f"{text[:40]!r} is no amount.", hint="Such as 0.40, or none where it was not charged.")
    return found
