"""What a generation is expected to cost and to take, as far as it is known before it is made."""

from dataclasses import dataclass
from typing import Protocol

from ...domain.job import Plan
from ...domain.model_facts import ModelFacts
from ...domain.money import NOT_QUOTED, Quote
from ...domain.request import GenerationRequest


@dataclass(frozen=True)
class Prospect:
    """What it costs and how long it takes."""

    quote: Quote = NOT_QUOTED
    """To be compared within one provider alone: each has a currency of its own."""
    seconds: float | None = None
    """`None` where nobody knows."""


class Prospects(Protocol):
    """Where prices and times are known."""

    def prospect(self, facts: ModelFacts, request: GenerationRequest, plan: Plan) -> Prospect:
        """What this request is expected to cost and to take, sent as this plan."""
        ...


class NothingKnown:
    """Knows no price and no time."""

    def prospect(self, facts: ModelFacts, request: GenerationRequest, plan: Plan) -> Prospect:  # noqa: ARG002
        """Nothing."""
        return Prospect()


NOTHING_KNOWN = NothingKnown()
