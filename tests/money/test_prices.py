"""A price is known from the gateway's list, else from what earlier jobs cost, else from the person, else not at all."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest
from pydantic import JsonValue

from rushes.domain.model_facts import ModelFacts
from rushes.domain.money import Estimate, Measure, PaidJob, Price, amount_of, plain
from rushes.domain.record import TaskRecord
from rushes.domain.request import GenerationRequest, Kind
from rushes.providers.fact_files import join_models
from rushes.providers.formats.listed_prices import llmgateway_prices, shuyou_prices
from rushes.tasks.money.measures import measure_of
from rushes.tasks.money.pricing import dearest, dearest_unit, learned, learned_unit_price, unit_price

from ..tasks.makers import a_record

BY_THE_SECOND: JsonValue = {"default_audio": "0.4", "default_video": "0.2", "4k_audio": "0.6", "4k_video": "0.4"}


@pytest.mark.parametrize(
    ("given", "amount"),
    [(0.1, "0.1"), ("3.20", "3.2"), (100, "100"), (0.1 + 0.2, "0.3"), ("1e-3", "0.001"), (Decimal("0.00"), "0")],
)
def test_an_amount_is_what_was_written(given: object, amount: str) -> None:
    found = amount_of(given)
    assert found is not None
    assert plain(found) == amount


@pytest.mark.parametrize("given", [-1, "free", "", None, True, float("nan"), float("inf"), 1e12, [1]])
def test_what_is_no_amount_is_none(given: object) -> None:
    assert amount_of(given) is None


def test_a_record_of_an_older_rushes_keeps_its_cost_to_the_cent_and_is_not_lost_for_a_strange_one() -> None:
    old = a_record().model_dump(mode="json", by_alias=True)
    cost = TaskRecord.model_validate({**old, "cost": {"amount": 0.1, "currency": "USD"}}).cost
    assert cost is not None
    assert cost.amount == Decimal("0.1")
    assert TaskRecord.model_validate({**old, "cost": {"amount": -1.0, "currency": "USD"}}).cost is None


def _estimate(prices: Sequence[Price], measure: Measure) -> str | None:
    found = dearest(prices, measure, "listed")
    return None if found is None else f"{plain(found.amount)} {found.currency}"


@pytest.mark.parametrize(
    ("measure", "amount"),
    [
        (Measure(resolution="720p", audio=True, seconds=8), "3.2 USD"),
        (Measure(resolution="720p", audio=False, seconds=8), "1.6 USD"),
        (Measure(resolution="720p", seconds=8), "3.2 USD"),
        (Measure(resolution="4k", audio=True, seconds=8), "4.8 USD"),
        (Measure(resolution="4k", audio=False, seconds=4, images=2), "1.7 USD"),
        (Measure(resolution="720p", audio=True), None),
    ],
)
def test_llmgateway_lists_prices_by_second_resolution_and_sound(measure: Measure, amount: str | None) -> None:
    pricing: JsonValue = {
        "prompt": "0",
        "completion": "0",
        "image": "0.05",
        "request": "0",
        "per_second": BY_THE_SECOND,
    }
    assert _estimate(llmgateway_prices({"pricing": pricing}, "video"), measure) == amount


def test_llmgateway_resolution_without_sound_and_a_flat_price_of_a_request() -> None:
    by_resolution = llmgateway_prices({"pricing": {"per_second": {"480p": "0.08", "default": "0.14"}}}, "video")
    assert _estimate(by_resolution, Measure(resolution="480p", audio=True, seconds=6)) == "0.48 USD"
    assert _estimate(by_resolution, Measure(resolution="1080p", audio=True, seconds=6)) == "0.84 USD"
    flat = llmgateway_prices({"pricing": {"request": "0.04", "image": "0.0000003"}}, "image")
    assert _estimate(flat, Measure()) == "0.04 USD"


def test_llmgateway_without_a_price_of_the_model_goes_by_the_dearest_upstream() -> None:
    upstreams: JsonValue = [{"pricing": {"per_second": {"default": price}}} for price in ("0.1", "0.3", "0.2")]
    found = llmgateway_prices({"pricing": {"per_second": {}}, "providers": upstreams}, "video")
    assert _estimate(found, Measure(seconds=10)) == "3 USD"


def test_llmgateway_costs_what_the_dearest_upstream_takes_though_the_model_names_a_lower_price() -> None:
    """A call goes to any of them, and one may be dear in one resolution and another in the next."""
    upstreams: JsonValue = [
        {"pricing": {"per_second": {"default": "0.1"}}},
        {"pricing": {"per_second": {"720p": "0.05", "1080p": "0.3"}}},
        {"pricing": {"per_second": {"720p": "0.12", "1080p": "0.2"}}},
    ]
    found = llmgateway_prices({"pricing": {"per_second": {"default": "0.1"}}, "providers": upstreams}, "video")
    assert _estimate(found, Measure(resolution="720p", seconds=10)) == "1.2 USD"
    assert _estimate(found, Measure(resolution="1080p", seconds=10)) == "3 USD"
    shown = dearest_unit(found)
    assert shown is not None
    assert (shown.amount, shown.unit, shown.basis) == (Decimal("0.3"), "second", "listed")


def test_what_cannot_be_told_of_one_upstream_is_not_known() -> None:
    prices = [Price(per_request=Decimal("0.1")), Price(per_second={"default": Decimal("0.1")})]
    assert _estimate(prices, Measure()) is None
    assert _estimate(prices, Measure(seconds=4)) == "0.4 USD"


@pytest.mark.parametrize(
    "row",
    [{}, {"pricing": {}}, {"pricing": {"prompt": "0.000003", "completion": "0.00001"}}, {"pricing": "dear"},
     {"pricing": {"per_second": {"default": "ask us"}, "request": -4}}, {"pricing": None, "providers": "none"}],
)  # fmt: skip
def test_a_list_that_tells_no_price_of_a_generation_makes_none(row: Mapping[str, JsonValue]) -> None:
    for kind in ("video", "image", "audio"):
        assert llmgateway_prices(row, kind) == []
        assert shuyou_prices(row, kind) == ()


@pytest.mark.parametrize(
    ("kind", "pricing", "measure", "amount"),
    [
        ("video", {"second": 0.1}, Measure(seconds=5, audio=True), "0.5 USD"),
        ("image", {"image": 0.039}, Measure(outputs=3), "0.117 USD"),
        ("audio", {"second": 0.002}, Measure(seconds=30), "0.06 USD"),
    ],
)
def test_shuyou_lists_prices_by_unit(kind: Kind, pricing: JsonValue, measure: Measure, amount: str) -> None:
    assert _estimate(shuyou_prices({"pricing": pricing}, kind), measure) == amount


def test_shuyou_in_its_other_form_tells_silent_videos_from_those_with_sound() -> None:
    pricings: JsonValue = {
        "video": [{"value": 0.1, "unit": "perSecond", "currency": "USD"}],
        "audio_and_video": [{"value": 0.15, "unit": "perSecond", "currency": "USD"}],
        "prompt": [{"value": 3, "unit": "perMTokens", "currency": "USD"}],
    }
    price = shuyou_prices({"pricings": pricings}, "video")
    assert _estimate(price, Measure(seconds=4, audio=False)) == "0.4 USD"
    assert _estimate(price, Measure(seconds=4, audio=True)) == "0.6 USD"
    by_count: JsonValue = {"image": [{"value": 0.04, "unit": "perCount"}, {"value": 0.08, "unit": "perCount"}]}
    assert _estimate(shuyou_prices({"pricings": by_count}, "image"), Measure(outputs=2)) == "0.16 USD"


def test_a_documented_model_takes_its_price_from_the_live_list() -> None:
    documented = ModelFacts(id="veo", name="veo-3.1", kind="video", source="page", resolutions=("720p",))
    price, dearer = Price(per_second={"default": Decimal("0.4")}), Price(per_second={"default": Decimal("0.5")})
    for live_id in ("VEO", "google/veo"):
        live = ModelFacts(id=live_id, name=live_id, kind="video", source="list", certainty="live", price=price)
        joined = join_models([documented], [live.model_copy(update={"upstream_prices": (dearer,)})])[0]
        assert joined.upstream_prices == (dearer,)
        assert (joined.price, joined.resolutions, joined.source) == (price, ("720p",), "page")


# learned


def _job(amount: str, *, resolution: str = "720p", seconds: float | None = 5, currency: str = "USD") -> PaidJob:
    return PaidJob(Measure(resolution=resolution, seconds=seconds), Decimal(amount), currency)


def _learned(jobs: Sequence[PaidJob], *, resolution: str = "720p", seconds: float | None = 5) -> Estimate | None:
    return learned(jobs, Measure(resolution=resolution, seconds=seconds))


def test_the_median_of_the_same_resolution_counts_with_its_number() -> None:
    jobs = [_job("0.5"), _job("0.4"), _job("9"), _job("2.0", resolution="1080p")]
    assert _learned(jobs) == Estimate(amount=Decimal("0.5"), currency="USD", basis="learned", n=3)
    assert _learned(jobs, resolution="4k") is None


def test_only_the_last_twenty_count() -> None:
    assert _learned([*[_job("1")] * 20, *[_job("3")] * 60]) == Estimate(
        amount=Decimal(1), currency="USD", basis="learned", n=20
    )


def test_a_price_by_the_second_is_found_in_jobs_of_different_lengths() -> None:
    jobs = [_job("0.4", seconds=4), _job("0.8", seconds=8), _job("0.61", seconds=6)]
    found = _learned(jobs, seconds=10)
    assert found is not None
    assert abs(found.amount - 1) < Decimal("0.02")


def test_a_flat_price_is_found_too() -> None:
    jobs = [_job("0.4", seconds=4), _job("0.4", seconds=8), _job("0.41", seconds=6)]
    found = _learned(jobs, seconds=10)
    assert found is not None
    assert found.amount == Decimal("0.4")


def test_jobs_of_one_length_are_taken_to_cost_in_proportion() -> None:
    jobs = [_job("0.5", seconds=5)] * 4
    found = _learned(jobs, seconds=10)
    assert found is not None
    assert found.amount == 1


def test_currencies_are_never_mixed() -> None:
    jobs = [_job("12", currency="gate credits"), _job("0.5"), _job("0.5")]
    assert _learned(jobs) == Estimate(amount=Decimal(12), currency="gate credits", basis="learned", n=1)


def test_prices_in_a_list_of_models_are_by_their_unit() -> None:
    listed = unit_price(Price(per_second={"default_audio": Decimal("0.4"), "default_video": Decimal("0.2")}), "listed")
    assert listed is not None
    assert (listed.amount, listed.unit, listed.basis) == (Decimal("0.4"), "second", "listed")
    seen = learned_unit_price([_job("0.5"), _job("1.2", seconds=10)], "video")
    assert seen is not None
    assert (seen.amount, seen.unit, seen.n) == (Decimal("0.11"), "second", 2)
    assert learned_unit_price([], "video") is None


# what a price goes by


def _measured(facts: ModelFacts | None = None, **asked: object) -> Measure:
    return measure_of(GenerationRequest.model_validate({"kind": "video", "prompt": "a fox", **asked}), facts)


def test_what_is_asked_is_measured_and_else_what_the_facts_say_is_sent() -> None:
    facts = ModelFacts(
        id="m",
        name="m",
        kind="video",
        source="page",
        sizes=("1280x720",),
        defaults={"duration_seconds": 8, "audio": True},
    )
    assert _measured(facts) == Measure(resolution="720p", audio=True, seconds=8)
    asked = _measured(facts, size="1080x1920", duration_seconds=4, audio=False, count=2)
    assert asked == Measure(resolution="1080p", audio=False, seconds=4, outputs=2)
    assert _measured(None) == Measure()
    assert _measured(None, size="640x360") == Measure(resolution="640x360")


@pytest.mark.parametrize(("given", "counted"), [(0.5, 1), (2.5, 3), ("2", 2), (0, 1), (-3, 1), ("many", 1)])
def test_a_part_of_an_output_counts_as_a_whole_one_and_what_is_no_number_as_one(given: JsonValue, counted: int) -> None:
    request = GenerationRequest(kind="image", prompt="a fox")
    assert measure_of(request, instead={"count": given}).outputs == counted


def test_the_only_duration_of_a_model_is_its_duration() -> None:
    facts = ModelFacts(id="m", name="m", kind="video", source="page", durations_seconds=(8,))
    assert _measured(facts).seconds == 8
    several = facts.model_copy(update={"durations_seconds": (4.0, 8.0)})
    assert _measured(several).seconds is None


def test_speech_is_priced_by_its_characters() -> None:
    price = Price(per_1000_characters=Decimal("0.15"))
    request = GenerationRequest(kind="audio", prompt="x" * 500)
    assert _estimate([price], measure_of(request)) == "0.075 USD"
