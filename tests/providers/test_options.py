"""What `provider_options` may hold, what is warned of, and what rushes does not know: said before anything is paid."""

import pytest
from pydantic import JsonValue

from rushes.domain.errors import RequestRefused
from rushes.domain.job import Plan
from rushes.domain.request import GenerationRequest, Kind
from rushes.providers.checks import check_request, unchecked
from rushes.providers.fact_files import load_facts

from .replies import always, facts_of, plan_of, provider
from .requests import held, linked, model, request


def planned(wire: str, asked: GenerationRequest, name: str, *, base_url: str | None = None) -> Plan:
    """The plan as the provider makes it, with all its checks."""
    made = provider(wire, always(), base_url=base_url)
    return made.plan(asked, facts_of(wire, name, asked.kind))


def refusal(wire: str, options: dict[str, JsonValue], name: str, *, base_url: str | None = None) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        planned(wire, request(provider_options=options), name, base_url=base_url)
    assert (caught.value.reason, caught.value.charged) == ("invalid_input", "no")
    return caught.value


def test_a_default_is_told_only_where_it_is_sent() -> None:
    plain = plan_of("llmgateway", request(), "veo-3.1")
    assert plain.warnings == ("duration_seconds was not given; 8 is sent",)
    replaced = plan_of("llmgateway", request(provider_options={"seconds": 4}), "veo-3.1")
    assert (replaced.body["seconds"], replaced.warnings) == (4, ())


def test_a_mode_that_an_option_sets_is_not_told_as_a_default() -> None:
    plain = plan_of("apixo", request(), "kling-2.1")
    assert plain.warnings == ("quality was not given; master is sent",)
    asked = request(provider_options={"mode": "pro-image-to-video"})
    assert plan_of("apixo", asked, "kling-2.1").warnings == ()


@pytest.mark.parametrize(("wire", "name"), [("routeany", "veo-3.1"), ("shuyou", "veo-3.1"), ("apixo", "veo-3.1")])
def test_options_in_an_object_called_input_are_taken_out_of_it_and_told(wire: str, name: str) -> None:
    plan = plan_of(wire, request(provider_options={"input": {"camera": "still"}}), name)
    inner = plan.body["input"]
    assert isinstance(inner, dict)
    assert (inner["camera"], "input" in inner) == ("still", False)
    assert any("provider_options" in warning and "'input'" in warning for warning in plan.warnings)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"input": "a text"}, "must be an object"),
        ({"input": {"camera": "still"}, "camera": "moving"}, "twice"),
        ({"input": {"prompt": "another"}}, "contradicts prompt"),
        ({"input": {"input": {"camera": "still"}}}, "another input"),
    ],
)
def test_an_object_called_input_that_cannot_be_taken_apart_is_refused(options: dict[str, JsonValue], said: str) -> None:
    assert said in refusal("routeany", options, "veo-3.1").message


@pytest.mark.parametrize(
    ("wire", "name", "options", "said"),
    [
        ("apixo", "veo-3.1", {"request_type": "webhook"}, "request_type webhook is not offered by veo-3.1 on apixo"),
        ("apixo", "veo-3.1", {"provider": "cheapest"}, "auto, value or official"),
        ("apixo", "sora-2", {"provider": "value"}, ": official"),
        ("apixo", "veo-3.1", {"mode": "turbo"}, "quality or fast"),
        ("apixo", "veo-3.1", {"input": {"mode": "turbo"}}, "quality or fast"),
        ("llmgateway", "veo-3.1", {"n": 2}, "n 2 is not offered"),
        ("llmgateway", "veo-3.1", {"n": True}, "n True is not offered"),
    ],
)
def test_values_that_no_page_offers_are_refused_with_those_that_are(
    wire: str, name: str, options: dict[str, JsonValue], said: str
) -> None:
    assert said in refusal(wire, options, name).message


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        ("routeany", "webhook"),
        ("shuyou", "webhook"),
        ("apixo", "callback_url"),
        ("unified", "notify_hook"),
    ],
)
@pytest.mark.parametrize("url", ["http://me.example/x", "http://127.0.0.1/x", "me.example", "ftp://a.example", 5])
def test_an_address_to_be_called_back_on_must_be_https(wire: str, field: str, url: JsonValue) -> None:
    assert "must be an https URL" in refusal(wire, {field: url}, "veo-3.1").message
    planned(wire, request(provider_options={field: "https://me.example/x"}), "veo-3.1")


