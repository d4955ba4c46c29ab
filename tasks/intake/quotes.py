"""What a generation is expected to cost and to take, as far as it is known before it is made."""

from dataclasses import dataclass
from typing import Protocol

from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest


@dataclass(frozen=True)
class Quote:
    """Both are `None` where nothing is known."""

    amount: float | None = None
    """For comparing within one provider, in its currency."""
    seconds: float | None = None


class Quotes(Protocol):
    """Where prices and times are known."""

    def quote(self, provider: str, facts: ModelFacts, request: GenerationRequest) -> Quote:
        """What this request is expected to cost and to take there."""
        ...


class NothingKnown:
    """Knows no price and no time."""

    def quote(self, provider: str, facts: ModelFacts, request: GenerationRequest) -> Quote:  # noqa: ARG002
        """Nothing."""
        return Quote()


NOTHING_KNOWN = NothingKnown()
