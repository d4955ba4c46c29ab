"""Budgets: how much may be spent, by one owner and in one currency."""

from decimal import Decimal
from typing import Literal

from pydantic import ConfigDict

from .money import USD, Amount, Currency
from .value import Value


class Budget(Value):
    """Bounds in one currency; what is `None` is not bounded. Days and months are those of UTC."""

    model_config = ConfigDict(extra="forbid")

    currency: Currency = USD
    per_task: Amount | None = None
    per_day: Amount | None = None
    per_month: Amount | None = None
    confirm_above: Amount | None = None
    """What would cost more is sent only if a person agreed to it."""
    unknown_price: Literal["allow", "refuse"] = "allow"
    """What becomes of a request whose price nobody knows; it cannot be bounded."""


class Left(Value):
    """What a budget leaves now."""

    budget: Budget
    today: Decimal | None = None
    """`None` where a day is not bounded."""
    this_month: Decimal | None = None
