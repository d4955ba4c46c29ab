"""`auto` is a choice among all models of the usable keys: known to fit first, and said why."""

from decimal import Decimal

import pytest

from rushes.domain.errors import RequestRefused
from rushes.domain.job import Plan
from rushes.domain.model_facts import ModelFacts
from rushes.domain.money import Estimate, Quote
from rushes.domain.request import GenerationRequest, Kind, MediaInput, MediaRole
from rushes.tasks.intake.candidates import Asked
from rushes.tasks.intake.choosing import LIVE_MATCHES_MAX, match_all
from rushes.tasks.intake.prospects import Prospect
from rushes.tasks.intake.routing import Route, route

from ..agents.keys import KEYS, configured

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


def linked(role: MediaRole) -> MediaInput:
    return MediaInput(role=role, source="a link", url="https://example.com/medium.png")


def asked(kind: Kind = "video", *media: MediaInput, **inputs: object) -> GenerationRequest:
    return GenerationRequest.model_validate({"kind": kind, "prompt": "a red fox", "media": media, **inputs})


def routed(keys: str, request: GenerationRequest, provider: str | None = None) -> Route:
    return route(request, configured(KEYS[keys]), provider)


def first(chosen: Route) -> tuple[str, str]:
    return chosen.candidates[0].provider.name, chosen.candidates[0].facts.name


def refusal(keys: str, request: GenerationRequest, provider: str | None = None) -> RequestRefused:
    with pytest.raises(RequestRefused) as refused:
        routed(keys, request, provider)
    return refused.value


@pytest.mark.parametrize(
    ("inputs", "model"),
    [
        ({"duration_seconds": 5}, "seedance-2.5"),
        ({"duration_seconds": 15}, "seedance-2.5"),
        ({"resolution": "480p"}, "seedance-2.5"),
        ({"duration_seconds": 8}, "veo-3.1"),
    ],
)
def test_what_a_keys_default_does_not_take_another_model_of_that_key_does(
    inputs: dict[str, object], model: str
) -> None:
    assert first(routed("llmgateway", asked("video", **inputs))) == ("llmgateway", model)


@pytest.mark.parametrize("inputs", [{"duration_seconds": 15}, {"resolution": "480p"}, {"resolution": "720p"}])
def test_what_known_gateways_refuse_never_slips_to_one_whose_limits_are_unknown(inputs: dict[str, object]) -> None:
    chosen = routed("all five", asked("video", **inputs))

    assert chosen.candidates[0].is_known_to_fit
    known = [candidate.is_known_to_fit for candidate in chosen.candidates]
    assert known == sorted(known, reverse=True)


def test_where_nothing_is_known_it_is_sent_with_a_warning_that_names_what_was_not_checked() -> None:
    chosen = routed("yuto", asked(duration_seconds=5))

    assert first(chosen) == ("yuto", "veo-3.1")
    assert "not checked: duration_seconds 5" in chosen.candidates[0].plan.warnings[0]
    assert chosen.chosen is not None
    assert "may (duration_seconds 5 could not be checked)" in chosen.chosen.why


def test_an_input_goes_out_under_an_assumed_name_only_where_no_other_gateway_documents_one() -> None:
    frame = linked("image")

    assert "routeany" not in [one.provider.name for one in routed("all five", asked("video", frame)).candidates]
    assert "routeany" not in [
        one.provider.name for one in routed("all five", asked("video", frame, model="veo-3.1")).candidates
    ]
    alone = routed("routeany", asked("video", frame))
    assert "'image' is assumed" in alone.candidates[0].plan.warnings[0]


def test_a_named_model_is_asked_for_at_the_gateways_that_offer_it_and_nowhere_else() -> None:
    chosen = routed("all five", asked(model="kling-v3", duration_seconds=5))

    assert {one.facts.name for one in chosen.candidates} == {"kling-v3"}
    assert [one.provider.name for one in chosen.candidates] == ["shuyou", "llmgateway"]


