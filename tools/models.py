"""`list_models`: what can be generated, where, and within which limits; as short as it can be."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from ..domain.model_facts import InputLimits, ModelFacts
from ..domain.request import Kind
from ..tasks.service import ModelOffer
from .answers.result import ToolResult
from .arguments.tool_input import ToolInput
from .arguments.values import KindFilter, Name
from .context import ToolContext
from .spec import ANSWERS, READS, ToolSpec

UNFILTERED_BYTES = 6_000
"""The whole answer without a filter, as JSON."""
FILTERED_BYTES = 12_000

FULL_MAX = 24
"""Models shown with their limits where not all can be."""

_KINDS: tuple[Kind, ...] = ("video", "image", "audio")
_COUNTS = ("reference_images_max", "reference_videos_max", "reference_audios_max", "images_max", "count_max")

VALUES_MAX = 24
"""Values shown of one list: a gateway may have hundreds of voices."""

Entry = dict[str, JsonValue]


class ListModels(ToolInput):
    """Arguments of `list_models`."""

    kind: KindFilter | None = Field(None)
    provider: Name | None = Field(None)
    query: Name | None = Field(None, description="Part of a name")


class ModelList(BaseModel):
    """The answer's shape; `models` entries leave out what is not known."""

    model_config = ConfigDict(frozen=True)

    models: list[Entry]
    total: int
    note: str | None = None
    """How to see what was left out."""


async def list_models(context: ToolContext, arguments: ListModels) -> ToolResult:
    """The models that match, those usable now first.

    Raises:
        RequestRefused: there is no such provider.
    """
    service = await context.opened()
    offers = await service.models(kind=arguments.kind, provider=arguments.provider, query=arguments.query)
    filtered = any((arguments.kind, arguments.provider, arguments.query))
    shown = model_list(offers, FILTERED_BYTES if filtered else UNFILTERED_BYTES)
    return ToolResult(document=shown.model_dump(mode="json", exclude_none=True))


def model_list(offers: Sequence[ModelOffer], bytes_max: int) -> ModelList:
    """As many models as fit: with all that is known of them, else the first usable ones so and the rest in short."""
    ordered = _ordered(offers)
    if not ordered:
        note = "No model matches; call without filters to see what there is."
        return ModelList(models=[], total=0, note=note)
    full = ModelList(models=[_full(offer) for offer in ordered], total=len(ordered))
    return full if _bytes(full) <= bytes_max else _shortened(ordered, bytes_max)


