"""Which models take a request, as `list_models` is asked; pure."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from ...domain.request import GenerationRequest
from ..service import Fit, Fits
from .candidates import Asked, Configured
from .choosing import Match, Matched, match_all
from .nearest import nearest_of
from .offers import matches, of_provider
from .prospects import NOTHING_KNOWN, Prospects


def fitting(
    configured: Sequence[Configured],
    requests: Sequence[GenerationRequest],
    *,
    provider: str | None = None,
    query: str | None = None,
    prospects: Prospects = NOTHING_KNOWN,
) -> Fits:
    """The models that take one of the requests: those of usable providers, the sandbox, then those that need a key; of
    each of them those known to fit first, and the cheapest first where prices are known.

    Raises:
        RequestRefused: there is no provider of this name.
    """
    entries = of_provider(configured, provider)
    paid = [entry.provider for entry in entries if not entry.provider.traits.free and entry.problem is None]
    free = [entry.provider for entry in entries if entry.provider.traits.free and entry.problem is None]
    keyless = [entry.provider for entry in entries if entry.problem is not None]
    fits: list[Fit] = []
    near: list[str] = []
    for providers, usable in ((paid, True), (free, True), (keyless, False)):
        found: list[Fit] = []
        for asked in map(Asked, requests):
            matched = match_all(asked, providers, prospects)
            found += [_fit(match, usable) for match in matched.matches if _named(match, query)]
            if usable:
                near += _nearest(asked, matched)
        fits += sorted(found, key=_place)
    nearest = f"No model takes exactly this. Nearest: {near[0]}." if near else "No model takes anything like this."
    return Fits(tuple(fits), None if fits else nearest)


def _place(fit: Fit) -> tuple[bool, bool, str, Decimal]:
    """Amounts of two currencies are not compared; what is alike stays in the order of the choice."""
    known = fit.estimate
    doubtful = bool(fit.doubts) or fit.facts.certainty in {"guess", "live", "unknown"}
    if known is None:
        return doubtful, True, "", Decimal(0)
    return doubtful, False, known.currency, known.amount


def _named(match: Match, query: str | None) -> bool:
    return matches(match.candidate.facts, query) is not None


def _fit(match: Match, usable: bool) -> Fit:
    one = match.candidate
    doubts = (*one.doubts, *(f"{name} (its field's name is assumed)" for name in one.assumed))
    return Fit(one.provider.name, one.facts, usable, doubts, match.seconds, match.estimate)


def _nearest(asked: Asked, matched: Matched) -> Iterable[str]:
    near = nearest_of(asked, ((provider, row) for provider, row, _ in matched.refusals))
    return [] if near is None else [f"{near.candidate.facts.name} on {near.candidate.provider.name}: {near}"]
