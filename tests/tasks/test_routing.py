"""Which provider and model a request goes to."""

import pytest

from rushes.domain.errors import RequestRefused
from rushes.domain.request import GenerationRequest
from rushes.providers.provider import Traits
from rushes.tasks.intake.routing import Configured, Route, route

from .scripted import ScriptedProvider

FREE = Traits(free=True)
SANDBOX = ScriptedProvider(name="sandbox", traits=FREE, model_id="sandbox-video", model_name="sandbox-video")
ONE = ScriptedProvider(name="one", model_id="google/veo-3.1", model_name="veo-3.1")
TWO = ScriptedProvider(name="two", model_id="veo-3-1", model_name="veo-3.1")
NO_KEY = "TWO_API_KEY is not set"


def _video(model: str = "auto", **asked: object) -> GenerationRequest:
    return GenerationRequest.model_validate({"kind": "video", "prompt": "a fox", "model": model, **asked})


def _names(chosen: Route) -> list[str]:
    return [candidate.provider.name for candidate in chosen.candidates]


def test_without_any_key_auto_is_the_sandbox_and_says_so() -> None:
    chosen = route(_video(), [Configured(ONE, "no key"), Configured(SANDBOX)], None)
    assert _names(chosen) == ["sandbox"]
    assert "sandbox" in chosen.warnings[0]


def test_a_key_without_the_address_it_needs_is_refused_and_not_passed_over_for_the_sandbox() -> None:
    half = Configured(ONE, "ONE_BASE_URL is not set", has_key=True)
    with pytest.raises(RequestRefused, match="one: ONE_BASE_URL is not set") as refused:
        route(_video(), [half, Configured(TWO, NO_KEY), Configured(SANDBOX)], None)

    assert "TWO_API_KEY" not in refused.value.message
    assert _names(route(_video(), [half, Configured(TWO), Configured(SANDBOX)], None)) == ["two"]
    assert _names(route(_video(), [half, Configured(SANDBOX)], "sandbox")) == ["sandbox"]


def test_with_a_key_the_sandbox_is_used_only_by_name() -> None:
    both = [Configured(ONE), Configured(SANDBOX)]
    assert _names(route(_video(), both, None)) == ["one"]
    assert _names(route(_video(), both, "sandbox")) == ["sandbox"]
    assert _names(route(_video("sandbox-video"), both, None)) == ["sandbox"]


def test_all_providers_that_offer_the_model_are_tried_in_configured_order() -> None:
    assert _names(route(_video("veo-3.1"), [Configured(TWO), Configured(ONE)], None)) == ["two", "one"]
    assert _names(route(_video("VEO-3-1"), [Configured(TWO), Configured(ONE)], None)) == ["two"]


def test_a_canonical_name_becomes_each_gateways_own_id() -> None:
    chosen = route(_video("veo-3.1"), [Configured(ONE), Configured(TWO)], None)
    assert [candidate.plan.model for candidate in chosen.candidates] == ["google/veo-3.1", "veo-3-1"]


def test_an_upstream_in_front_of_a_known_id_keeps_the_models_facts_where_the_gateway_takes_it() -> None:
    facts: dict[str, object] = {"prefixable": True, "durations_seconds": (4.0,)}
    pinning = ScriptedProvider(name="pin", model_id="sora-2", model_name="sora-2", facts_changes=facts)
    chosen = route(_video("openai/sora-2"), [Configured(TWO), Configured(pinning)], None)
    assert [(one.provider.name, one.plan.model) for one in chosen.candidates] == [("pin", "openai/sora-2")]
    with pytest.raises(RequestRefused, match="duration_seconds 7"):
        route(_video("openai/sora-2", duration_seconds=7), [Configured(pinning)], "pin")


def test_a_provider_without_a_key_is_passed_over_and_named_in_the_refusal() -> None:
    assert _names(route(_video("veo-3.1"), [Configured(TWO, NO_KEY), Configured(ONE)], None)) == ["one"]
    with pytest.raises(RequestRefused, match="TWO_API_KEY") as refused:
        route(_video("veo-3.1"), [Configured(TWO, NO_KEY), Configured(SANDBOX)], None)
    assert (refused.value.reason, refused.value.charged) == ("unauthorized", "no")
    with pytest.raises(RequestRefused, match="TWO_API_KEY"):
        route(_video("veo-3.1"), [Configured(TWO, NO_KEY)], "two")


def test_providers_whose_facts_do_not_fit_are_left_out() -> None:
    short = ScriptedProvider(name="short", model_name="veo-3.1", facts_changes={"durations_seconds": (4.0,)})
    chosen = route(_video("veo-3.1", duration_seconds=8), [Configured(short), Configured(ONE)], None)
    assert _names(chosen) == ["one"]
    with pytest.raises(RequestRefused, match="4"):
        route(_video("veo-3.1", duration_seconds=8), [Configured(short)], None)


def test_an_unknown_model_passes_with_a_warning_only_where_the_provider_is_named() -> None:
    chosen = route(_video("brand-new"), [Configured(ONE)], "one")
    assert chosen.candidates[0].plan.model == "brand-new"
    assert "not checked" in chosen.warnings[0]
    with pytest.raises(RequestRefused, match="brand-new"):
        route(_video("brand-new"), [Configured(ONE)], None)
    with pytest.raises(RequestRefused, match="sandbox-video"):
        route(_video("brand-new"), [Configured(SANDBOX)], "sandbox")


def test_a_near_miss_is_answered_with_what_was_meant() -> None:
    with pytest.raises(RequestRefused, match=r"did you mean 'veo-3\.1'"):
        route(_video("veo-3.2"), [Configured(ONE)], None)
    with pytest.raises(RequestRefused, match="did you mean 'two'"):
        route(_video(), [Configured(ONE), Configured(TWO)], "tow")


def test_a_model_of_another_kind_is_refused_with_its_kind() -> None:
    painter = ScriptedProvider(name="painter", kinds=("image",), model_name="flux")
    for named in (None, "painter"):
        with pytest.raises(RequestRefused, match="makes image"):
            route(_video("flux"), [Configured(painter)], named)
    with pytest.raises(RequestRefused, match="video"):
        route(_video(), [Configured(painter)], None)
    with pytest.raises(RequestRefused, match="no video"):
        route(_video(), [Configured(painter)], "painter")
