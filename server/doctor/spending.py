"""What `rushes doctor` says of money: budgets and what they leave, and the prices that nobody knows."""

from collections.abc import Iterator, Sequence

from ...cache.embedded.store import TaskStore
from ...domain.budget import Budget, Left
from ...domain.model_facts import ModelFacts
from ...domain.money import plain
from ...domain.principal import LOCAL
from ...providers.provider import Provider
from ...tasks.clock import SystemClock
from ...tasks.intake import offers
from ...tasks.intake.routing import Configured
from ...tasks.money.budgets import Budgets
from ...tasks.money.prices import Prices
from ...tasks.money.treasury import what_is_left, write_missing_lines
from ...tasks.work.learning import Learning
from ..settings.settings import Settings
from .checks import Check

NAMES_SHOWN = 5


async def money(settings: Settings, usable: Sequence[Provider], store: TaskStore, *, offline: bool) -> list[Check]:
    """Budgets, and of each usable provider what models it has that nobody knows a price of.

    Raises:
        StoreError: the ledger cannot be read.
    """
    clock = SystemClock()
    configured = [Configured(provider) for provider in usable if not provider.traits.free]
    await (offers.join_lists if offline else offers.refresh)(configured, store, clock.now())
    providers = {entry.provider.name: entry.provider for entry in configured}
    prices = Prices(store, Learning(store, providers, clock), clock, settings.prices, providers)
    await prices.refresh()
    await write_missing_lines(store)
    wrong = await store.wrong_sums()
    if wrong:
        await store.add_up_anew()
    left = await what_is_left(Budgets(settings.budgets, clock), store, LOCAL.name)
    unbounded = becomes_of_unknown(settings.budgets)
    known = [known_prices(provider, prices, unbounded) for provider in providers.values()]
    return [*budgets(left), *sums(wrong), *known]


def budgets(left: Sequence[Left]) -> Iterator[Check]:
    """What each budget leaves."""
    if not left:
        hint = 'Set one in rushes.toml: [budget] with per_day = "5", per_task, per_month or confirm_above.'
        yield Check(topic="money", name="budget", state="note", message="none is set: nothing bounds it", hint=hint)
    for each in left:
        budget = each.budget
        parts = [
            f"{plain(rest)} of {plain(limit)} left this {span}"
            for span, rest, limit in (
                ("day", each.today, budget.per_day),
                ("month", each.this_month, budget.per_month),
            )
            if rest is not None and limit is not None
        ]
        parts += [f"at most {plain(budget.per_task)} a task"] if budget.per_task is not None else []
        parts += [f"asks above {plain(budget.confirm_above)}"] if budget.confirm_above is not None else []
        parts += [f"unknown prices: {budget.unknown_price}"]
        spent = any(rest == 0 for rest in (each.today, each.this_month) if rest is not None)
        yield Check(
            topic="money",
            name=budget.currency,
            state="warning" if spent else "ok",
            message="; ".join(parts),
            hint="Nothing is left; `rushes spend` shows what it went for." if spent else None,
        )


def sums(wrong: int) -> Iterator[Check]:
    """Whether what budgets went by was what the ledger's lines add up to."""
    if wrong:
        days = "1 day" if wrong == 1 else f"{wrong} days"
        yield Check(
            topic="money",
            name="ledger",
            state="warning",
            message=f"the sums of {days} were not those of its lines, and were added up anew",
            hint="Budgets went by them. `rushes spend`, which reads the lines, was right.",
        )


def becomes_of_unknown(budgets: Sequence[Budget]) -> str:
    """What the budgets make of a request whose price nobody knows, as a sentence about such models."""
    if not budgets:
        return "No budget is set; one could not bound these."
    if any(budget.unknown_price == "refuse" for budget in budgets):
        return 'They are refused as long as that is so (unknown_price = "refuse").'
    return 'They are sent all the same, and no budget bounds them (unknown_price = "allow").'


def known_prices(provider: Provider, prices: Prices, unbounded: str) -> Check:
    """Of how many of a provider's models a price is known; `unbounded` says what becomes of the others."""
    rows = provider.models()
    unknown = [row for row in rows if prices.unit_price(provider.name, row) is None]
    known = len(rows) - len(unknown)
    message = f"prices known of {known} of {len(rows)} models"
    if not unknown:
        return Check(topic="money", name=provider.name, state="ok", message=message)
    first = unknown[0]
    hint = f'{unbounded} Say what they cost: [prices."{_named(provider, first)}"] {_priced_by(first)} = "…".'
    return Check(
        topic="money", name=provider.name, state="note", message=f"{message}; not of {_list(unknown)}", hint=hint
    )


def _priced_by(row: ModelFacts) -> str:
    """The key of `[prices]` by which such a model is charged for as a rule."""
    if row.kind == "video":
        return "per_second"
    return "per_1000_characters" if "speech" in (row.purposes or ()) else "per_output"


def _named(provider: Provider, row: ModelFacts) -> str:
    return f"{provider.name}/{row.name}"


def _list(rows: Sequence[ModelFacts]) -> str:
    names = list(dict.fromkeys(row.name for row in rows))
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"{', '.join(names[:NAMES_SHOWN])}{more}"