def test_the_choice_says_why_and_names_at_most_three_others() -> None:
    chosen = routed("shuyou", asked(duration_seconds=5)).chosen

    assert chosen is not None
    assert chosen.why == (
        "kling-v3 on shuyou takes exactly this; duration_seconds 5 is not offered by veo-3.1 on shuyou: 4, 6 or 8"
    )
    assert [(one.provider, one.model) for one in chosen.alternatives] == [
        ("shuyou", "gen-4.5"),
        ("shuyou", "grok-imagine-video"),
        ("shuyou", "seedance-2.0"),
    ]


def test_the_sandbox_is_no_choice_and_is_not_explained_as_one() -> None:
    assert route(asked(), configured(()), None).chosen is None


def about(amount: str) -> Quote:
    """By a price that somebody configured."""
    return Quote(estimate=Estimate(amount=Decimal(amount), currency="USD", basis="configured"))


class Expecting:
    """Knows what each model costs and how long it takes."""

    def __init__(self, **known: Prospect) -> None:
        self._known = known

    def prospect(self, facts: ModelFacts, request: GenerationRequest, plan: Plan) -> Prospect:
        return self._known.get(facts.name.replace("-", "_").replace(".", "_"), Prospect())


def test_among_those_that_fit_at_one_provider_the_cheaper_and_then_the_quicker_is_first() -> None:
    prospects = Expecting(
        gen_4_5=Prospect(about("0.5"), seconds=90),
        seedance_2_0=Prospect(about("0.5"), seconds=40),
        kling_v3=Prospect(about("0.9")),
    )

    chosen = route(asked(duration_seconds=5), configured(KEYS["shuyou"]), None, None, prospects)

    assert first(chosen) == ("shuyou", "seedance-2.0")
    assert chosen.chosen is not None
    assert [(one.model, one.seconds) for one in chosen.chosen.alternatives[:2]] == [("gen-4.5", 90), ("kling-v3", None)]


def test_the_default_of_a_provider_stays_first_where_it_fits_whatever_others_cost() -> None:
    prospects = Expecting(seedance_2_0=Prospect(about("0.1")))

    chosen = route(asked(duration_seconds=8), configured(KEYS["shuyou"]), None, None, prospects)

    assert first(chosen) == ("shuyou", "veo-3.1")


def test_a_refused_named_model_is_told_which_models_take_exactly_this_and_what_it_takes_itself() -> None:
    refused = refusal("llmgateway", asked(model="veo-3.1", duration_seconds=5))

    assert refused.message == "duration_seconds 5 is not offered by veo-3.1 on llmgateway: 4, 6, 8 or 10"
    assert refused.hint == (
        "Nothing was sent. seedance-2.5 (llmgateway), seedance-2.0 (llmgateway) and seedance-2.0-fast (llmgateway) "
        "take exactly this: name one as model. Nearest: veo-3.1 on llmgateway with this changed: duration_seconds 6."
    )


@pytest.mark.parametrize(
    ("keys", "request_", "nearest"),
    [
        ("llmgateway", asked(duration_seconds=60), "seedance-2.5 on llmgateway with this changed: duration_seconds 30"),
        ("shuyou", asked(count=3), "veo-3.1 on shuyou with this changed: without count"),
        ("llmgateway", asked(aspect_ratio="21:9"), "veo-3.1 on llmgateway with this changed: aspect_ratio 16:9"),
        ("shuyou", asked("image", count=11), "nano-banana on shuyou with this changed: count 10"),
        ("apixo", asked("audio", purpose="sound"), "suno on apixo with this changed: purpose music"),
        (
            "llmgateway",
            asked("video", *[linked("reference_image")] * 12, duration_seconds=4),
            "seedance-2.5 on llmgateway with this changed: reference_images 9",
        ),
    ],
)
def test_what_no_model_takes_is_refused_with_the_nearest_that_one_does_take(
    keys: str, request_: GenerationRequest, nearest: str
) -> None:
    assert f"Nearest: {nearest}." in str(refusal(keys, request_).hint)


