"""What to say where no model takes a request: which others take exactly this, and what the nearest takes; pure."""

from collections.abc import Iterable, Sequence

from ...domain.errors import RequestRefused
from ...domain.request import GenerationRequest
from ...providers.checks import spoken
from ...providers.provider import Provider
from .candidates import Asked, Candidate, Configured, find_model, is_auto, meant_or_known
from .choosing import Match, Matched, match_all
from .nearest import nearest_of

FITTING_SHOWN = 3


def refused(
    asked: Asked, matched: Matched, tried: Sequence[Provider], configured: Sequence[Configured]
) -> RequestRefused:
    """The refusal of a request that none of the tried providers takes."""
    usable = [c.provider for c in configured if c.problem is None and not c.provider.traits.free]
    if not matched.refusals:
        return RequestRefused("unsupported", not_offered(asked.request, tried))
    near = nearest_of(asked, ((provider, row) for provider, row, _ in matched.refusals))
    told = _told(asked, matched, tried, None if near is None else near.candidate.facts.name)
    if told.reason == "invalid_media" and told.hint is not None:
        return told
    sentences = ["Nothing was sent."]
    fitting = [] if is_auto(asked.request) else _fitting_exactly(asked, usable)
    if fitting:
        known = fitting[0].candidate.is_known_to_fit
        sentences.append(f"{_named(fitting)} {'take' if known else 'may take'} exactly this: name one as model.")
    if near is not None:
        sentences.append(f"Nearest: {_who(near.candidate)} with this changed: {near}.")
    elif not fitting:
        mended_by = told.hint if told.reason == "invalid_input" else None
        elsewhere = mended_by or _elsewhere(asked, configured)
        sentences.append(elsewhere or told.hint or "Call list_models to see what is offered.")
    return RequestRefused(told.reason, told.message, provider_code=told.provider_code, hint=" ".join(sentences))


def _told(asked: Asked, matched: Matched, tried: Sequence[Provider], near: str | None) -> RequestRefused:
    """What of all refusals to repeat: each gateway's where a model was named, else the one of the nearest model."""
    of_media = [why for _, _, why in matched.refusals if why.reason == "invalid_media"]
    if not is_auto(asked.request):
        return _joined([why for _, _, why in matched.refusals])
    nearest = [why for _, row, why in matched.refusals if row.name == near]
    first = (of_media or nearest or [why for _, _, why in matched.refusals])[0]
    count = len(matched.refusals)
    if count == 1 or of_media:
        return first
    names = spoken(provider.name for provider in tried)
    message = f"No {asked.request.kind} model of {names} takes exactly this; the nearest does not: {first.message}"
    return RequestRefused(first.reason, message, provider_code=first.provider_code, hint=first.hint)


def _joined(refusals: Sequence[RequestRefused]) -> RequestRefused:
    first = refusals[0]
    messages = "; ".join(dict.fromkeys(refusal.message for refusal in refusals))
    return RequestRefused(first.reason, messages, provider_code=first.provider_code, hint=first.hint)


def _fitting_exactly(asked: Asked, usable: Sequence[Provider]) -> list[Match]:
    request = asked.request.model_copy(update={"model": "auto"})
    matches = match_all(Asked(request, asked.uploader), usable).matches
    return [match for match in matches if match.candidate.is_known_to_fit == matches[0].candidate.is_known_to_fit]


def _named(matches: Iterable[Match]) -> str:
    names = dict.fromkeys(f"{m.candidate.facts.name} ({m.candidate.provider.name})" for m in matches)
    return spoken([*names][:FITTING_SHOWN]).replace(" or ", " and ")


def _elsewhere(asked: Asked, configured: Sequence[Configured]) -> str | None:
    """A model that would take it, if its provider had a key."""
    keyless = {c.provider.name: c for c in configured if c.problem is not None and not c.provider.traits.free}
    matched = match_all(asked, [c.provider for c in keyless.values()])
    if matched.matches:
        one = matched.matches[0].candidate
        return f"{_who(one)} would take it, but {keyless[one.provider.name].problem}." if one.is_known_to_fit else None
    near = nearest_of(asked, ((provider, row) for provider, row, _ in matched.refusals))
    if near is None:
        return None
    one = near.candidate
    return f"Nearest: {_who(one)} with this changed: {near}; but {keyless[one.provider.name].problem}."


def _who(one: Candidate) -> str:
    return f"{one.facts.name} on {one.provider.name}"


def not_offered(request: GenerationRequest, providers: Sequence[Provider]) -> str:
    """No provider has such a model, or has it for another kind."""
    if is_auto(request):
        return f"None of the configured providers ({', '.join(p.name for p in providers)}) offers {request.kind}."
    for provider in providers:
        other = find_model(provider, request, any_kind=True)
        if other is not None:
            return f"{request.model} makes {other.kind}, not {request.kind}."
    names = sorted({facts.name for p in providers for facts in p.models() if facts.kind == request.kind})
    offered = f"No configured provider offers the {request.kind} model {request.model!r}"
    return f"{offered}{meant_or_known(request.model, names)}. Name a provider to use a model that rushes does not know."