def _shortened(ordered: Sequence[ModelOffer], bytes_max: int) -> ModelList:
    """The first ones with all that is known, the rest in short, and as many of both as fit."""
    count = len(ordered)
    shown = _partly_short(ordered, 0, count)
    while count and _bytes(shown) > bytes_max:
        count = min(count - 1, count * bytes_max // _bytes(shown))
        shown = _partly_short(ordered, 0, count)
    if count < len(ordered):
        return shown
    for full in range(1, _usable_count(ordered) + 1):
        fuller = _partly_short(ordered, full, count)
        if _bytes(fuller) > bytes_max:
            break
        shown = fuller
    return shown


def _usable_count(ordered: Sequence[ModelOffer]) -> int:
    return min(FULL_MAX, sum(_usable(offer) for offer in ordered))


def _partly_short(ordered: Sequence[ModelOffer], full: int, count: int) -> ModelList:
    entries = [*map(_full, ordered[:full]), *map(_short, ordered[full:count])]
    left_out = f"{len(ordered) - count} more models are not shown. " if count < len(ordered) else ""
    note = (
        f"{'The rest in' if full else 'In'} short: {left_out}give kind, provider or query to see limits and the rest."
    )
    return ModelList(models=entries, total=len(ordered), note=note)


def _bytes(shown: ModelList) -> int:
    document = shown.model_dump(mode="json", exclude_none=True)
    return len(json.dumps(document, ensure_ascii=False).encode())


def _ordered(offers: Sequence[ModelOffer]) -> list[ModelOffer]:
    """Usable ones first; the kinds in turn, so that a shortened list shows some of each."""
    usable = [offer for offer in offers if _usable(offer)]
    others = [offer for offer in offers if not _usable(offer)]
    return [*_in_turn(usable), *_in_turn(others)]


def _in_turn(offers: Sequence[ModelOffer]) -> Iterator[ModelOffer]:
    of_each_kind = [[offer for offer in offers if offer.kind == kind] for kind in _KINDS]
    return (offer for offer in chain.from_iterable(zip_longest(*of_each_kind)) if offer is not None)


def _usable(offer: ModelOffer) -> bool:
    return any(usable for _, _, usable in offer.offers)


def _short(offer: ModelOffer) -> Entry:
    providers: list[JsonValue] = [name for name, _, usable in offer.offers if usable]
    if providers:
        return {"name": offer.name, "kind": offer.kind, "usable_at": providers}
    keyless: list[JsonValue] = [name for name, _, _ in offer.offers]
    return {"name": offer.name, "kind": offer.kind, "needs_key_of": keyless}


def _full(offer: ModelOffer) -> Entry:
    """The limits of the first usable provider; of the others only what differs from them."""
    first = next((facts for _, facts, usable in offer.offers if usable), offer.offers[0][1])
    common = _known(first)
    providers: list[JsonValue] = [
        _offered_by(name, facts, usable, offer.name, common) for name, facts, usable in offer.offers
    ]
    return {"name": offer.name, "kind": offer.kind, "providers": providers, **common}


def _offered_by(provider: str, facts: ModelFacts, usable: bool, name: str, common: Entry) -> Entry:
    known = _known(facts)
    entry: Entry = {"provider": provider, "usable": usable}
    if facts.id != name:
        entry["id"] = facts.id
    entry |= {key: value for key, value in known.items() if common.get(key) != value}
    if missing := sorted(common.keys() - known.keys()):
        entry["not_known"] = [*missing]
    return entry


def _known(facts: ModelFacts) -> Entry:
    """What is known of a model on one gateway, under the names of the tools' arguments."""
    operations = facts.operations or {}
    of_operations: Entry = {name: _limits(limits) for name, limits in operations.items() if _limits(limits)}
    known: Entry = {
        "operations": [*sorted(operations)],
        **_limits(facts),
        "operation_limits": of_operations,
        "voices": _listed(facts.voices),
        "languages": _listed(facts.languages),
        "output_formats": _listed(facts.output_formats),
        "required_inputs": _listed(facts.required_inputs),
    }
    if facts.prompt_characters_max is not None:
        known["prompt_characters_max"] = facts.prompt_characters_max
    if facts.certainty in {"live", "unknown"}:
        known["limits_known"] = False
    return {key: value for key, value in known.items() if value not in (None, [], {})}


def _limits(limits: InputLimits) -> Entry:
    """The limits on the inputs that are known."""
    known: Entry = {
        "durations_seconds": _listed(limits.durations_seconds) or _range(limits),
        "aspect_ratios": _listed(limits.aspect_ratios),
        "resolutions": _listed(limits.resolutions),
        "sizes": _listed(limits.sizes),
        "qualities": _listed(limits.qualities),
        **{name: getattr(limits, name) for name in _COUNTS},
    }
    return {key: value for key, value in known.items() if value not in (None, [])}


def _range(limits: InputLimits) -> str | None:
    """`4-15`; `up to 15` and `from 4` where only one end is known."""
    low, high = limits.duration_seconds_min, limits.duration_seconds_max
    if low is not None and high is not None:
        return f"{low:g}-{high:g}"
    return f"up to {high:g}" if high is not None else f"from {low:g}" if low is not None else None


def _listed(values: Sequence[str] | Sequence[float] | None) -> list[JsonValue]:
    """At most `VALUES_MAX` values; whole numbers without a decimal point."""
    shown: list[JsonValue] = [
        int(value) if isinstance(value, float) and value.is_integer() else value for value in values or ()
    ]
    left_out = len(shown) - VALUES_MAX
    return [*shown[:VALUES_MAX], f"... {left_out} more"] if left_out > 0 else shown


LIST_MODELS = ToolSpec(
    name="list_models",
    title="List models",
    description="Find models, where each is usable now and what it accepts.",
    input_model=ListModels,
    call=list_models,
    hints=READS,
    output_schema=ANSWERS,
)
