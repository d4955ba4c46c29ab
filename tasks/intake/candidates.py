"""One way to make a request: a model at a provider, checked and planned; pure."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.errors import RequestRefused, RushesError
from ...domain.job import Plan
from ...domain.model_facts import ModelFacts
from ...domain.money import NOT_QUOTED, Quote
from ...domain.request import GenerationRequest, MediaInput
from ...domain.spelling import did_you_mean
from ...providers import fact_files
from ...providers.checks import INPUT_OF_ROLE, check_request, doubts, unchecked
from ...providers.provider import Provider
from ...providers.translating import translated
from ..ports import Uploader
from .uploads import with_urls, without_url

logger = logging.getLogger(__name__)

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
class Asked:
    """A request on its way through the candidates."""

    request: GenerationRequest
    uploader: Uploader | None = None


@dataclass(frozen=True)
class Candidate:
    """One way to make a request: the plan of its POST at one provider."""

    provider: Provider
    facts: ModelFacts
    plan: Plan
    """With media that are still to be uploaded, their URLs in it are only what is expected."""
    uploads: tuple[MediaInput, ...] = ()
    """Media that the provider takes by URL only, and that rushes holds as bytes only."""
    doubts: tuple[str, ...] = ()
    """What of the request could not be checked, because nothing is known of it."""
    assumed: tuple[str, ...] = ()
    """Media that go out under a name that no page of the gateway tells."""
    quote: Quote = NOT_QUOTED
    """What is known beforehand of its cost."""

    @property
    def deadline_seconds(self) -> float:
        """After this, counted from the submission, the task is given up."""
        return self.facts.deadline_seconds or DEADLINE_SECONDS[self.facts.kind]

    @property
    def is_known_to_fit(self) -> bool:
        """Everything that was asked was checked against a page or a client of the gateway."""
        return not self.doubts and not self.assumed and self.facts.certainty not in {"guess", "live", "unknown"}


def candidate(asked: Asked, provider: Provider, facts: ModelFacts) -> Candidate:
    """The request at one model of one provider.

    Raises:
        RequestRefused: the model does not take it; nothing was sent.
    """
    request, uploader = asked.request, asked.uploader
    uploads = () if uploader is None else without_url(request, facts)
    if uploader is not None and uploads:
        request = with_urls(request, {m.sha256: _expected(m, uploader) for m in uploads if m.sha256 is not None})
    request, said_otherwise = translated(request, facts)
    check_request(request, facts, provider.name)
    plan = planned(provider, request, facts)
    warnings = [*said_otherwise, *plan.warnings]
    blind = () if provider.traits.free else tuple(doubts(request, facts))
    if not provider.traits.free:
        warnings += unchecked(request, facts, provider.name, blind)
    if uploader is not None and uploads:
        names = " and ".join(dict.fromkeys(INPUT_OF_ROLE[medium.role] for medium in uploads))
        warnings.append(f"{names}: uploaded to {uploader.host} first, as {provider.name} takes URLs only")
    given = {INPUT_OF_ROLE[medium.role] for medium in request.media}
    return Candidate(
        provider,
        facts,
        plan.model_copy(update={"warnings": tuple(warnings)}),
        uploads,
        doubts=blind,
        assumed=tuple(name for name in facts.assumed_inputs if name in given),
    )


def planned(provider: Provider, request: GenerationRequest, facts: ModelFacts) -> Plan:
    """The provider's plan for the request.

    Raises:
        RequestRefused: it takes none like this, or a fault of its own keeps it from saying; nothing was sent.
    """
    try:
        return provider.plan(request, facts)
    except RushesError:
        raise
    except Exception as fault:  # the boundary to formats and providers, which other packages bring too
        logger.exception("no plan", extra={"provider": provider.name, "model": facts.id})
        why = f"A fault in {provider.name} kept the request from being made ready for {facts.name}; nothing was sent."
        raise RequestRefused("internal", why, hint="Name another provider or model; the log says more.") from fault


def _expected(medium: MediaInput, uploader: Uploader) -> str:
    return uploader.expected_url(medium.sha256 or "", medium.mime_type or "application/octet-stream")


def find_model(provider: Provider, request: GenerationRequest, *, any_kind: bool = False) -> ModelFacts | None:
    """The facts of the model that a request names (`auto`: the provider's default of that kind)."""
    wanted = provider.default_model(request.kind) if is_auto(request) else request.model
    if wanted is None:
        return None
    return fact_files.find_model(provider.models(), wanted, None if any_kind else request.kind)


def is_auto(request: GenerationRequest) -> bool:
    """Whether the choice of the model is left to rushes."""
    return request.model.lower() == "auto"


def meant_or_known(word: str, known: Sequence[str]) -> str:
    """` (did you mean …?)` for a near miss, else some of the known names, to stand behind the word."""
    return did_you_mean(word, known) or (f" (known: {', '.join(known[:12])})" if known else "")
