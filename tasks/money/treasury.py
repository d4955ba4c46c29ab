"""Money for the engine: prices before a request is sent, budgets and consent, and the ledger."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import anyio

from ...domain.budget import Budget, Left
from ...domain.document import Line
from ...domain.errors import ConfirmationNeeded, OverBudget, RequestRefused, StoreDamaged, StoreError, StoreTooNew
from ...domain.money import Bound, Price, Quote
from ...domain.principal import Principal
from ...domain.record import TaskRecord
from ...domain.request import GenerationRequest
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

    async def learn(self, wish: Wish, *, dry_run: bool = False) -> None:
        """Bring what is known of prices up to date before a route is chosen."""
        bounded = dry_run or wish.max_cost is not None or bool(self.budgets)
        await self._lists.join(wish.provider, self._clock.now(), fetch=bounded)
        await self.prices.refresh()
        if self.budgets:
            await self.healed.wait()

    def quoted(self, chosen: Route, request: GenerationRequest) -> Route:
        """The route with what is known of each candidate's cost."""
        return replace(chosen, candidates=tuple(self._quoted(candidate, request) for candidate in chosen.candidates))

    def _quoted(self, candidate: Candidate, request: GenerationRequest) -> Candidate:
        return replace(candidate, quote=self.prices.quote(candidate.provider.name, candidate.facts, request))

    def admitted(self, chosen: Route, wish: Wish) -> Route:
        """The route without what may not be sent for its price.

        Raises:
            RequestRefused: nothing of it may.
            ConfirmationNeeded: something of it may, if a person agrees; with the least price of them.
        """
        candidates: list[Candidate] = []
        refusals: list[RequestRefused] = []
        for candidate in chosen.candidates:
            try:
                self.budgets.check(candidate.quote, wish.max_cost, _what(candidate, wish), name_of(candidate))
            except RequestRefused as refusal:
                refusals.append(refusal)
            else:
                candidates.append(candidate)
        if candidates:
            dropped = [refusal.message for refusal in refusals if refusal.reason == "budget_exceeded"]
            why = chosen.chosen if candidates[0] is chosen.candidates[0] else None
            return replace(chosen, candidates=tuple(candidates), warnings=(*chosen.warnings, *dropped), chosen=why)
        asking = [refusal for refusal in refusals if isinstance(refusal, ConfirmationNeeded)]
        raise min(asking, key=lambda each: each.estimate.amount) if asking else refusals[0]

    def still_admitted(self, chosen: Route, record: TaskRecord) -> Route:
        """The route of a request that waited for its inputs: what was admitted then is what it may cost now.

        Raises:
            RequestRefused: nothing of it may be sent.
        """
        allowed = None if record.estimate is None else record.estimate.amount
        wish = Wish(record.request, Principal(record.owner, admin=False), max_cost=allowed)
        return self.admitted(chosen, wish)

    def admitted_or_why(self, chosen: Route, wish: Wish) -> Route:
        """For a dry run, which is never refused for its price: what would be sent, or a warning of why it would not."""
        try:
            return self.admitted(chosen, wish)
        except RequestRefused as refusal:
            return replace(chosen, warnings=(*chosen.warnings, refusal.message))

    def bounds(self, owner: str, quote: Quote) -> Sequence[Bound]:
        """See `Budgets.bounds`."""
        return self.budgets.bounds(owner, quote)

    def refusal(self, over: OverBudget, candidate: Candidate) -> RequestRefused:
        """See `Budgets.refusal`."""
        return self.budgets.refusal(over, candidate.quote.estimate, name_of(candidate))

    async def spend(self, owner: str | None, by: By, since: datetime | None) -> Spend:
        """What this owner's tasks, or everybody's, have cost since then.

        Raises:
            StoreError: the ledger cannot be read.
        """
        await write_missing_lines(self._store)
        # The ids of tasks begin with their time, so what is older is not even read; the days are exact.
        after = "" if since is None else first_id(since - timedelta(days=1))
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


def _what(candidate: Candidate, wish: Wish) -> str:
    """`8 s of video by veo-3.1 at llmgateway`."""
    measure, kind = candidate.quote.measure, wish.request.kind
    seconds = "" if measure is None or not measure.seconds else f"{measure.seconds:g} s of "
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
