"""Rows of `list_models`: what is known of a model, under the names of the tools' arguments; pure."""

from collections.abc import Sequence

from pydantic import JsonValue

from ..domain.model_facts import InputLimits, ModelFacts, OperationFacts, OptionFacts
from ..domain.money import Estimate
from ..tasks.service import Fit, ModelOffer, PriceGuide

VALUES_MAX = 24
"""Values shown of one list: a gateway may have hundreds of voices."""

Entry = dict[str, JsonValue]

_COUNTS = ("reference_images_max", "reference_videos_max", "reference_audios_max", "images_max", "count_max")


def is_usable(offer: ModelOffer) -> bool:
    """Whether a provider that has a key offers it."""
    return any(usable for _, _, usable in offer.offers)


def short_row(offer: ModelOffer) -> Entry:
    """Its name, and who offers it."""
    providers: list[JsonValue] = [name for name, _, usable in offer.offers if usable]
    if providers:
        return {"name": offer.name, "kind": offer.kind, "usable_at": providers}
    keyless: list[JsonValue] = [name for name, _, _ in offer.offers]
    return {"name": offer.name, "kind": offer.kind, "needs_key_of": keyless}


def full_row(offer: ModelOffer, prices: PriceGuide | None = None) -> Entry:
    """What the first usable provider takes; of the others only what differs from it."""
    first = next((facts for _, facts, usable in offer.offers if usable), offer.offers[0][1])
    common = known_of(first)
    providers: list[JsonValue] = [
        _offered_by(name, facts, usable, offer.name, common) | _cost_and_time(prices, name, facts)
        for name, facts, usable in offer.offers
    ]
    return {"name": offer.name, "kind": offer.kind, "providers": providers, **common}


def fit_row(fit: Fit) -> Entry:
    """One model at one provider that takes what was asked for."""
    row: Entry = {"model": fit.facts.name, "provider": fit.provider, "kind": fit.facts.kind}
    if not fit.usable:
        row["usable"] = False
    if fit.seconds is not None:
        row["expected_seconds"] = _number(fit.seconds)
    if fit.estimate is not None:
        row["estimate"] = _estimated(fit.estimate)
    if fit.doubts:
        row["not_checked"] = [*fit.doubts]
    if fit.facts.certainty != "documented":
        row["certainty"] = fit.facts.certainty
    return row


def _estimated(estimate: Estimate) -> Entry:
    shown: Entry = {"amount": float(estimate.amount), "currency": estimate.currency, "basis": estimate.basis}
    return shown if estimate.n is None else {**shown, "n": estimate.n}


def _cost_and_time(prices: PriceGuide | None, provider: str, facts: ModelFacts) -> Entry:
    """What it costs there and how long it takes, as far as that is known."""
    if prices is None:
        return {}
    entry: Entry = {}
    price, expected = prices.unit_price(provider, facts), prices.expected_seconds(provider, facts.id)
    if price is not None:
        shown: Entry = {"amount": float(round(price.amount, 6)), "currency": price.currency, "per": price.unit}
        entry["price"] = {**shown, "basis": price.basis, **({} if price.n is None else {"n": price.n})}
    if expected is not None and expected.n:
        entry["expected_seconds"] = {"median": round(expected.seconds, 1), "n": expected.n}
    return entry


def _offered_by(provider: str, facts: ModelFacts, usable: bool, name: str, common: Entry) -> Entry:
    known = known_of(facts)
    entry: Entry = {"provider": provider, "usable": usable}
    if facts.id != name:
        entry["id"] = facts.id
    entry |= {key: value for key, value in known.items() if common.get(key) != value}
    if missing := sorted(common.keys() - known.keys()):
        entry["not_known"] = [*missing]
    return entry


def known_of(facts: ModelFacts) -> Entry:
    """What is known of a model on one gateway."""
    operations = facts.operations or {}
    of_operations: Entry = {name: own for name, limits in operations.items() if (own := _of_operation(limits))}
    known: Entry = {
        "operations": [*sorted(operations)],
        "purposes": _listed(facts.purposes),
        **_limits(facts),
        "operation_limits": of_operations,
        "voices": _listed(facts.voices),
        "languages": _listed(facts.languages),
        "output_formats": _listed(facts.output_formats),
        "inputs": [name for name in facts.inputs or () if name not in _told_by_limits(facts)],
        "assumed_inputs": _listed(facts.assumed_inputs),
        "only": facts.only,
        "required_inputs": _listed(facts.required_inputs),
        "provider_options": options_of(facts),
        "prompt_characters_max": facts.prompt_characters_max,
        "expected_seconds": None if facts.expected_seconds is None else _number(facts.expected_seconds),
        "certainty": facts.certainty,
    }
    if facts.pixels is not None:
        known["sizes"] = f"WIDTHxHEIGHT in steps of {facts.pixels.multiple_of}, sides up to {facts.pixels.side_max}"
    if facts.certainty in {"live", "unknown"}:
        known["limits_known"] = False
    return {key: value for key, value in known.items() if value not in (None, [], {})}


_FACTS_OF_INPUTS = {
    "duration_seconds": ("durations_seconds", "duration_seconds_min", "duration_seconds_max"),
    "aspect_ratio": ("aspect_ratios",),
    "resolution": ("resolutions",),
    "size": ("sizes",),
    "quality": ("qualities",),
    "voice": ("voices",),
    "language": ("languages",),
    "output_format": ("output_formats",),
    "count": ("count_max",),
    "images": ("images_max",),
    "reference_images": ("reference_images_max",),
    "reference_videos": ("reference_videos_max",),
    "reference_audios": ("reference_audios_max",),
}


def _told_by_limits(facts: ModelFacts) -> set[str]:
    """Inputs of which the limits stand in the row, so that they need not be named again."""
    return {name for name, fields in _FACTS_OF_INPUTS.items() if any(getattr(facts, field) for field in fields)}


def options_of(facts: ModelFacts) -> Entry:
    """The gateway's own fields that its page documents, with their values; none of the plumbing."""
    return {name: shown for name, option in facts.options.items() if (shown := _option(option))}


def _option(option: OptionFacts) -> JsonValue:
    if not option.listed or option.form is not None:
        return None
    if option.values is not None:
        return [*option.values] if len(option.values) > 1 else None
    return option.takes


def _of_operation(limits: OperationFacts) -> Entry:
    own = _limits(limits)
    if limits.inputs is not None:
        own["inputs"] = [*limits.inputs]
    return own


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


def _number(value: float) -> JsonValue:
    """Whole numbers without a decimal point."""
    return int(value) if value.is_integer() else round(value, 1)


def _listed(values: Sequence[str] | Sequence[float] | None) -> list[JsonValue]:
    """At most `VALUES_MAX` values."""
    shown: list[JsonValue] = [_number(value) if isinstance(value, float) else value for value in values or ()]
    left_out = len(shown) - VALUES_MAX
    return [*shown[:VALUES_MAX], f"... {left_out} more"] if left_out > 0 else shown
