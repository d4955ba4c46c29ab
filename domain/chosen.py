"""What was chosen where the choice was left to rushes, why, and what else would have done."""

from .money import Amount, Basis
from .value import Value

ALTERNATIVES_MAX = 3


class Alternative(Value):
    """Another model that takes exactly the same request."""

    provider: str
    model: str
    """By its canonical name."""
    seconds: float | None = None
    """How long it usually takes, where that is known."""
    amount: Amount | None = None
    """What it would probably cost, where that is known; then with the currency, and where it is known from."""
    currency: str | None = None
    basis: Basis | None = None
    n: int | None = None
    """Of so many earlier jobs, where it was learned."""


class Chosen(Value):
    """Why a model and its provider were taken; at most `ALTERNATIVES_MAX` others, the next best first."""

    why: str
    alternatives: tuple[Alternative, ...] = ()
