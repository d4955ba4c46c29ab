"""Which provider and model a request goes to: pure.

Without a named provider, the configured ones that offer the model and whose facts fit the request are tried in
configured order. With no key configured at all, `auto` is the sandbox; with one, the sandbox only by name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...domain.chosen import Chosen
from ...domain.errors import FailureReason, RequestRefused
from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest, MediaInput
from ...providers.checks import check_request, spoken
from ...providers.provider import Provider
from ...providers.translating import translated
from ..films.making import film_candidate
from ..ports import Uploader
from .candidates import (
    DEADLINE_SECONDS,
    Asked,
    Candidate,
    Configured,
    candidate,
    find_model,
    is_auto,
    meant_or_known,
    planned,
)
from .choosing import chosen_among, match_all, tried_in_order
from .prospects import NOTHING_KNOWN, Prospects
from .purposes import settled
from .refusing import not_offered, refused

__all__ = [
    "CURED_ELSEWHERE",
    "DEADLINE_SECONDS",
    "Candidate",
    "Configured",
    "Route",
    "find_model",
    "meant_or_known",
    "planned_again",
    "route",
]

CURED_ELSEWHERE: frozenset[FailureReason] = frozenset(
    {"insufficient_credits", "rate_limited", "unauthorized", "unsupported", "not_found", "provider_error"}
)
"""Definite refusals that another gateway could cure; a prompt that one refuses is not shown to the next."""


@dataclass(frozen=True)
class Route:
    """Candidates in the order in which they are tried, and what the agent should know of the choice."""

    candidates: tuple[Candidate, ...]
    warnings: tuple[str, ...] = ()
    chosen: Chosen | None = None


def route(
    request: GenerationRequest,
    configured: Sequence[Configured],
    named: str | None,
    uploader: Uploader | None = None,
    prospects: Prospects = NOTHING_KNOWN,
) -> Route:
    """The providers to try. Those that take all media as they are come before those for which some must be uploaded.

    Raises:
        RequestRefused: no provider can do what is asked; the message says what would be accepted.
    """
    if request.film is not None or request.film_wish is not None:
        return Route((film_candidate(request, configured),))
    try:
        return _Router(Asked(request, uploader), configured, prospects).route(named)
    except RequestRefused as refusal:
        if refusal.reason != "invalid_media" or uploader is not None or not any(map(_is_bytes, request.media)):
            raise
        hint = _who_takes_bytes(request, configured, named)
        raise RequestRefused(refusal.reason, refusal.message, hint=hint) from refusal


def _is_bytes(medium: MediaInput) -> bool:
    return medium.url is None and medium.data is not None


def _who_takes_bytes(request: GenerationRequest, configured: Sequence[Configured], named: str | None) -> str:
    """Which configured providers take the media as they are; else what the person could set."""
    usable = [c.provider for c in configured if c.problem is None and not c.provider.traits.free]
    takers = [f"{provider.name} (model {name})" for provider in usable if (name := _taker(request, provider))]
    if takers:
        return f"Nothing was sent. Files are taken as they are by {spoken(takers)}: name that provider and model."
    refusing = [provider for provider in usable if named in (None, "auto", provider.name)]
    probable = [p.name for p in refusing if any(row.data_urls == "probable" for row in p.models())]
    also = (
        f", or data_urls = true in [providers.{probable[0]}.options], which its pages do not promise"
        if probable
        else ""
    )
    return (
        "Nothing was sent. Give an https URL, or ask the user to set in rushes.toml [inputs] upload_url, an address of "
        f"their own to which rushes uploads files for gateways that take URLs only{also}."
    )


def _taker(request: GenerationRequest, provider: Provider) -> str | None:
    """A model of the provider that fits the request with its media as they are; the asked or default one if it does."""
    first = find_model(provider, request)
    rows = [*([first] if first else []), *(row for row in provider.models() if row.kind == request.kind)]
    for row in rows:
        try:
            check_request(translated(request, row)[0], row, provider.name)
        except RequestRefused:
            continue
        return row.name
    return None


@dataclass(frozen=True)
class _Router:
    asked: Asked
    configured: Sequence[Configured]
    prospects: Prospects

    @property
    def request(self) -> GenerationRequest:
        return self.asked.request

    def route(self, named: str | None) -> Route:
        if named is not None and named != "auto":
            return self._to_named(named)
        paid = [c for c in self.configured if not c.provider.traits.free]
        usable = [c.provider for c in paid if c.problem is None]
        sandbox = [c.provider for c in self.configured if c.provider.traits.free]
        if not is_auto(self.request) and any(find_model(provider, self.request) for provider in sandbox):
            return self._among(sandbox)
        if usable:
            return self._among(usable)
        half_configured = [c for c in paid if c.has_key]
        if half_configured:
            raise RequestRefused("unauthorized", _unusable(half_configured), hint=_HALF_CONFIGURED_HINT)
        if is_auto(self.request) and sandbox:
            return self._among(sandbox, (_SANDBOX_CHOSEN,))
        raise _no_key(self.request, self.configured)

    def _to_named(self, named: str) -> Route:
        entry = next((c for c in self.configured if c.provider.name == named.lower()), None)
        if entry is None:
            names = [c.provider.name for c in self.configured]
            raise RequestRefused("unsupported", f"There is no provider {named!r}{meant_or_known(named, names)}.")
        if entry.problem is not None:
            raise RequestRefused("unauthorized", f"{entry.provider.name} cannot be used: {entry.problem}")
        if is_auto(self.request) or find_model(entry.provider, self.request) is not None:
            return self._among([entry.provider])
        facts = _unknown_model(self.request, entry.provider)
        warning = f"{facts.id!r} is not in the model data of {entry.provider.name}; its limits were not checked."
        one = candidate(self.asked, entry.provider, facts)
        quote = self.prospects.prospect(facts, self.request, one.plan).quote
        return Route((replace(one, quote=quote),), (warning,))

    def _among(self, providers: Sequence[Provider], warnings: tuple[str, ...] = ()) -> Route:
        """The models of these providers that take the request.

        Raises:
            RequestRefused: none does.
        """
        asked = self.asked
        if is_auto(asked.request):
            rows = [row for each in providers for row in each.models() if row.kind == asked.request.kind]
            if not rows:
                raise _no_such_kind(asked.request, providers, self.configured)
            settled_request, said = settled(asked.request, rows)
            asked, warnings = replace(asked, request=settled_request), (*warnings, *said)
        matched = match_all(asked, providers, self.prospects)
        if not matched.matches:
            raise refused(asked, matched, providers, self.configured)
        return Route(tried_in_order(matched.matches), warnings, chosen_among(asked, matched))


_SANDBOX_CHOSEN = "No key set: the free sandbox renders it."
_NO_KEY_HINT = "Ask the user to set a gateway's API key, or leave model and provider out to use the free sandbox."
_HALF_CONFIGURED_HINT = "Ask the user to set it, or name the provider 'sandbox' for the free built-in one."


def _unusable(configured: Iterable[Configured]) -> str:
    reasons = "; ".join(f"{c.provider.name}: {c.problem}" for c in configured)
    return f"There is a key, but no gateway can be used: {reasons}."


def _no_key(request: GenerationRequest, configured: Sequence[Configured]) -> RequestRefused:
    paid = [c for c in configured if not c.provider.traits.free]
    offering = [c for c in paid if find_model(c.provider, request) is not None]
    if offering:
        problems = "; ".join(f"{c.provider.name}: {c.problem}" for c in offering)
        return RequestRefused("unauthorized", f"{request.model} needs a gateway's key: {problems}", hint=_NO_KEY_HINT)
    message = not_offered(request, [c.provider for c in configured])
    if is_auto(request):
        return RequestRefused("unauthorized", f"No gateway key is configured. {message}", hint=_NO_KEY_HINT)
    return RequestRefused("unsupported", f"{message} No gateway key is configured either.", hint=_NO_KEY_HINT)


def _no_such_kind(
    request: GenerationRequest, providers: Sequence[Provider], configured: Sequence[Configured]
) -> RequestRefused:
    """None of the providers has a model of this kind; which others have, and what would make them usable."""
    names = spoken(provider.name for provider in providers)
    others = [
        f"{c.provider.name} ({c.problem or 'usable now'})"
        for c in configured
        if c.provider not in providers
        and not c.provider.traits.free
        and any(row.kind == request.kind for row in c.provider.models())
    ]
    hint = f"Nothing was sent. Models for {request.kind} are offered by {spoken(others)}." if others else None
    return RequestRefused("unsupported", f"{names} offers no {request.kind} model that rushes knows.", hint=hint)


def _unknown_model(request: GenerationRequest, provider: Provider) -> ModelFacts:
    other = find_model(provider, request, any_kind=True)
    if other is not None:
        raise RequestRefused("unsupported", f"{request.model} makes {other.kind}, not {request.kind}.")
    facts = provider.unlisted_model(request.model, request.kind)
    if facts is None:
        names = [row.name for row in provider.models() if row.kind == request.kind]
        raise RequestRefused("unsupported", f"{provider.name} has no model {request.model!r}: {', '.join(names)}.")
    return facts


def planned_again(chosen: Route, request: GenerationRequest) -> Route:
    """The same route for the request with the URLs of its uploaded media.

    Raises:
        RequestRefused: a provider does not take them.
    """
    candidates: list[Candidate] = []
    for one in chosen.candidates:
        plan = planned(one.provider, request, one.facts)
        plan = plan.model_copy(update={"warnings": one.plan.warnings})
        candidates.append(replace(one, plan=plan, uploads=()))
    return replace(chosen, candidates=tuple(candidates))
