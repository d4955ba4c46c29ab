"""What rushes knows of prices and times: from gateways' lists, from earlier jobs, from the person's settings."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import anyio

from ...domain.job import Plan
from ...domain.model_facts import ModelFacts
from ...domain.money import AssumedSeconds, Estimate, ExpectedTime, Measure, PaidJob, Price, Quote, UnitPrice
from ...domain.request import GenerationRequest
from ...providers.provider import Provider
from ..followers import Change
from ..intake.prospects import Prospect
from ..ports import Clock, Ledger
from ..work.learning import Learning
from .measures import longest_seconds, measure_of
from .paid_jobs import LINES_READ_MAX, Paid, just_paid, paid_jobs
from .pricing import dearest, dearest_unit, learned, learned_unit_price, priced, unit_price

FRESH_SECONDS = 10.0
"""So long the costs that were read are good: other processes pay too."""


class _Newest:
    """The last paid jobs of a model, each once; as many as a read would find."""

    def __init__(self) -> None:
        self._jobs: dict[str, PaidJob] = {}
        """By task, the newest last."""

    def put_first(self, job: PaidJob) -> None:
        self._jobs.pop(job.task_id, None)
        self._jobs[job.task_id] = job
        if len(self._jobs) > LINES_READ_MAX:
            del self._jobs[next(iter(self._jobs))]

    def newest_first(self) -> Sequence[PaidJob]:
        return [*reversed(self._jobs.values())]


class Prices:
    """The prices that this process goes by. `refresh` reads; the rest is pure and answers from what was read."""

    def __init__(
        self,
        ledger: Ledger,
        learning: Learning,
        clock: Clock,
        configured: Mapping[str, Price],
        providers: Mapping[str, Provider],
    ) -> None:
        self._ledger = ledger
        self._learning = learning
        self._clock = clock
        self._configured = {name.casefold(): price for name, price in configured.items()}
        self._free = frozenset(name for name, provider in providers.items() if provider.traits.free)
        self._jobs: defaultdict[tuple[str, str], _Newest] = defaultdict(_Newest)
        self._heard: list[Paid] | None = None
        """What a read that is under way may have missed."""
        self._read_at = float("-inf")
        self._reading = anyio.Lock()

    async def refresh(self) -> None:
        """Read what earlier jobs have cost and how long they took, here and in other processes.

        Raises:
            StoreError: it cannot be read.
        """
        if self._is_fresh:
            return
        # Calls that come while it is read wait for it: without the prices they would pass by the budgets.
        async with self._reading:
            elapsed = self._clock.elapsed()
            if self._is_fresh:
                return
            await self._read()
            await self._learning.meet_all()
            self._read_at = elapsed

    async def _read(self) -> None:
        heard = self._heard = []
        try:
            newest_first = await paid_jobs(self._ledger)
        finally:
            self._heard = None
        self._jobs = defaultdict(_Newest)
        for paid in (*reversed(newest_first), *heard):
            self._put_first(paid)

    def heard(self, change: Change) -> None:
        """Take in what a job of this process has just cost: the next call may be of the same model."""
        paid = just_paid(change)
        if paid is None:
            return
        self._put_first(paid)
        if self._heard is not None:
            self._heard.append(paid)

    def _put_first(self, paid: Paid) -> None:
        provider, model, newest = paid
        self._jobs[provider, model].put_first(newest)

    @property
    def _is_fresh(self) -> bool:
        return self._clock.elapsed() - self._read_at < FRESH_SECONDS

    def quote(self, facts: ModelFacts, request: GenerationRequest, plan: Plan) -> Quote:
        """What is known beforehand of the cost of the request, sent as this plan."""
        provider = plan.provider
        measure = measure_of(request, facts, plan.instead)
        if provider in self._free:
            return Quote(measure, free=True)
        lasting, assumed = _with_seconds(measure, request, facts, plan)
        estimate = self._estimate(provider, facts, measure, lasting)
        if estimate is not None and measure.seconds == request.duration_seconds == lasting.seconds:
            return Quote(measure, estimate)
        prices = (*facts.listed_prices, *filter(None, [self._configured_for(provider, facts)]))
        if not any(price.per_second for price in prices):
            return Quote(measure, estimate)
        if estimate is None:
            return Quote(measure, lacks_seconds=lasting.seconds is None)
        return Quote(measure, estimate, assumed=None if estimate.basis == "learned" else assumed)

    def prospect(self, facts: ModelFacts, request: GenerationRequest, plan: Plan) -> Prospect:
        """Cost and time, for the choice among models."""
        expected = self.expected_seconds(plan.provider, facts.id)
        return Prospect(self.quote(facts, request, plan), None if expected is None else expected.seconds)

    def _estimate(self, provider: str, facts: ModelFacts, measure: Measure, lasting: Measure) -> Estimate | None:
        """What it costs: by a price of that which `lasting` says, and by earlier jobs of what is known of it."""
        listed = dearest(facts.listed_prices, lasting, "listed")
        if listed is not None:
            return listed
        found = learned(self._newest(provider, facts), measure)
        if found is not None:
            return found
        configured = self._configured_for(provider, facts)
        return None if configured is None else priced(configured, lasting, "configured")

    def unit_price(self, provider: str, facts: ModelFacts) -> UnitPrice | None:
        """The same by the second or output, for a list of models; `None` where nobody knows."""
        if provider in self._free:
            return None
        listed = dearest_unit(facts.listed_prices)
        found = listed or learned_unit_price(self._newest(provider, facts), facts.kind)
        configured = self._configured_for(provider, facts)
        return found or (None if configured is None else unit_price(configured, "configured"))

    def _newest(self, provider: str, facts: ModelFacts) -> Sequence[PaidJob]:
        jobs = self._jobs.get((provider, facts.id))
        return () if jobs is None else jobs.newest_first()

    def expected_seconds(self, provider: str, model: str) -> ExpectedTime | None:
        """How long such a job takes there; `None` where neither earlier jobs nor the model's facts tell."""
        return self._learning.expected(provider, model)

    def _configured_for(self, provider: str, facts: ModelFacts) -> Price | None:
        """By the gateway's own id of the model or by its canonical name."""
        names = (f"{provider}/{facts.id}", f"{provider}/{facts.name}")
        return next((price for name in names if (price := self._configured.get(name.casefold()))), None)


def _with_seconds(
    measure: Measure, request: GenerationRequest, facts: ModelFacts, plan: Plan
) -> tuple[Measure, AssumedSeconds | None]:
    """The measure with as many seconds as it may have, and where nobody said how many, what is taken for granted."""
    if "duration_seconds" in plan.instead or request.duration_seconds or facts.defaults.get("duration_seconds"):
        return measure, None
    if measure.seconds is not None:
        return measure, AssumedSeconds(measure.seconds, at_most=False)
    longest = longest_seconds(request, facts)
    if longest is None:
        return measure, None
    return measure.model_copy(update={"seconds": longest}), AssumedSeconds(longest, at_most=True)
