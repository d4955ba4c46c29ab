"""Where films are made: at the one provider that does nothing else, whatever keys there are."""

from collections.abc import Sequence

from ...domain.errors import RequestRefused
from ...domain.film import FILM_PROVIDER
from ...domain.money import Quote
from ...domain.request import GenerationRequest
from ...providers.local import FILM_FACTS
from ..intake.candidates import Candidate, Configured


def film_candidate(request: GenerationRequest, configured: Sequence[Configured]) -> Candidate:
    """The one way to a film.

    Raises:
        RequestRefused: films are not made in this process.
    """
    provider = next((each.provider for each in configured if each.provider.name == FILM_PROVIDER), None)
    if provider is None:
        raise RequestRefused("unsupported", "Films are not made here.")
    return Candidate(provider, FILM_FACTS, provider.plan(request, FILM_FACTS), quote=Quote(free=True))
