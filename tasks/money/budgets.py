"""Budgets and consent: what is refused before it is sent, because it would cost too much or nobody agreed to it; pure
but for the clock."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from ...domain.budget import Budget
from ...domain.errors import BudgetExceeded, ConfirmationNeeded, OverBudget, RequestRefused
from ...domain.money import Allowance, AssumedSeconds, Bound, Quote, Span, account_of, is_same, plain
from ..ports import Clock

PRICE_HINT = (
    'Name another model or provider, or ask the user to set what it costs in rushes.toml: [prices."{of}"] with '
    'per_second = "0.10", per_output or per_1000_characters.'
)
SECONDS_HINT = "Make the call again with duration_seconds; then its price is known."


class Budgets:
    """What may be spent. Empty where nobody set a budget; then only `max_cost` bounds a call."""

    def __init__(self, budgets: Sequence[Budget], clock: Clock) -> None:
        self.budgets = tuple(budgets)
        self._clock = clock

    def __bool__(self) -> bool:
        return bool(self.budgets)

    def _of(self, currency: str) -> Budget | None:
        return next((budget for budget in self.budgets if is_same(budget.currency, currency)), None)

    def check(self, quote: Quote, allowed: Allowance | None, what: str, of: str) -> None:
        """Whether one request may be sent, as far as its own price tells; `bounds` says what more there is to check.

        Args:
            quote: What is known of its cost.
            allowed: What the caller or a person allows; it is the consent, too.
            what: The generation in a few words.
            of: `provider/model`.

        Raises:
            RequestRefused: it costs more than is allowed, or nobody knows what it costs where that matters.
            ConfirmationNeeded: a person has to agree first.
        """
        if quote.free:
            return
        estimate = quote.estimate
        if estimate is None:
            self._check_unknown(quote, allowed, of)
            return
        budget = self._of(estimate.currency)
        if allowed is not None and not allowed.allows(estimate):
            raise _exceeded(
                f"{_cost(of, quote)}, and max_cost allows {plain(allowed.amount)} {allowed.currency}.",
                quote,
                "Ask the user for a higher max_cost, or ask for something cheaper (shorter, smaller, another model)."
                if is_same(estimate.currency, allowed.currency)
                else "Name the provider whose currency is meant: amounts in different ones are never compared.",
            )
        if budget is None:
            return
        if budget.per_task is not None and estimate.amount > budget.per_task:
            a_task = f"the budget allows {plain(budget.per_task)} {budget.currency} a task"
            raise _exceeded(
                f"{_cost(of, quote)}, and {a_task}.",
                quote,
                "Ask for something cheaper (shorter, smaller, another model), or ask the user to raise budget.per_task "
                "in rushes.toml.",
            )
        if budget.confirm_above is not None and estimate.amount > budget.confirm_above and allowed is None:
            asked = f"above {plain(budget.confirm_above)} {budget.currency} a person is asked first"
            provider = of.partition("/")[0]
            message = f"{_cost(of, quote)}, and {asked}. Nothing was sent."
            raise ConfirmationNeeded(message, estimate, what, provider=provider)

    def _check_unknown(self, quote: Quote, allowed: Allowance | None, of: str) -> None:
        unknown = _unknown(quote, of)
        cure = SECONDS_HINT if quote.lacks_seconds else PRICE_HINT.format(of=of)
        if allowed is not None:
            hint = f"Leave max_cost out if the user accepts an unknown price. {cure}"
            raise _exceeded(f"{unknown}, so max_cost cannot be kept.", quote, hint)
        if any(budget.unknown_price == "refuse" for budget in self.budgets):
            raise _exceeded(f"{unknown}, and the budget refuses unknown prices.", quote, cure)

    def doubts(self, quote: Quote, of: str) -> Sequence[str]:
        """What has to be said of the price of a request that may be sent."""
        if quote.assumed is not None:
            return [f"No duration_seconds is given: the estimate is for {_seconds(quote.assumed)}."]
        if self.budgets and quote.estimate is None and not quote.free:
            return [f"{_unknown(quote, of)}, so no budget bounds it."]
        return []

    def bounds(self, owner: str, quote: Quote, begun_at: datetime | None = None) -> Sequence[Bound]:
        """What the store has to hold a request of this cost against, in the transaction that journals it.

        A request counts on the day on which it was begun, by default now, also where it is sent on a later one.
        """
        budget = None if quote.estimate is None or quote.free else self._of(quote.estimate.currency)
        return () if budget is None else self.bounds_of(budget, owner, begun_at)

    def bounds_of(self, budget: Budget, owner: str, begun_at: datetime | None = None) -> Sequence[Bound]:
        """The bounds of one budget for what is begun then, by default now."""
        account = account_of(owner, budget.currency) or ""
        now = self._clock.now()
        at = begun_at or now
        day, today = at.date().isoformat(), now.date().isoformat()
        month = day[:7]
        spans: Sequence[tuple[Span, str, str | None, Decimal | None]] = (
            ("a day", day, day if day < today else None, budget.per_day),
            ("a month", f"{month}-01", f"{month}-31" if month < today[:7] else None, budget.per_month),
        )
        return [
            Bound(account, budget.currency, span, since, limit, until)
            for span, since, until, limit in spans
            if limit is not None
        ]

    def refusal(self, over: OverBudget, quote: Quote, of: str) -> RequestRefused:
        """What an overdrawn bound means for the request: its cost, what is left, and when more comes."""
        bound = over.bound
        now = self._clock.now()
        more_at = next_span(bound.span, now)
        left = max(bound.limit - over.used, Decimal(0))
        cost = f"{of} is not sent" if quote.estimate is None else _cost(of, quote)
        if bound.until is not None:
            return _exceeded(
                f"{cost}, and of {plain(bound.limit)} {bound.currency} {bound.span} {plain(over.used)} are spent or "
                f"reserved: {plain(left)} is left of the one in which it was begun, and that is over.",
                quote,
                "Make the call again if it is still wanted: it counts from when it is made.",
            )
        message = (
            f"{cost}, and of {plain(bound.limit)} {bound.currency} {bound.span} {plain(over.used)} are spent or "
            f"reserved: {plain(left)} is left until {more_at:%Y-%m-%dT%H:%MZ}."
        )
        hint = (
            f"More comes in {_spoken(more_at - now)}; until then ask for something cheaper, or ask the user to raise "
            "the budget in rushes.toml. `rushes spend` shows what it went for."
        )
        return _exceeded(message, quote, hint)


def _unknown(quote: Quote, of: str) -> str:
    if quote.lacks_seconds:
        return f"{of} costs by the second, and nothing says how many"
    return f"Nobody knows what {of} costs"


def _cost(of: str, quote: Quote) -> str:
    spoken = "" if quote.estimate is None else f" about {quote.estimate.spoken}"
    assumed = "" if quote.assumed is None else f" for {_seconds(quote.assumed)}"
    return f"{of} would cost{spoken}{assumed}"


def _seconds(assumed: AssumedSeconds) -> str:
    which = "the longest that it makes" if assumed.at_most else "what it makes without duration_seconds"
    return f"{assumed.seconds:g} s ({which})"


def next_span(span: Span, now: datetime) -> datetime:
    """When the next day or month begins, in UTC."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if span == "a day":
        return day + timedelta(days=1)
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _spoken(left: timedelta) -> str:
    minutes = max(1, round(left.total_seconds() / 60))
    if minutes < 90:
        return f"{minutes} min"
    return f"{round(minutes / 60)} h" if minutes < 48 * 60 else f"{round(minutes / 60 / 24)} days"


def _exceeded(message: str, quote: Quote, hint: str) -> BudgetExceeded:
    return BudgetExceeded(f"{message} Nothing was sent.", quote.estimate, hint=hint)
