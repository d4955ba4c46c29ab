"""Which provider and model a request goes to: pure.

Without a named provider, the configured ones that offer the model and whose facts fit the request are tried in
configured order. With no key configured at all, `auto` is the sandbox; with one, the sandbox only by name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...domain.errors import FailureReason, RequestRefused
from ...domain.job import Plan
from ...domain.model_facts import ModelFacts
from ...domain.request import GenerationRequest, MediaInput
from ...domain.spelling import did_you_mean
from ...providers import fact_files
from ...providers.checks import INPUT_OF_ROLE, check_request, spoken, unchecked
from ...providers.provider import Provider
from ..ports import Uploader
from .uploads import with_urls, without_url

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
    """With media that are still to be uploaded, their URLs in it are only what is expected."""
    uploads: tuple[MediaInput, ...] = ()
    """Media that the provider takes by URL only, and that rushes holds as bytes only."""

    @property
    def deadline_seconds(self) -> float:
        """After this, counted from the submission, the task is given up."""
        return self.facts.deadline_seconds or DEADLINE_SECONDS[self.facts.kind]


@dataclass(frozen=True)
class Route:
    """Candidates in the order in which they are tried, and what the agent should know of the choice."""

    candidates: tuple[Candidate, ...]
    warnings: tuple[str, ...] = ()


def route(
    request: GenerationRequest,
    configured: Sequence[Configured],
    named: str | None,
    uploader: Uploader | None = None,
) -> Route:
    """The providers to try. Those that take all media as they are come before those for which some must be uploaded.

    Raises:
        RequestRefused: no provider can do what is asked; the message says what would be accepted.
    """
    try:
        return _route(_Asked(request, uploader), configured, named)
    except RequestRefused as refusal:
        if refusal.reason != "invalid_media" or uploader is not None or not any(map(_is_bytes, request.media)):
            raise
        hint = _who_takes_bytes(request, configured, named)
        raise RequestRefused(refusal.reason, refusal.message, hint=hint) from refusal


@dataclass(frozen=True)
class _Asked:
    """A request on its way through the candidates."""

    request: GenerationRequest
    uploader: Uploader | None


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
            check_request(request, row, provider.name)
        except RequestRefused:
            continue
        return row.name
    return None


def _route(asked: _Asked, configured: Sequence[Configured], named: str | None) -> Route:
    request = asked.request
    if named is not None and named != "auto":
        return _route_to_named(asked, configured, named)
    paid = [c for c in configured if not c.provider.traits.free]
    usable = [c.provider for c in paid if c.problem is None]
    sandbox = [c.provider for c in configured if c.provider.traits.free]
    if _wants_sandbox(request, sandbox):
        return _fitting(asked, sandbox, ())
    if usable:
        return _fitting(asked, usable, ())
    half_configured = [c for c in paid if c.has_key]
    if half_configured:
        raise RequestRefused("unauthorized", _unusable(half_configured), hint=_HALF_CONFIGURED_HINT)
    if request.model == "auto" and sandbox:
        return _fitting(asked, sandbox, (_SANDBOX_CHOSEN,))
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


def _route_to_named(asked: _Asked, configured: Sequence[Configured], named: str) -> Route:
    request = asked.request
    entry = next((c for c in configured if c.provider.name == named.lower()), None)
    if entry is None:
        names = [c.provider.name for c in configured]
        raise RequestRefused("unsupported", f"There is no provider {named!r}{meant_or_known(named, names)}.")
    if entry.problem is not None:
        raise RequestRefused("unauthorized", f"{entry.provider.name} cannot be used: {entry.problem}")
    facts = find_model(entry.provider, request)
    warnings: tuple[str, ...] = ()
    if facts is None:
        facts = _unknown_model(request, entry.provider)
        warnings = (f"{facts.id!r} is not in the model data of {entry.provider.name}; its limits were not checked.",)
    return Route((_candidate(asked, entry.provider, facts),), warnings)


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


def _fitting(asked: _Asked, providers: Sequence[Provider], warnings: tuple[str, ...]) -> Route:
    request = asked.request
    candidates: list[Candidate] = []
    refusals: list[RequestRefused] = []
    for provider in providers:
        facts = find_model(provider, request)
        if facts is None:
            continue
        try:
            candidates.append(_candidate(asked, provider, facts))
        except RequestRefused as refusal:
            refusals.append(refusal)
    if candidates:
        as_they_are = [candidate for candidate in candidates if not candidate.uploads]
        return Route(tuple(as_they_are or candidates), warnings)
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
    return f"{offered}{meant_or_known(request.model, names)}. Name a provider to use a model that rushes does not know."


def _candidate(asked: _Asked, provider: Provider, facts: ModelFacts) -> Candidate:
    request, uploader = asked.request, asked.uploader
    uploads = () if uploader is None else without_url(request, facts)
    if uploader is not None and uploads:
        request = with_urls(request, {m.sha256: _expected(m, uploader) for m in uploads if m.sha256 is not None})
    check_request(request, facts, provider.name)
    plan = provider.plan(request, facts)
    warnings = list(plan.warnings)
    if not provider.traits.free:
        warnings += unchecked(request, facts, provider.name)
    if uploader is not None and uploads:
        names = " and ".join(dict.fromkeys(INPUT_OF_ROLE[medium.role] for medium in uploads))
        warnings.append(f"{names}: uploaded to {uploader.host} first, as {provider.name} takes URLs only")
    return Candidate(provider, facts, plan.model_copy(update={"warnings": tuple(warnings)}), uploads)


def _expected(medium: MediaInput, uploader: Uploader) -> str:
    return uploader.expected_url(medium.sha256 or "", medium.mime_type or "application/octet-stream")


def planned_again(chosen: Route, request: GenerationRequest) -> Route:
    """The same route for the request with the URLs of its uploaded media.

    Raises:
        RequestRefused: a provider does not take them.
    """
    candidates: list[Candidate] = []
    for candidate in chosen.candidates:
        plan = candidate.provider.plan(request, candidate.facts)
        plan = plan.model_copy(update={"warnings": candidate.plan.warnings})
        candidates.append(replace(candidate, plan=plan, uploads=()))
    return replace(chosen, candidates=tuple(candidates))


def find_model(provider: Provider, request: GenerationRequest, *, any_kind: bool = False) -> ModelFacts | None:
    """The facts of the model that a request names (`auto`: the provider's default of that kind)."""
    wanted = provider.default_model(request.kind) if request.model.lower() == "auto" else request.model
    if wanted is None:
        return None
    return fact_files.find_model(provider.models(), wanted, None if any_kind else request.kind)


def meant_or_known(word: str, known: Sequence[str]) -> str:
    """` (did you mean …?)` for a near miss, else some of the known names, to stand behind the word."""
    return did_you_mean(word, known) or (f" (known: {', '.join(known[:12])})" if known else "")
