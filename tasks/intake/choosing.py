"""Choosing where the choice is left to rushes: all models of the usable providers against one request; pure.

Those known to fit come first, in configured order, then by price and time where these are known. What nothing is
known of comes after them. A medium goes out under an assumed name only where no other gateway documents one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ...domain.chosen import ALTERNATIVES_MAX, Alternative, Chosen
from ...domain.errors import RequestRefused
from ...domain.model_facts import ModelFacts
from ...domain.money import Estimate
from ...providers import fact_files
from ...providers.provider import Provider
from .candidates import Asked, Candidate, candidate, find_model, is_auto
from .prospects import NOTHING_KNOWN, Prospects

Defaults = Mapping[str, tuple[str, str] | None]

LIVE_MATCHES_MAX = 40
"""Of a gateway's own list, of which nothing but names is known, so that one is as good as another."""


@dataclass(frozen=True)
class Match:
    """A candidate with what its place among the others depends on."""

    candidate: Candidate
    is_default: bool
    seconds: float | None
    place: tuple[int, int]
    """Of its provider in configured order, and of its row in the provider's data."""

    @property
    def estimate(self) -> Estimate | None:
        """What it would cost, where that is known."""
        return self.candidate.quote.estimate

    @property
    def rank(self) -> tuple[bool, bool, int, bool, bool, float, bool, float, int]:
        """Lower is better."""
        one = self.candidate
        return (
            not one.is_known_to_fit,
            bool(one.uploads),
            self.place[0],
            not self.is_default,
            self.estimate is None,
            0.0 if self.estimate is None else float(self.estimate.amount),
            self.seconds is None,
            self.seconds or 0.0,
            self.place[1],
        )


@dataclass(frozen=True)
class Matched:
    """What became of all models: those that fit, best first, and the refusal of each that does not."""

    matches: tuple[Match, ...]
    refusals: tuple[tuple[Provider, ModelFacts, RequestRefused], ...]


def match_all(asked: Asked, providers: Sequence[Provider], prospects: Prospects = NOTHING_KNOWN) -> Matched:
    """The request against the models that it may go to: all of its kind, or the one that it names."""
    listed = [
        (place, provider, number, row)
        for place, provider in enumerate(providers)
        for number, row in enumerate(_rows(asked, provider))
    ]
    documented = [each for each in listed if each[3].certainty != "live"]
    defaults = {provider.name: _default(asked, provider) for provider in providers}
    matches: list[Match] = []
    refusals: list[tuple[Provider, ModelFacts, RequestRefused]] = []
    for place, provider, number, row in documented:
        try:
            matches.append(_match(asked, provider, row, (place, number), prospects, defaults))
        except RequestRefused as refusal:
            refusals.append((provider, row, refusal))
    if not matches:
        live = (each for each in listed if each[3].certainty == "live")
        matches = [*islice(_fitting(asked, live, prospects, defaults), LIVE_MATCHES_MAX)]
    if any(not match.candidate.assumed for match in matches):
        matches = [match for match in matches if not match.candidate.assumed]
    return Matched(tuple(sorted(matches, key=lambda match: match.rank)), tuple(refusals))


def _rows(asked: Asked, provider: Provider) -> Iterable[ModelFacts]:
    if is_auto(asked.request):
        return [row for row in provider.models() if row.kind == asked.request.kind]
    named = find_model(provider, asked.request)
    return [] if named is None else [named]


def _fitting(
    asked: Asked, rows: Iterable[tuple[int, Provider, int, ModelFacts]], prospects: Prospects, defaults: Defaults
) -> Iterator[Match]:
    for place, provider, number, row in rows:
        try:
            yield _match(asked, provider, row, (place, number), prospects, defaults)
        except RequestRefused:
            continue


def _match(
    asked: Asked,
    provider: Provider,
    row: ModelFacts,
    place: tuple[int, int],
    prospects: Prospects,
    defaults: Defaults,
) -> Match:
    one = candidate(asked, provider, row)
    prospect = prospects.prospect(row, asked.request, one.plan)
    return Match(
        replace(one, quote=prospect.quote),
        is_default=(row.id, row.name) == defaults[provider.name],
        seconds=prospect.seconds if prospect.seconds is not None else row.expected_seconds,
        place=place,
    )


def _default(asked: Asked, provider: Provider) -> tuple[str, str] | None:
    wanted = provider.default_model(asked.request.kind)
    row = None if wanted is None else fact_files.find_model(provider.models(), wanted, asked.request.kind)
    return None if row is None else (row.id, row.name)


def tried_in_order(matches: Sequence[Match]) -> tuple[Candidate, ...]:
    """The best candidate of each provider: what one refuses another may take, and media are uploaded only where no
    provider takes them as they are."""
    best: dict[str, Candidate] = {}
    for match in matches:
        best.setdefault(match.candidate.provider.name, match.candidate)
    first, *others = best.values()
    return (first, *(one for one in others if first.uploads or not one.uploads))


def chosen_among(asked: Asked, matched: Matched) -> Chosen | None:
    """Why the first match is the one, and what else would have done; `None` where there was nothing to choose."""
    first, *others = matched.matches
    if first.candidate.provider.traits.free or (not others and not is_auto(asked.request)):
        return None
    seen = {_names(first)}
    alternatives: list[Match] = []
    for match in others:
        if _names(match) not in seen and match.candidate.is_known_to_fit >= first.candidate.is_known_to_fit:
            seen.add(_names(match))
            alternatives.append(match)
    return Chosen(
        why=_why(asked, first, matched),
        alternatives=tuple(
            _alternative(provider, model, match)
            for match in alternatives[:ALTERNATIVES_MAX]
            for provider, model in [_names(match)]
        ),
    )


def _alternative(provider: str, model: str, match: Match) -> Alternative:
    known = match.estimate
    if known is None:
        return Alternative(provider=provider, model=model, seconds=match.seconds)
    return Alternative(
        provider=provider,
        model=model,
        seconds=match.seconds,
        amount=known.amount,
        currency=known.currency,
        basis=known.basis,
        n=known.n,
    )


def _names(match: Match) -> tuple[str, str]:
    return match.candidate.provider.name, match.candidate.facts.name


def _why(asked: Asked, first: Match, matched: Matched) -> str:
    provider, model = _names(first)
    if not first.candidate.is_known_to_fit:
        what = ", ".join([*first.candidate.doubts, *first.candidate.assumed]) or "its limits"
        return f"no model is known to take exactly this; {model} on {provider} may ({what} could not be checked)"
    if not is_auto(asked.request):
        return f"{provider} is the first configured provider whose {model} takes exactly this"
    if first.is_default:
        return f"{model} is {provider}'s default and takes exactly this"
    refused = next((why for where, row, why in matched.refusals if (row.id, row.name) == _default(asked, where)), None)
    before = "" if refused is None else f"; {refused.message}"
    return f"{model} on {provider} takes exactly this{before}"
