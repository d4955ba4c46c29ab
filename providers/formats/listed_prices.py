"""Prices in a gateway's live list of models."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from pydantic import JsonValue

from ...domain.money import USD, Price, amount_of
from ...domain.request import Kind
from .readings import parse_object

_KEYS_MAX = 40
_UPSTREAMS_MAX = 40


def llmgateway_prices(row: Mapping[str, JsonValue], kind: Kind) -> Sequence[Price]:
    """LLMGateway's `pricing`: of the model, and of each upstream that a call may be sent to, which may be dearer.

    `per_second` is by resolution and sound (`720p_audio`, `default_video` …), `per_image` that of each image made, by
    resolution tier (`1K`, `2K`, `default`), `request` a flat price, which is charged beside that of the images, and
    `image` for a video that of each input image. For what makes images it is that of a token of them, as `prompt` and
    `completion` are, and nobody knows those beforehand. (Source of LLMGateway: `models.ts`, `types.ts`, `costs.ts`,
    `estimateVideoCostUsd`.)
    """
    upstreams = row.get("providers")
    listed = [row, *(upstreams[:_UPSTREAMS_MAX] if isinstance(upstreams, list) else [])]
    found: list[Price] = []
    for each in listed:
        price = _llmgateway(parse_object((parse_object(each) or {}).get("pricing")), kind)
        if price is not None and price not in found:
            found.append(price)
    return found


def _llmgateway(pricing: Mapping[str, JsonValue] | None, kind: Kind) -> Price | None:
    if pricing is None:
        return None
    per_second = _amounts(pricing.get("per_second"))
    per_output = _amounts(pricing.get("per_image")) if kind == "image" else {}
    # Where there is a price by the second, the gateway charges no flat one beside it.
    per_request = None if per_second else _positive(pricing.get("request"))
    if not (per_second or per_output or per_request):
        return None
    per_input_image = _positive(pricing.get("image")) if kind == "video" else None
    return Price(per_second=per_second, per_output=per_output, per_request=per_request, per_input_image=per_input_image)


def shuyou_prices(row: Mapping[str, JsonValue], kind: Kind) -> Sequence[Price]:
    """Shuyou's `pricing`, numbers in US dollars by unit (`second`, `image`), or the `pricings` of another of its pages:
    lists of `{value, unit}`, where `video` is silent and `audio_and_video` has sound."""
    lists = parse_object(row.get("pricings"))
    found = _shuyou_lists(lists, kind) if lists else _shuyou_numbers(parse_object(row.get("pricing")) or {}, kind)
    return () if found is None else (found,)


def _shuyou_numbers(pricing: Mapping[str, JsonValue], kind: Kind) -> Price | None:
    second = _positive(pricing.get("second"))
    output = _positive(pricing.get("image")) if kind == "image" else None
    if kind != "image" and second is not None:
        return Price(per_second={"default": second})
    return None if output is None else Price(per_output={"default": output})


def _shuyou_lists(pricings: Mapping[str, JsonValue], kind: Kind) -> Price | None:
    names = {"video": {"video": "default_video", "audio_and_video": "default_audio"}}.get(kind, {kind: "default"})
    per_second: dict[str, Decimal] = {}
    per_output: dict[str, Decimal] = {}
    for name, key in names.items():
        for unit, value in _shuyou_items(pricings.get(name)):
            into = {"perSecond": per_second, "perCount": per_output}.get(unit)
            if into is not None:
                # Of prices under conditions that no page names, the dearest.
                into[key] = max(value, into.get(key, value))
    if per_output and not per_second:
        per_output = {"default": max(per_output.values())}
    if not (per_second or per_output):
        return None
    return Price(per_second=per_second) if per_second else Price(per_output=per_output)


def _shuyou_items(items: JsonValue) -> Iterator[tuple[str, Decimal]]:
    for item in items[:_KEYS_MAX] if isinstance(items, list) else ():
        fields = parse_object(item) or {}
        value, unit = _positive(fields.get("value")), fields.get("unit")
        if value is not None and isinstance(unit, str) and fields.get("currency", USD) == USD:
            yield unit, value


def _amounts(value: JsonValue) -> dict[str, Decimal]:
    """Prices by name, or one price for all."""
    fields = parse_object(value)
    if fields is None:
        single = _positive(value)
        return {} if single is None else {"default": single}
    found = {name.lower()[:40]: _positive(each) for name, each in list(fields.items())[:_KEYS_MAX]}
    return {name: amount for name, amount in found.items() if amount is not None}


def _positive(value: JsonValue) -> Decimal | None:
    """A price that is told: these lists write 0 for what they do not know."""
    amount = amount_of(value)
    return amount or None
