"""`list_models` answers questions: what takes such a request, best first; nothing that is listed is out of reach."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import JsonValue, TypeAdapter

from rushes.domain.job import Plan
from rushes.domain.model_facts import ModelFacts
from rushes.domain.money import Estimate, Quote
from rushes.domain.principal import LOCAL
from rushes.domain.request import GenerationRequest, Kind
from rushes.tasks.intake.fitting import fitting
from rushes.tasks.intake.offers import offers
from rushes.tasks.intake.prospects import Prospect
from rushes.tasks.intake.routing import Configured
from rushes.tools import LIST_MODELS, ToolContext, already, call_tool, wanted_requests

from ..tasks.engines import an_engine
from ..tasks.scripted import ScriptedProvider
from .keys import KEYS, configured

pytestmark = pytest.mark.anyio

Row = dict[str, JsonValue]
ROWS = TypeAdapter(list[Row])


async def listed(home: Path, entries: list[Configured], **arguments: object) -> dict[str, JsonValue]:
    async with an_engine(home, *entries) as engine:
        return (await call_tool(LIST_MODELS, ToolContext(opened=already(engine), principal=LOCAL), arguments)).document


def offline(keys: str) -> list[Configured]:
    """The providers of these keys without the live lists that two of them would be asked for."""
    return [entry for entry in configured(KEYS[keys]) if entry.provider.name not in {"shuyou", "llmgateway"}]


def rows(shown: dict[str, JsonValue]) -> list[Row]:
    return ROWS.validate_python(shown["models"])


def named(shown: dict[str, JsonValue]) -> list[str]:
    return [str(row.get("model", row.get("name"))) for row in rows(shown)]


async def test_what_takes_such_a_request_is_a_short_list_with_the_known_first(tmp_path: Path) -> None:
    shown = await listed(tmp_path, offline("all five"), fits={"duration_seconds": 5, "image": True})

    assert [(row["model"], row["provider"], row.get("not_checked")) for row in rows(shown)][:2] == [
        ("kling-2.1", "apixo", None),
        ("veo-3.1", "yuto", ["duration_seconds 5"]),
    ]
    assert "routeany" not in [row["provider"] for row in rows(shown)], "it documents no name for image"
    assert shown["next_cursor"] == "8"
    assert len(json.dumps(shown)) < 1500


class Priced:
    """Knows what some models cost."""

    def __init__(self, **amounts: str) -> None:
        self._amounts = amounts

    def prospect(self, facts: ModelFacts, request: GenerationRequest, plan: Plan) -> Prospect:
        amount = self._amounts.get(facts.name.replace("-", "_").replace(".", "_"))
        known = None if amount is None else Estimate(amount=Decimal(amount), currency="USD", basis="listed")
        return Prospect(Quote(estimate=known))


def test_the_cheapest_that_is_known_to_fit_comes_first_whoever_offers_it() -> None:
    wanted = wanted_requests("video", {"duration_seconds": 5, "resolution": "720p"}, principal=LOCAL)
    prices = Priced(seedance_2_0_mini="0.2", seedance_2_0="0.7", grok_imagine_video="0.5", veo_3_1="0.01")

    found = fitting(configured(KEYS["all five"]), wanted, prospects=prices)

    assert [fit.facts.name for fit in found.fits[:4]] == [
        "seedance-2.0-mini",
        "grok-imagine-video",
        "seedance-2.0",
        "seedance-2.0",
    ]
    assert found.fits[0].estimate is not None
    assert {fit.facts.name for fit in found.fits if fit.doubts} >= {"veo-3.1"}, "cheap, and not known to fit"


async def test_media_are_asked_for_as_true_or_as_a_number(tmp_path: Path) -> None:
    three = await listed(tmp_path, offline("apixo"), fits={"reference_images": 3}, kind="video")
    four = await listed(tmp_path, offline("apixo"), fits={"reference_images": 4}, kind="video", provider="apixo")

    assert named(three)[:2] == ["veo-3.1", "veo-3.1-fast"]
    assert four["total"] == 0
    assert four["note"] == "No model takes exactly this. Nearest: veo-3.1 on apixo: reference_images 3."


async def test_models_whose_gateway_has_no_key_come_last_and_say_so(tmp_path: Path) -> None:
    shown = await listed(tmp_path, configured(()), fits={"purpose": "music"})

    assert [(row["model"], row.get("usable")) for row in rows(shown)] == [("sandbox-audio", None), ("suno", False)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"fits": {"wings": 2}}, "No tool takes all of these: wings."),
        ({"fits": {"wings": 2}, "kind": "video"}, "Unknown argument 'wings'."),
        ({"fits": {"duration_seconds": -5}, "kind": "video"}, "duration_seconds must be more than 0"),
        ({"cursor": "elsewhere"}, "The cursor must be the next_cursor of the page before."),
        ({"fits": {"seed": 1}, "provider": "nobody"}, "There is no provider 'nobody'"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_with_what_would(
    tmp_path: Path, arguments: dict[str, object], said: str
) -> None:
    assert said in json.dumps(await listed(tmp_path, configured(()), **arguments), ensure_ascii=False)


async def test_a_row_names_inputs_options_with_their_values_how_sure_it_is_and_what_audio_is_for(
    tmp_path: Path,
) -> None:
    shown = await listed(tmp_path, offline("apixo"), provider="apixo")
    by_name = {str(row["name"]): row for row in rows(shown)}

    assert by_name["veo-3.1"]["provider_options"] == {
        "provider": ["auto", "value", "official"],
        "mode": ["quality", "fast"],
        "watermark": "its text",
    }
    assert {"seed", "watermark", "image"} <= {*ROWS_OF_TEXT.validate_python(by_name["veo-3.1"]["inputs"])}
    assert by_name["veo-3.1"]["only"] == {"watermark": False}
    assert by_name["veo-3.1"]["expected_seconds"] == 120
    assert by_name["kling-2.1"]["qualities"] == ["standard", "pro", "master"]
    assert by_name["suno"]["purposes"] == ["music"]
    assert by_name["flux-2"]["certainty"] == "inferred"


ROWS_OF_TEXT = TypeAdapter(list[str])


def test_the_order_is_relevance() -> None:
    found = offers(configured(KEYS["all five"]), kind="video", provider=None, query=None)
    asked = offers(configured(KEYS["all five"]), kind=None, provider=None, query="veo-3.1")

    assert found[0].name == "veo-3.1"
    assert asked[0].name == "veo-3.1"
    assert [one.name for one in found] != sorted(one.name for one in found)
    assert all(usable for one in found[:5] for _, _, usable in one.offers[:1])


async def test_five_thousand_listed_models_are_all_searched_and_all_within_reach(tmp_path: Path) -> None:
    kinds: tuple[Kind, ...] = ("video", "image", "audio")
    live = tuple(
        ModelFacts(id=f"new-{n}", name=f"new-{n}", kind=kinds[n % 3], source="a list", certainty="live")
        for n in range(5000)
    )
    gate = ScriptedProvider(name="gate", live=live)

    async with an_engine(tmp_path, Configured(gate)) as engine:
        context = ToolContext(opened=already(engine), principal=LOCAL)
        found = (await call_tool(LIST_MODELS, context, {"query": "new-4999"})).document
        first = (await call_tool(LIST_MODELS, context, {"kind": "video"})).document
        second = (await call_tool(LIST_MODELS, context, {"kind": "video", "cursor": first["next_cursor"]})).document
        last = (await call_tool(LIST_MODELS, context, {"kind": "video", "cursor": "1660"})).document

    assert named(found) == ["new-4999"]
    assert (first["total"], first["next_cursor"]) == (1668, str(len(named(first))))
    assert len(json.dumps(first)) <= 12_000
    assert len({*named(first), *named(second)}) == len(named(first)) + len(named(second))
    assert (len(named(last)), "next_cursor" in last) == (8, False)
