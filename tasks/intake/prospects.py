"""What a generation is expected to cost and to take, as far as it is known before it is made."""

from dataclasses import dataclass
from typing import Protocol

from ...domain.model_facts import ModelFacts
from ...domain.money import Estimate
from ...domain.request import GenerationRequest


@dataclass(frozen=True)
class Prospect:
    """Both are `None` where nothing is known."""

    estimate: Estimate | None = None
    """To be compared within one provider alone: each has a currency of its own."""
    seconds: float | None = None


class Prospects(Protocol):
    """Where prices and times are known."""

    def prospect(self, provider: str, facts: ModelFacts, request: GenerationRequest) -> Prospect:
        """What this request is expected to cost and to take there."""
        ...


class NothingKnown:
    """Knows no price and no time."""

    def prospect(self, provider: str, facts: ModelFacts, request: GenerationRequest) -> Prospect:  # noqa: ARG002
        """Nothing."""
        return Prospect()


NOTHING_KNOWN = NothingKnown()
