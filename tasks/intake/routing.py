"""Which provider and model a request goes to: pure (design §4, routing).

Without a named provider, the configured ones that offer the model and whose facts fit the request are tried in
configured order. With no key configured at all, `auto` is the sandbox; with one, the sandbox only by name.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...domain.errors import FailureReason, RequestRefused
from ...domain.job import Plan
from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest
from ...providers import fact_files
from ...providers.checks import check_request
from ...providers.provider import Provider

SANDBOX = "sandbox"

CURED_ELSEWHERE: frozenset[FailureReason] = frozenset(
    {"insufficient_credits", "rate_limited", "unauthorized", "unsupported", "not_found", "provider_error"}
)
"""Definite refusals that another gateway could cure; a prompt that one refuses is not shown to the next."""

DEADLINE_SECONDS = {"video": 3600.0, "image": 1200.0, "audio": 1200.0}
"""Where the model's facts name none. LLMGateway itself gives up after an hour."""


@dataclass(frozen=True)
class Configured:
    """A provider, and what keeps it from being used (`None` where nothing does)."""

    provider: Provider
    problem: str | None = None
    has_key: bool = False
    """Whether somebody set a key for it, so that it is meant to be used."""


@dataclass(frozen=True)
class Candidate:
    """One way to make a request: the plan of its POST at one provider."""

    provider: Provider
    facts: ModelFacts
    plan: Plan

    @property
    def deadline_seconds(self) -> float:
        """After this, counted from the submission, the task is given up."""
        return self.facts.deadline_seconds or DEADLINE_SECONDS[self.facts.kind]


@dataclass(frozen=True)
class Route:
    """Candidates in the order in which they are tried, and what the agent should know of the choice."""

    candidates: tuple[Candidate, ...]
    warnings: tuple[str, ...] = ()


def route(request: GenerationRequest, configured: Sequence[Configured], named: str | None) -> Route:
    """The providers to try.

    Raises:
        RequestRefused: no provider can do what is asked; the message says what would be accepted.
    """
    if named is not None and named != "auto":
        return _route_to_named(request, configured, named)
    paid = [c for c in configured if c.provider.name != SANDBOX]
    usable = [c.provider for c in paid if c.problem is None]
    sandbox = [c.provider for c in configured if c.provider.name == SANDBOX]
    if _wants_sandbox(request, sandbox):
        return _fitting(request, sandbox, ())
    if usable:
        return _fitting(request, usable, ())
    half_configured = [c for c in paid if c.has_key]
    if half_configured:
        raise RequestRefused("unauthorized", _unusable(half_configured), hint=_HALF_CONFIGURED_HINT)
    if request.model == "auto" and sandbox:
        return _fitting(request, sandbox, (_SANDBOX_CHOSEN,))
    raise RequestRefused("unauthorized", _no_key(request, paid), hint=_NO_KEY_HINT)


_SANDBOX_CHOSEN = "No gateway key is configured, so the free built-in sandbox makes this (not a real model)."
_NO_KEY_HINT = "Ask the user to set a gateway's API key, or leave model and provider out to use the free sandbox."
_HALF_CONFIGURED_HINT = "Ask the user to set it, or name the provider 'sandbox' for the free built-in one."


def _unusable(configured: Iterable[Configured]) -> str:
    reasons = "; ".join(f"{c.provider.name}: {c.problem}" for c in configured)
    return f"There is a key, but no gateway can be used: {reasons}."


def _no_key(request: GenerationRequest, paid: Iterable[Configured]) -> str:
    offering = [c for c in paid if find_model(c.provider, request) is not None]
    if not offering:
        return f"No gateway key is configured, and no known gateway offers {request.model!r}."
    return f"{request.model} needs a gateway's key: " + "; ".join(f"{c.provider.name}: {c.problem}" for c in offering)


