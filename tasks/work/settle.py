"""Settle: a person says what a task has cost, where its gateway never did."""

from collections.abc import Collection
from decimal import Decimal

from ...domain.errors import ConfigurationError, RequestRefused, TaskNotFound
from ...domain.failure import clean_text
from ...domain.money import USD
from ...domain.record import TaskRecord
from ...domain.spelling import did_you_mean
from .. import life
from ..journal import TaskJournal
from ..ports import Clock


class Settler:
    """Writes what a person knows of a task's cost."""

    def __init__(self, journal: TaskJournal, clock: Clock, currencies: Collection[str]) -> None:
        """`currencies` are those that the settings name."""
        self._journal = journal
        self._clock = clock
        self._currencies = (USD, *currencies)

    async def settle(self, record: TaskRecord, amount: Decimal, currency: str | None) -> TaskRecord:
        """The record settled, in the currency that is known of it unless another one is named.

        Raises:
            ConfigurationError: there is no such currency.
            RequestRefused: nothing can be said of its cost yet.
        """
        named = currency_of(record) if currency is None else self._known(currency, record)
        why_not = life.why_not_settled(record)
        if why_not is not None:
            raise RequestRefused("invalid_input", f"Task {record.task_id} is not settled: {why_not}.")
        after = await self._journal.change(
            record.task_id,
            lambda r: life.settled_by_hand(r, amount, named, self._clock.now()),
            as_worker=False,
            durable=True,
        )
        if after is None:
            raise TaskNotFound(f"There is no task {record.task_id!r} any more.")
        return after

    def _known(self, currency: str, record: TaskRecord) -> str:
        """The currency that is meant, whatever the case: a slip of the pen must not open an account of its own."""
        told = (each.currency for each in (record.cost, record.estimate, record.settlement) if each is not None)
        known = {name.casefold(): name for name in (*self._currencies, *told)}
        found = known.get(" ".join(currency.split()).casefold())
        if found is None:
            name = clean_text(currency, 40)
            raise ConfigurationError(
                f"No provider takes {name!r}{did_you_mean(name, known.values())}; known: {', '.join(known.values())}.",
                hint='Where one does, say so in rushes.toml: [prices."provider/model"] with currency. Nothing changed.',
            )
        return found


def currency_of(record: TaskRecord) -> str:
    """The currency in which its cost was told or estimated."""
    known = record.cost or record.estimate
    return known.currency if known is not None else USD
