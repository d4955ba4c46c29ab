"""Money for the engine: prices before a request is sent, budgets and consent, and the ledger."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import anyio

from ...domain.budget import Budget, Left
from ...domain.document import Line
from ...domain.errors import ConfirmationNeeded, OverBudget, RequestRefused, StoreDamaged, StoreError, StoreTooNew
from ...domain.money import USD, Allowance, Bound, Price, Quote, is_same
from ...domain.record import TaskRecord
from ...domain.request import Kind
from ...providers.provider import Provider
from ..ids import first_id
from ..intake.routing import Candidate, Configured, Route
from ..journal import from_document
from ..ports import Clock, Ledger, Store
from ..service import Wish
from ..work.learning import Learning
from .balances import Balances
from .budgets import Budgets
from .ledger import BOOK, Entry, entry_of, line_of
from .price_lists import PriceLists
from .prices import Prices
from .spend import By, Spend, summed

logger = logging.getLogger(__name__)

HEALED_AT_ONCE = 200
LINES_AT_ONCE = 1000
LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
"""No task is older."""


class Treasury:
    """What the engine asks about money."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        configured: Sequence[Configured],
        learning: Learning,
        *,
        prices: Mapping[str, Price],
        budgets: Sequence[Budget],
    ) -> None:
        providers: Mapping[str, Provider] = {entry.provider.name: entry.provider for entry in configured}
        self._store = store
        self._clock = clock
        self._lists = PriceLists(configured, store)
        self.prices = Prices(store, learning, clock, prices, providers)
        self.budgets = Budgets(budgets, clock)
        self.balances = Balances(configured, clock)
        self.healed = anyio.Event()

    async def heal(self) -> None:
        """Write the lines of tasks that an older rushes, or damage, left without one."""
        try:
            await write_missing_lines(self._store)
        except StoreError as error:
            # Said once; what lacks is written at the next start, or by `rushes spend`.
            logger.warning("ledger not completed", extra={"problem": error.message})
        finally:
            self.healed.set()

    async def learn(self, provider: str | None, *, bounded: bool) -> None:
        """Bring what is known of prices up to date before a route is chosen among all providers, or the one named.

        Args:
            provider: As the call names it.
            bounded: Whether the price decides something, also without a budget.
        """
        await self._lists.join(provider, self._clock.now(), decides=bounded or bool(self.budgets))
        await self.prices.refresh()
        if self.budgets and not self.healed.is_set():
            await self.healed.wait()

    async def admitted(self, chosen: Route, wish: Wish) -> Route:
        """The route without what may not be sent for its price.

        Raises:
            RequestRefused: nothing of it may.
            ConfirmationNeeded: something of it may, if a person agrees; with the least price of them.
            StoreError.
        """
        try:
            return self._admitted(chosen, allowance(chosen, wish), wish.request.kind)
        except ConfirmationNeeded as needed:
            asked_for = next(each for each in chosen.candidates if each.quote.estimate is needed.estimate)
            over = await self._overdrawn_by(asked_for, wish)
            # Nobody is asked to agree to what would be refused then.
            raise over or needed from None

    async def _overdrawn_by(self, candidate: Candidate, wish: Wish) -> RequestRefused | None:
        """Why no budget leaves so much now; the transaction that journals a task has the last word."""
        quote = candidate.quote
        cost = Decimal(0) if quote.estimate is None else quote.estimate.amount
        for bound in self.bounds(wish.principal.name, quote):
            used = await self._store.used(bound)
            if used + cost > bound.limit:
                return self.refusal(OverBudget(bound, used), candidate)
        return None

    def _admitted(self, chosen: Route, allowed: Allowance | None, kind: Kind) -> Route:
        candidates: list[Candidate] = []
        refusals: list[RequestRefused] = []
        for candidate in chosen.candidates:
            try:
                self.budgets.check(candidate.quote, allowed, _what(candidate, kind), name_of(candidate))
            except RequestRefused as refusal:
                refusals.append(refusal)
            else:
                candidates.append(candidate)
        if candidates:
            dropped = [refusal.message for refusal in refusals if refusal.reason == "budget_exceeded"]
            dropped += self.budgets.doubts(candidates[0].quote, name_of(candidates[0]))
            why = chosen.chosen if candidates[0] is chosen.candidates[0] else None
            return replace(chosen, candidates=tuple(candidates), warnings=(*chosen.warnings, *dropped), chosen=why)
        asking = [refusal for refusal in refusals if isinstance(refusal, ConfirmationNeeded)]
        raise _least(asking, chosen) if asking else refusals[0]

    def still_admitted(self, chosen: Route, record: TaskRecord) -> Route:
        """The route of a request that waited for its inputs. What was allowed when it came is allowed still; a price
        that has come above what is spent without asking since, nobody agreed to.

        Raises:
            RequestRefused: nothing of it may be sent.
            ConfirmationNeeded: see `admitted`.
        """
        known = tuple(_as_known_before(candidate, record) for candidate in chosen.candidates)
        return self._admitted(replace(chosen, candidates=known), record.allowed, record.kind)

    async def requoted(self, candidate: Candidate, record: TaskRecord) -> Candidate:
        """The candidate of a request that was held, at the price of now.

        Raises:
            RequestRefused, ConfirmationNeeded: it may not be sent at that.
            StoreError.
        """
        if candidate.provider.traits.free:
            return candidate
        await self.learn(record.provider, bounded=record.allowed is not None)
        rows = candidate.provider.models()
        facts = next((row for row in rows if (row.id, row.kind) == (record.model, record.kind)), candidate.facts)
        quote = self.prices.quote(facts, record.request, candidate.plan)
        again = _as_known_before(replace(candidate, facts=facts, quote=quote), record)
        self.budgets.check(again.quote, record.allowed, _what(again, record.kind), name_of(again))
        return again

    async def admitted_or_why(self, chosen: Route, wish: Wish) -> Route:
        """For a dry run, which is never refused for its price: what would be sent, or a warning of why it would not."""
        why: RequestRefused | None
        try:
            chosen = await self.admitted(chosen, wish)
            why = await self._overdrawn_by(chosen.candidates[0], wish)
        except RequestRefused as refusal:
            why = refusal
        return chosen if why is None else replace(chosen, warnings=(*chosen.warnings, why.message))

    def bounds(self, owner: str, quote: Quote, begun_at: datetime | None = None) -> Sequence[Bound]:
        """See `Budgets.bounds`."""
        return self.budgets.bounds(owner, quote, begun_at)

    def refusal(self, over: OverBudget, candidate: Candidate) -> RequestRefused:
        """See `Budgets.refusal`."""
        return self.budgets.refusal(over, candidate.quote, name_of(candidate))

    async def spend(self, owner: str | None, by: By, since: datetime | None) -> Spend:
        """What this owner's tasks, or everybody's, have cost since then.

        Raises:
            StoreError: the ledger cannot be read.
        """
        await write_missing_lines(self._store)
        # The ids of tasks begin with their time, so what is older is not even read; the days are exact.
        after = "" if since is None else first_id(max(since, LONG_AGO) - timedelta(days=1))
        day = "" if since is None else f"{since:%Y-%m-%d}"
        entries: list[Entry] = []
        while page := await self._store.lines(BOOK, after=after, limit=LINES_AT_ONCE):
            entries += [entry for line in page if (entry := entry_of(line)) is not None and entry.day >= day]
            after = page[-1].key
        return summed((entry for entry in entries if owner in (None, entry.owner)), by)

    async def left(self, owner: str) -> Sequence[Left]:
        """What each budget leaves now."""
        return await what_is_left(self.budgets, self._store, owner)


