"""Money: exact amounts, each in one currency; amounts of different currencies are never added up. Pure."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainSerializer

from .value import Value

SMALLEST = Decimal("1e-9")
"""What amounts are rounded to: a gateway's sum in floating point ends in noise far behind that."""

AMOUNT_MAX = Decimal(10**8)
"""What is more is no price and no cost. So many of them can be added up in a database's whole numbers."""

USD = "USD"

_CODE = re.compile(r"[A-Za-z]{3}")
_CREDITS = re.compile(r"[\w][\w .-]{0,39}")


def amount_of(value: object) -> Decimal | None:
    """A number or its text as an exact amount of at least 0; `None` where it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        return None
    try:
        # A float by its shortest text: what was written as 0.1 is 0.1.
        number = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or not 0 <= number <= AMOUNT_MAX:
        return None
    return number.quantize(SMALLEST, ROUND_HALF_EVEN).normalize() + 0


def plain(amount: Decimal) -> str:
    """The amount as people write it, without an exponent or zeros at its end."""
    return format(amount.normalize() + 0, "f")


def parts_of(amount: Decimal) -> int:
    """The amount in units of `SMALLEST`, for databases that add up whole numbers."""
    return int(amount / SMALLEST)


def amount_from(parts: int) -> Decimal:
    """What `parts_of` was made of."""
    return Decimal(parts) * SMALLEST


def _checked_amount(value: object) -> Decimal:
    amount = amount_of(value)
    if amount is None:
        raise ValueError(f"this must be an amount from 0 to {AMOUNT_MAX:f}")
    return amount


def _checked_currency(text: str) -> str:
    """A code of three letters in capitals, or a gateway's own credits as they are written."""
    name = " ".join(text.split())
    if _CODE.fullmatch(name):
        return name.upper()
    if not _CREDITS.fullmatch(name):
        raise ValueError("this must be a currency such as USD, or the name of a gateway's credits")
    return name


def is_same(one: str, other: str) -> bool:
    """Whether two names are of one currency: a gateway's credits may be written in whatever case."""
    return one.casefold() == other.casefold()


Amount = Annotated[Decimal, BeforeValidator(_checked_amount), PlainSerializer(plain, return_type=str, when_used="json")]
"""At least 0, to `SMALLEST`; in JSON a text."""

Currency = Annotated[str, AfterValidator(_checked_currency)]


def _by_name(value: object) -> object:
    return {"default": value} if isinstance(value, str | int | float | Decimal) else value


Rates = Annotated[dict[str, Amount], BeforeValidator(_by_name)]
"""Amounts by what they are for; a single one is for all."""


Basis = Literal["listed", "learned", "configured"]
"""Where a price is known from: the gateway's own list, what earlier jobs cost, or `[prices]` in rushes.toml."""


class Estimate(Value):
    """What a generation will probably cost, known before it is sent."""

    amount: Amount
    currency: Currency
    basis: Basis
    n: int | None = None
    """Of so many earlier jobs, where it was learned."""

    @property
    def spoken(self) -> str:
        """`0.4 USD (learned, n=5)`."""
        known = self.basis if self.n is None else f"{self.basis}, n={self.n}"
        return f"{plain(self.amount)} {self.currency} ({known})"


class Allowance(Value):
    """So much and no more may be spent on a task: `max_cost`, or the price that a person agreed to."""

    amount: Amount
    currency: Currency

    def allows(self, estimate: Estimate) -> bool:
        """An amount in another currency is never allowed: the two cannot be compared."""
        return is_same(estimate.currency, self.currency) and estimate.amount <= self.amount


@dataclass(frozen=True)
class ExpectedTime:
    """How long a generation takes."""

    seconds: float
    """The median."""
    n: int
    """Of so many earlier jobs; 0 where only the model's facts tell."""


class Price(Value):
    """What one generation of a model costs, by its parts; what is not known is left out."""

    model_config = ConfigDict(extra="forbid")

    currency: Currency = USD
    per_second: Rates = Field(default_factory=dict)
    """By what is billed: `720p_audio` (with sound), `720p_video` (without), `720p` (either), and the same with
    `default` in place of the resolution."""
    per_output: Rates = Field(default_factory=dict)
    """By resolution, or `default`."""
    per_request: Amount | None = None
    per_1000_characters: Amount | None = None
    """Of the prompt."""
    per_input_image: Amount | None = None

    @property
    def tells(self) -> bool:
        """Whether anything comes of it."""
        flat = (self.per_request, self.per_1000_characters)
        return bool(self.per_second or self.per_output) or any(part is not None for part in flat)


class Measure(Value):
    """What of a request its price goes by."""

    resolution: str = ""
    """Lower-case tier; empty where neither the request nor the model's facts name one."""
    audio: bool | None = None
    seconds: float | None = None
    outputs: int = 1
    characters: int = 0
    images: int = 0
    """Input images."""


@dataclass(frozen=True)
class Quote:
    """What is known beforehand of the cost of a request at one provider."""

    measure: Measure | None = None
    estimate: Estimate | None = None
    free: bool = False
    """The provider takes no money."""
    lacks_seconds: bool = False
    """The price goes by the second, and nothing says how many there will be."""
    assumed: "AssumedSeconds | None" = None
    """How many the estimate is for, where nobody said how many."""


@dataclass(frozen=True)
class AssumedSeconds:
    """So many seconds are made where nobody says how many, or so many at most."""

    seconds: float
    at_most: bool
    """They are the longest that the model makes; else what its gateway makes then."""


NOT_QUOTED = Quote()

Span = Literal["a day", "a month"]


@dataclass(frozen=True)
class Bound:
    """So much and no more may be spent and reserved together on one account."""

    account: str
    """Of `account_of`."""
    currency: str
    span: Span
    since: str
    """The first day that counts, as `2026-11-21`; days are those of UTC."""
    limit: Decimal
    until: str | None = None
    """The last one; `None` where the days to come count too, of which there are some after a clock was set back."""


def account_of(owner: str, currency: str | None) -> str | None:
    """Under what is added up what one owner spends in one currency, in whatever case its name is written."""
    if currency is None:
        return None
    return f"{owner}\n{currency if _CODE.fullmatch(currency) else currency.casefold()}"


@dataclass(frozen=True)
class PaidJob:
    """What an earlier job was measured at, and what it cost."""

    measure: Measure
    amount: Decimal
    currency: str
    task_id: str = ""


@dataclass(frozen=True)
class UnitPrice:
    """A price as a list of models shows it."""

    amount: Decimal
    unit: Literal["second", "output", "request", "1000 characters"]
    currency: str
    basis: Basis
    n: int | None = None


@dataclass(frozen=True)
class Balance:
    """What one gateway says is left."""

    provider: str
    amount: Decimal
    currency: str