def _wants_sandbox(request: GenerationRequest, sandbox: Sequence[Provider]) -> bool:
    return request.model != "auto" and any(find_model(provider, request) for provider in sandbox)


def _route_to_named(request: GenerationRequest, configured: Sequence[Configured], named: str) -> Route:
    entry = next((c for c in configured if c.provider.name == named.lower()), None)
    if entry is None:
        names = [c.provider.name for c in configured]
        raise RequestRefused("unsupported", f"There is no provider {named!r}{did_you_mean(named, names)}.")
    if entry.problem is not None:
        raise RequestRefused("unauthorized", f"{entry.provider.name} cannot be used: {entry.problem}")
    facts = find_model(entry.provider, request)
    warnings: tuple[str, ...] = ()
    if facts is None:
        facts = _unknown_model(request, entry.provider)
        warnings = (f"{facts.id!r} is not in the model data of {entry.provider.name}; its limits were not checked.",)
    return Route((_candidate(request, entry.provider, facts),), warnings)


def _unknown_model(request: GenerationRequest, provider: Provider) -> ModelFacts:
    if request.model == "auto":
        raise RequestRefused("unsupported", f"{provider.name} offers no {request.kind} model.")
    other = find_model(provider, request, any_kind=True)
    if other is not None:
        raise RequestRefused("unsupported", f"{request.model} makes {other.kind}, not {request.kind}.")
    facts = provider.unlisted_model(request.model, request.kind)
    if facts is None:
        names = [row.name for row in provider.models() if row.kind == request.kind]
        raise RequestRefused("unsupported", f"{provider.name} has no model {request.model!r}: {', '.join(names)}.")
    return facts


def _fitting(request: GenerationRequest, providers: Sequence[Provider], warnings: tuple[str, ...]) -> Route:
    candidates: list[Candidate] = []
    refusals: list[RequestRefused] = []
    for provider in providers:
        facts = find_model(provider, request)
        if facts is None:
            continue
        try:
            candidates.append(_candidate(request, provider, facts))
        except RequestRefused as refusal:
            refusals.append(refusal)
    if candidates:
        return Route(tuple(candidates), warnings)
    if refusals:
        raise _joined(refusals)
    raise RequestRefused("unsupported", _not_offered(request, providers))


def _joined(refusals: Sequence[RequestRefused]) -> RequestRefused:
    first = refusals[0]
    messages = "; ".join(dict.fromkeys(refusal.message for refusal in refusals))
    return RequestRefused(first.reason, messages, provider_code=first.provider_code, hint=first.hint)


def _not_offered(request: GenerationRequest, providers: Sequence[Provider]) -> str:
    if request.model == "auto":
        return f"None of the configured providers ({', '.join(p.name for p in providers)}) offers {request.kind}."
    for provider in providers:
        other = find_model(provider, request, any_kind=True)
        if other is not None:
            return f"{request.model} makes {other.kind}, not {request.kind}."
    names = sorted({facts.name for p in providers for facts in p.models() if facts.kind == request.kind})
    offered = f"No configured provider offers the {request.kind} model {request.model!r}"
    return f"{offered}{did_you_mean(request.model, names)}. Name a provider to use a model that rushes does not know."


def _candidate(request: GenerationRequest, provider: Provider, facts: ModelFacts) -> Candidate:
    check_request(request, facts, provider.name)
    return Candidate(provider, facts, provider.plan(request, facts))


def find_model(provider: Provider, request: GenerationRequest, *, any_kind: bool = False) -> ModelFacts | None:
    """The facts of the model that a request names (`auto`: the provider's default of that kind)."""
    wanted = provider.default_model(request.kind) if request.model.lower() == "auto" else request.model
    if wanted is None:
        return None
    return fact_files.find_model(provider.models(), wanted, None if any_kind else request.kind)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """`; did you mean 'x'?` for a near miss, else the known names, else nothing."""
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f" (known: {', '.join(known[:12])})" if known else ""