def test_a_gateway_on_this_machine_may_call_back_to_this_machine_over_http() -> None:
    here = "http://127.0.0.1:9000/routeany"
    asked = request(provider_options={"webhook": "http://localhost:8000/hook"})
    assert planned("routeany", asked, "veo-3.1", base_url=here).body["webhook"] == "http://localhost:8000/hook"
    assert (
        "or http to this machine"
        in refusal("routeany", {"webhook": "http://me.example"}, "veo-3.1", base_url=here).message
    )


def test_what_is_documented_of_options_stands_in_the_data_of_every_model() -> None:
    rows = load_facts("apixo").models
    assert all(row.options["request_type"].values == ("async", "callback") for row in rows)
    assert load_facts("apixo").unlisted_model("x", "video").options["callback_url"].form == "https_url"


def test_limits_that_are_not_known_are_warned_of() -> None:
    asked = request(duration_seconds=99, aspect_ratio="3:7")
    facts = facts_of("routeany", "sora-2")
    check_request(asked, facts, "routeany")
    assert unchecked(asked, facts, "routeany") == [
        "not checked: duration_seconds 99, aspect_ratio 3:7 (routeany documents no such limits of sora-2)"
    ]
    assert (
        unchecked(request(duration_seconds=8, aspect_ratio="16:9"), facts_of("routeany", "veo-3.1"), "routeany") == []
    )


def test_more_reference_images_than_the_page_allows_are_sent_with_a_warning() -> None:
    facts = facts_of("llmgateway", "seedance-2.5")
    three, four = (request("video", *[linked("reference_image")] * n) for n in (3, 4))
    assert unchecked(three, facts, "llmgateway") == []
    (warning,) = unchecked(four, facts, "llmgateway")
    assert warning == "llmgateway's page allows 3 reference_images (its newer code: 9), so it may refuse 4"


def test_a_models_own_limit_of_a_file_counts_and_ten_megabytes_where_none_is_known() -> None:
    fifteen = held("input_image", b"x" * 15_000_000)
    check_request(request("image", fifteen), facts_of("llmgateway", "nano-banana-pro", "image"), "llmgateway")
    unknown = model("image", image_forms=["url", "data"])
    with pytest.raises(RequestRefused, match=r"images has 15 MB; m-1 on g takes at most 10\.5 MB"):
        check_request(request("image", fifteen), unknown, "g")


def test_a_models_own_limit_of_a_prompt_counts_and_32000_where_none_is_known() -> None:
    long = request("audio").model_copy(update={"prompt": "x" * 40_000})
    check_request(long, facts_of("llmgateway", "eleven-flash-v2.5", "audio"), "llmgateway")
    with pytest.raises(RequestRefused, match="at most 32000"):
        check_request(long, model("audio"), "g")


def test_data_urls_are_sent_where_the_configuration_says_so() -> None:
    asked = request("video", held("image"))
    plain, switched = provider("apixo", always()), provider("apixo", always(), data_urls=True)
    row, changed = (next(r for r in made.models() if r.name == "veo-3.1") for made in (plain, switched))
    with pytest.raises(RequestRefused, match="by https URL only"):
        check_request(asked, row, "apixo")
    check_request(asked, changed, "apixo")
    inner = switched.plan(asked, changed).body["input"]
    assert isinstance(inner, dict)
    assert str(inner["image_urls"]).startswith("['data:image/png;base64,")
    assert row.data_urls == "probable"


@pytest.mark.parametrize("options", [{"function": "image"}, {"model": "another"}, {"input": {"function": "image"}}])
def test_what_a_format_sets_beside_the_input_is_not_put_into_it(options: dict[str, JsonValue]) -> None:
    assert "rushes itself sets" in refusal("shuyou", options, "veo-3.1").message


def test_the_gateways_own_word_for_the_number_of_images_has_the_models_bound() -> None:
    made = provider("llmgateway", always())
    name = made.default_model("image")
    assert name is not None
    with pytest.raises(RequestRefused, match="n 20 is more than the 10") as caught:
        made.plan(request("image", provider_options={"n": 20}), facts_of("llmgateway", name, "image"))
    assert caught.value.charged == "no"


@pytest.mark.parametrize(
    ("kind", "options"), [("image", {"stream": True}), ("audio", {"stream_format": "sse"})], ids=["image", "audio"]
)
def test_an_answer_in_a_form_that_rushes_cannot_read_is_not_asked_for(
    kind: Kind, options: dict[str, JsonValue]
) -> None:
    made = provider("llmgateway", always())
    name = made.default_model(kind)
    assert name is not None
    asked = request(kind, provider_options=options, **({"voice": "alloy"} if kind == "audio" else {}))
    with pytest.raises(RequestRefused, match="is not offered") as caught:
        made.plan(asked, facts_of("llmgateway", name, kind))
    assert (caught.value.reason, caught.value.charged) == ("invalid_input", "no")
