"""Settle: a person says what a task has cost, where its gateway never did."""

from decimal import Decimal

from ...domain.errors import RequestRefused, TaskNotFound
from ...domain.money import USD
from ...domain.record import TaskRecord
from .. import life
from ..journal import TaskJournal
from ..ports import Clock


class Settler:
    """Writes what a person knows of a task's cost."""

    def __init__(self, journal: TaskJournal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    async def settle(self, record: TaskRecord, amount: Decimal, currency: str | None) -> TaskRecord:
        """The record settled, in the currency that is known of it unless another one is named.

        Raises:
            RequestRefused: nothing can be said of its cost yet.
        """
        why_not = life.why_not_settled(record)
        if why_not is not None:
            raise RequestRefused("invalid_input", f"Task {record.task_id} is not settled: {why_not}.")
        named = currency or currency_of(record)
        after = await self._journal.change(
            record.task_id,
            lambda r: life.settled_by_hand(r, amount, named, self._clock.now()),
            as_worker=False,
            durable=True,
        )
        if after is None:
            raise TaskNotFound(f"There is no task {record.task_id!r} any more.")
        return after


def currency_of(record: TaskRecord) -> str:
    """The currency in which its cost was told or estimated."""
    known = record.cost or record.estimate
    return known.currency if known is not None else USD
