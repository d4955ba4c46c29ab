"""Prices of images in the gateways' lists, as their pages and sources write them."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from pydantic import JsonValue

from rushes.domain.money import Estimate, Measure, Price
from rushes.domain.request import GenerationRequest
from rushes.providers.client.reply import Reply
from rushes.providers.formats.listed_prices import llmgateway_prices, shuyou_prices
from rushes.providers.formats.live import live_rows
from rushes.tasks.money.measures import measure_of
from rushes.tasks.money.pricing import dearest, dearest_unit, priced

from ..tasks.makers import START

TIERS: JsonValue = {"1K": "0.04", "2K": "0.075"}
"""`perImagePrice`, as LLMGateway's own tests have it."""


def _pricing(**own: JsonValue) -> JsonValue:
    """As `buildPricingFields` in LLMGateway's `models.ts` fills it: with zeros for what a model does not go by."""
    zeros = dict.fromkeys(("prompt", "completion", "image", "request", "input_cache_read", "input_cache_write"), "0")
    return {**zeros, **own}


def _image(prices: Sequence[Price], **asked: object) -> Estimate | None:
    request = GenerationRequest.model_validate({"kind": "image", "prompt": "a fox", **asked})
    return dearest(prices, measure_of(request), "listed")


@pytest.mark.parametrize(
    ("per_image", "asked", "amount"),
    [
        (TIERS, {"resolution": "1k"}, "0.04"),
        (TIERS, {"resolution": "2K"}, "0.075"),
        (TIERS, {"resolution": "2k", "count": 4}, "0.3"),
        # Not said how large: more is told rather than less.
        (TIERS, {}, "0.075"),
        ({"default": "0.02", "2K": "0.075"}, {}, "0.02"),
        ({"default": "0.02", "2K": "0.075"}, {"resolution": "4k"}, "0.02"),
        ({"1024x1024": "0.02", "1792x1024": "0.03"}, {"size": "1024x1024"}, "0.02"),
        # A tier for nothing is one that the list does not know.
        ({"512": "0", "1024": "0.075"}, {}, "0.075"),
        ("0.04", {"count": 2}, "0.08"),
        (0.04, {}, "0.04"),
    ],
)
def test_llmgateway_lists_images_by_the_tier_of_their_resolution(
    per_image: JsonValue, asked: dict[str, object], amount: str
) -> None:
    found = _image(llmgateway_prices({"pricing": _pricing(per_image=per_image)}, "image"), **asked)
    assert found == Estimate(amount=Decimal(amount), currency="USD", basis="listed")


def test_what_a_request_costs_is_charged_beside_its_images() -> None:
    price = llmgateway_prices({"pricing": _pricing(per_image=TIERS, request="0.01")}, "image")
    found = _image(price, resolution="1k", count=3)
    assert found is not None
    assert found.amount == Decimal("0.13")
    shown = dearest_unit(price)
    assert shown is not None
    assert (shown.amount, shown.unit) == (Decimal("0.085"), "output")


def test_images_that_only_their_upstreams_list_cost_what_the_dearest_takes() -> None:
    upstreams: JsonValue = [{"pricing": _pricing(per_image={"1K": each})} for each in ("0.02", "0.05", "0.03")]
    found = _image(llmgateway_prices({"pricing": _pricing(), "providers": upstreams}, "image"), resolution="1k")
    assert found is not None
    assert found.amount == Decimal("0.05")


@pytest.mark.parametrize("per_image", [None, {}, [], "dear", {"1K": None}, {"1K": "-1"}, {"1K": {"value": 1}}, True])
def test_what_is_no_price_of_an_image_makes_none(per_image: JsonValue) -> None:
    assert llmgateway_prices({"pricing": _pricing(per_image=per_image)}, "image") == []


def test_the_price_of_an_image_is_none_of_a_video_and_the_token_of_one_is_none_at_all() -> None:
    assert llmgateway_prices({"pricing": _pricing(per_image=TIERS)}, "video") == []
    assert llmgateway_prices({"pricing": _pricing(image="0.0000003", prompt="0.000002")}, "image") == []


def test_the_list_as_it_comes_has_the_price_in_its_row() -> None:
    architecture: JsonValue = {"input_modalities": ["text", "image"], "output_modalities": ["image"]}
    body: JsonValue = {
        "data": [{"id": "qwen-image", "architecture": architecture, "pricing": _pricing(per_image=TIERS)}]
    }
    (row,) = live_rows(Reply(200, {}, body, START), "a list", llmgateway_prices)
    assert row.price is not None
    assert row.price.per_output == {"1k": Decimal("0.04"), "2k": Decimal("0.075")}


@pytest.mark.parametrize(
    ("pricings", "amount"),
    [
        ({"image": [{"value": 0.04, "unit": "perCount", "currency": "USD"}]}, "0.08"),
        ({"image": [{"value": "0.04", "unit": "perCount"}], "prompt": [{"value": 3, "unit": "perMTokens"}]}, "0.08"),
        # Free services show as 0, and so does what is not known: neither is a price.
        ({"image": [{"value": 0, "unit": "perCount", "currency": "USD"}]}, None),
        ({"image": [{"value": 40, "unit": "perMTokens", "currency": "USD"}]}, None),
        ({"image": [{"value": 0.3, "unit": "perCount", "currency": "CNY"}]}, None),
        ({"image": {"value": 0.04, "unit": "perCount"}}, None),
        ({"image": [None, 7, "0.04"]}, None),
    ],
)  # fmt: skip
def test_shuyou_lists_images_by_the_count(pricings: JsonValue, amount: str | None) -> None:
    found = _image(shuyou_prices({"pricings": pricings}, "image"), count=2)
    assert (None if found is None else found.amount) == (None if amount is None else Decimal(amount))


def test_a_person_can_configure_a_price_of_a_request_and_one_by_the_second_together() -> None:
    price = Price(per_second={"default": Decimal("0.1")}, per_request=Decimal("0.05"))
    found = priced(price, Measure(seconds=4), "configured")
    assert found is not None
    assert found.amount == Decimal("0.45")
