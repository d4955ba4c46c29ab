"""What `rushes.toml` says of money: prices that a person knows, and budgets."""

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import Annotated

from pydantic import BeforeValidator

from ...domain.budget import Budget
from ...domain.errors import ConfigurationError
from ...domain.money import USD, Price, is_same
from ...domain.spelling import did_you_mean


def _one_or_more(value: object) -> object:
    alone: object = (value,)
    return alone if isinstance(value, Mapping) else value


BudgetTables = Annotated[tuple[Budget, ...], BeforeValidator(_one_or_more)]
"""`[budget]`, or `[[budget]]` where there are several currencies."""


def check_money(prices: Mapping[str, Price], budgets: Sequence[Budget], providers: Collection[str], path: str) -> None:
    """Whether each price is of a provider that there is, and each budget in a currency that one of them takes.

    All gateways that rushes knows tell US dollars; another currency comes in with the prices of the file.

    Raises:
        ConfigurationError: one is not.
    """
    for name, price in prices.items():
        provider = name.partition("/")[0]
        if provider not in providers:
            known = did_you_mean(provider, [*providers]) or f"; known: {', '.join(providers)}"
            raise ConfigurationError(f'{path}: prices."{name}": there is no provider {provider!r}{known}')
        if not price.tells:
            parts = "per_second, per_output, per_request or per_1000_characters"
            raise ConfigurationError(f'{path}: prices."{name}": it says no price; give {parts}')
    currencies = list(dict.fromkeys((USD, *(price.currency for price in prices.values()))))
    for first, other in combinations(currencies, 2):
        if is_same(first, other):
            raise ConfigurationError(f"{path}: prices: {first!r} and {other!r} are one currency; write it in one way")
    seen: set[str] = set()
    for budget in budgets:
        if budget.currency in seen:
            raise ConfigurationError(f"{path}: budget.currency: there are two budgets in {budget.currency}; join them")
        seen.add(budget.currency)
        if budget.currency not in currencies:
            known = did_you_mean(budget.currency, currencies) or f" (known: {', '.join(currencies)})"
            raise ConfigurationError(
                f"{path}: budget.currency: no provider takes {budget.currency}{known}, so this budget would bound "
                'nothing; where one does, say so with [prices."provider/model"] currency'
            )