async def what_is_left(budgets: Budgets, ledger: Ledger, owner: str) -> Sequence[Left]:
    """What each budget leaves this owner now.

    Raises:
        StoreError: the ledger cannot be read.
    """
    found: list[Left] = []
    for budget in budgets.budgets:
        left: dict[str, Decimal] = {}
        for bound in budgets.bounds_of(budget, owner):
            left[bound.span] = max(bound.limit - await ledger.used(bound), Decimal(0))
        found.append(Left(budget=budget, today=left.get("a day"), this_month=left.get("a month")))
    return found


def name_of(candidate: Candidate) -> str:
    """`provider/model`, as `[prices]` names it."""
    return f"{candidate.provider.name}/{candidate.facts.name}"


def allowance(chosen: Route, wish: Wish) -> Allowance | None:
    """What the call's `max_cost` allows: an amount in one currency, that of the first of its route with a price."""
    if wish.max_cost is None:
        return None
    priced = (each.quote.estimate.currency for each in chosen.candidates if each.quote.estimate is not None)
    return Allowance(amount=wish.max_cost, currency=wish.max_cost_currency or next(priced, USD))


def _least(asking: Sequence[ConfirmationNeeded], chosen: Route) -> ConfirmationNeeded:
    """The least price among those in the currency of the first."""
    currency = asking[0].estimate.currency
    alike = [each for each in asking if is_same(each.estimate.currency, currency)]
    least = min(alike, key=lambda each: each.estimate.amount)
    priced = (each.quote.estimate for each in chosen.candidates if each.quote.estimate is not None)
    if all(is_same(estimate.currency, currency) for estimate in priced):
        least.provider = None
    return least


def _as_known_before(candidate: Candidate, record: TaskRecord) -> Candidate:
    """With the price of when it came, where it is not known any more."""
    same = (candidate.provider.name, candidate.facts.id) == (record.provider, record.model)
    if not same or candidate.quote.estimate is not None:
        return candidate
    return replace(candidate, quote=replace(candidate.quote, estimate=record.estimate))


def _what(candidate: Candidate, kind: Kind) -> str:
    """`8 s of video by veo-3.1 at llmgateway`."""
    measure = candidate.quote.measure
    seconds = "" if measure is None or not measure.seconds else f"{measure.seconds:g} s of "
    if not seconds and candidate.quote.assumed is not None:
        seconds = f"at most {candidate.quote.assumed.seconds:g} s of "
    count = f"{measure.outputs} x " if measure is not None and measure.outputs > 1 else ""
    sized = f" in {measure.resolution}" if measure is not None and measure.resolution else ""
    return f"{count}{seconds}{kind}{sized} by {candidate.facts.name} at {candidate.provider.name}"


async def write_missing_lines(store: Store) -> int:
    """Write a line for each task that has none; how many.

    Raises:
        StoreError: the store cannot be used.
    """
    count, after = 0, ""
    while ids := await store.tasks_without_line(BOOK, after=after, limit=HEALED_AT_ONCE):
        lines = [line for task_id in ids if (line := await _line_of_stored(store, task_id)) is not None]
        await store.add_lines(lines)
        count += len(lines)
        after = ids[-1]
    return count


async def _line_of_stored(store: Store, task_id: str) -> Line | None:
    try:
        document = await store.get(task_id)
        return None if document is None else line_of(from_document(document))
    except (StoreDamaged, StoreTooNew) as error:
        logger.warning("left out of the ledger", extra={"task_id": task_id, "problem": error.message})
        return None