def test_what_a_gateway_without_a_key_would_take_is_named_where_nothing_else_is_near() -> None:
    hint = refusal("llmgateway", asked("audio", purpose="music")).hint

    assert hint == "Nothing was sent. suno on apixo would take it, but APIXO_API_KEY is not set."


def test_a_kind_that_no_usable_gateway_makes_is_refused_with_who_does() -> None:
    refused = refusal("routeany", asked("image"))

    assert refused.message == "routeany offers no image model that rushes knows."
    assert "apixo (APIXO_API_KEY is not set)" in str(refused.hint)


def test_a_misspelt_model_is_not_a_matter_of_keys() -> None:
    with pytest.raises(RequestRefused, match=r"did you mean 'veo-3\.1'") as refused:
        route(asked(model="Veo 3.1"), configured(()), None)
    assert refused.value.reason == "unsupported"
    with pytest.raises(RequestRefused, match="sandbox-image makes image, not video") as of_a_kind:
        route(asked(model="sandbox-image"), configured(()), None)
    assert of_a_kind.value.reason == "unsupported"


@pytest.mark.parametrize(
    ("inputs", "size"),
    [
        ({"aspect_ratio": "16:9"}, "1280x720"),
        ({"aspect_ratio": "1:1", "resolution": "2k"}, "2048x2048"),
        ({"aspect_ratio": "16:9", "resolution": "4k"}, "3840x2160"),
        ({"aspect_ratio": "2:3"}, "832x1248"),
    ],
)
def test_a_ratio_becomes_pixels_where_a_gateway_wants_pixels(inputs: dict[str, object], size: str) -> None:
    chosen = routed("llmgateway", asked("image", model="gpt-image-2", **inputs))

    assert chosen.candidates[0].plan.body["size"] == size
    assert f"sent as size {size}" in chosen.candidates[0].plan.warnings[0]


def test_a_size_that_breaks_the_pages_rules_for_pixels_is_refused_with_them() -> None:
    refused = refusal("llmgateway", asked("image", model="gpt-image-2", size="1000x1000"))

    assert refused.message == (
        "size 1000x1000 is not offered by gpt-image-2 on llmgateway: "
        "sides in steps of 16 up to 3840, at most 8294400 pixels and at least 655360"
    )


def test_pixels_that_the_page_does_not_allow_are_refused() -> None:
    refused = refusal("llmgateway", asked("image", model="gpt-image-2", aspect_ratio="1:1", resolution="4k"))

    assert "aspect_ratio is not an input of gpt-image-2 on llmgateway from text" in refused.message


def test_pixels_become_a_ratio_and_a_tier_where_a_gateway_takes_these() -> None:
    plan = routed("shuyou", asked(model="veo-3.1", size="1080x1920")).candidates[0].plan

    assert plan.body["input"] == {"prompt": "a red fox", "aspect_ratio": "9:16", "resolution": "1080P"}
    assert plan.warnings[0].startswith("size 1080x1920: sent as aspect_ratio 9:16 and resolution 1080p")


def test_a_model_of_a_gateways_own_list_is_matched_only_where_no_documented_one_fits() -> None:
    entries = configured(KEYS["llmgateway"])
    providers = [entry.provider for entry in entries if entry.problem is None and not entry.provider.traits.free]
    live = [
        ModelFacts(id=f"new-{n}", name=f"new-{n}", kind="video", source="live", certainty="live") for n in range(5000)
    ]
    providers[0].add_models(live)

    known = match_all(Asked(asked(duration_seconds=5)), providers)
    unknown = match_all(Asked(asked(duration_seconds=45)), providers)

    assert {one.candidate.facts.certainty for one in known.matches} <= {"documented", "inferred"}
    assert len(unknown.matches) == LIVE_MATCHES_MAX
    assert not unknown.matches[0].candidate.is_known_to_fit
