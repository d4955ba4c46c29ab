"""Callbacks in plans: each gateway's own field, what keeps ours out, and what a hook says of itself."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import JsonValue, SecretStr

from rushes.domain.errors import ConfigurationError, RequestRefused
from rushes.domain.hooks import SECRET_STAND_IN, TOKEN_STAND_IN, HookKeys, HookReading, HookRequest, asking_to_call
from rushes.domain.job import Plan
from rushes.domain.request import GenerationRequest
from rushes.domain.secret_options import without_secrets
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.fact_files import load_facts
from rushes.providers.provider import ProviderSettings, ReadsHooks
from rushes.providers.registry import format_class
from rushes.providers.signatures import signature

from .replies import NOW, facts_of, settings
from .requests import request

PUBLIC = "https://rushes.example/base"
KEYS = HookKeys("t0ken", "s3cret")
WIRES = ("routeany", "shuyou", "llmgateway", "apixo")


def provider(wire: str, *, public_url: str | None = PUBLIC, **changes: object) -> HttpProvider:
    configured = settings(wire).model_copy(update={"public_url": public_url, **changes})
    return HttpProvider(configured, format_class(wire)(configured), load_facts(wire))


def planned(made: HttpProvider, wire: str, asked: GenerationRequest | None = None) -> Plan:
    return made.plan(asked or request(), facts_of(wire, "veo-3.1"))


def test_each_gateway_is_asked_in_its_own_field_with_stand_ins_in_the_plan_and_the_true_ones_in_the_post() -> None:
    shown: dict[str, dict[str, JsonValue]] = {}
    sent: dict[str, dict[str, JsonValue]] = {}
    for wire in WIRES:
        plan = planned(provider(wire), wire)
        shown[wire] = plan.callback
        post = asking_to_call(plan, KEYS)
        sent[wire] = {name: post.body[name] for name in plan.callback}
        assert {name: value for name, value in post.body.items() if name not in plan.callback} == {
            name: value for name, value in plan.body.items() if name not in plan.callback
        }
        assert post.callback == {}

    def fields(token: str, secret: str) -> dict[str, dict[str, JsonValue]]:
        def url(wire: str) -> str:
            return f"{PUBLIC}/hooks/{wire}/{token}"

        return {
            "routeany": {"webhook": url("routeany")},
            "shuyou": {"webhook": url("shuyou")},
            "llmgateway": {"callback_url": url("llmgateway"), "callback_secret": secret},
            "apixo": {"request_type": "callback", "callback_url": url("apixo")},
        }

    assert shown == fields(TOKEN_STAND_IN, SECRET_STAND_IN)
    assert sent == fields("t0ken", "s3cret")


@pytest.mark.parametrize("wire", [*WIRES, "unified", "openai-videos"])
def test_without_a_public_address_nothing_changes(wire: str) -> None:
    made = provider(wire, public_url=None)
    plan = made.plan(request(), facts_of(wire, "veo-3.1" if wire != "openai-videos" else "sora-2"))
    assert (plan.callback, made.traits.calls_back) == ({}, False)


@pytest.mark.parametrize("wire", ["unified", "openai-videos"])
def test_a_gateway_that_documents_no_callback_is_asked_for_none(wire: str) -> None:
    made = provider(wire)
    plan = made.plan(request(), facts_of(wire, "veo-3.1" if wire != "openai-videos" else "sora-2"))
    assert (plan.callback, plan.warnings, made.traits.calls_back) == ({}, (), False)


def test_a_relative_of_the_unified_format_calls_back_where_the_configuration_says_so() -> None:
    made = provider("unified", options={"callback": "notify_hook"})
    assert planned(made, "unified").callback == {"notify_hook": f"{PUBLIC}/hooks/unified/{TOKEN_STAND_IN}"}
    assert made.traits.calls_back
    with pytest.raises(ConfigurationError, match="none, notify_hook"):
        provider("unified", options={"callback": "webhook"})


def test_what_llmgateway_answers_at_once_has_no_callback() -> None:
    made = provider("llmgateway")
    name = made.default_model("image")
    assert name is not None
    assert made.plan(request("image"), facts_of("llmgateway", name, "image")).callback == {}


def test_replicate_is_asked_for_the_end_alone_and_others_as_configured() -> None:
    replicate = provider("routeany", base_url="https://api.replicate.com")
    assert planned(replicate, "routeany").callback["webhook_events_filter"] == ["completed"]
    told = provider("routeany", options={"webhook_events": ["done"]})
    assert planned(told, "routeany").callback["webhook_events_filter"] == ["done"]
    with pytest.raises(ConfigurationError, match="webhook_events must be a list"):
        provider("routeany", options={"webhook_events": "completed"})


@pytest.mark.parametrize(
    ("wire", "options"),
    [
        ("routeany", {"webhook": "https://me.example/x"}),
        ("routeany", {"input": {"webhook": "https://me.example/x"}}),
        ("shuyou", {"webhook": "https://me.example/x"}),
        ("llmgateway", {"callback_url": "https://me.example/x", "callback_secret": "mine"}),
        ("apixo", {"request_type": "callback", "callback_url": "https://me.example/x"}),
        ("apixo", {"request_type": "async"}),
    ],
)
def test_a_webhook_of_the_persons_own_is_passed_on_and_ours_left_out_with_a_word(
    wire: str, options: dict[str, JsonValue]
) -> None:
    plan = planned(provider(wire), wire, request(provider_options=options))
    flat = {name: value for name, value in options.items() if name != "input"}
    assert plan.callback == {}
    assert flat.items() <= plan.body.items()
    (said,) = [warning for warning in plan.warnings if "looks by itself" in warning]
    assert "provider_options." in said


@pytest.mark.parametrize(
    "public_url",
    ["http://127.0.0.1:9000", "https://localhost", "http://rushes.example", "https://10.0.0.7", "https://rushes"],
)
def test_an_address_that_a_gateway_outside_cannot_reach_is_not_sent_and_said(public_url: str) -> None:
    plan = planned(provider("apixo", public_url=public_url), "apixo")
    assert (plan.callback, plan.body["request_type"]) == ({}, "async")
    assert any("http.public_url" in warning and "looks by itself" in warning for warning in plan.warnings)


@pytest.mark.parametrize(
    "public_url", ["https://[2606:4700:4700::1111]:8443", "https://1.1.1.1", "https://3x.example."]
)
def test_an_address_that_a_gateway_outside_reaches_is_sent(public_url: str) -> None:
    plan = planned(provider("apixo", public_url=public_url), "apixo")
    assert plan.callback["callback_url"] == f"{public_url}/hooks/apixo/{TOKEN_STAND_IN}"


def test_an_address_that_is_too_long_is_not_sent_and_said() -> None:
    plan = planned(provider("apixo", public_url="https://rushes.example/" + "x" * 2000), "apixo")
    assert plan.callback == {}
    assert any("longer than 2048 characters" in warning for warning in plan.warnings)


def test_a_gateway_on_this_machine_calls_this_machine_over_http() -> None:
    here = provider("apixo", public_url="http://127.0.0.1:9000", base_url="http://127.0.0.1:8000/apixo")
    assert str(planned(here, "apixo").callback["callback_url"]).startswith("http://127.0.0.1:9000/hooks/apixo/")


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.7/x",
        "https://localhost/x",
        "https://box.local/x",
        "https://[::1]/x",
        "https://[fd00::1]/x",
        "https://[::ffff:10.0.0.7]/x",
        "https://127.1/x",
        "https://2130706433/x",
        "https://0x7f.0.0.0x1/x",
    ],
)
def test_an_own_webhook_that_only_this_network_has_is_refused_before_it_is_paid_for(url: str) -> None:
    with pytest.raises(RequestRefused, match="reachable from outside") as caught:
        planned(provider("routeany"), "routeany", request(provider_options={"webhook": url}))
    assert (caught.value.reason, caught.value.charged) == ("invalid_input", "no")


@pytest.mark.parametrize(
    "options",
    [
        {"callback_url": "https://me.example/x"},
        {"callback_secret": "mine"},
        {"callback_url": "https://me.example/x", "callback_secret": ""},
        {"callback_url": "https://me.example/x", "callback_secret": SECRET_STAND_IN},
    ],
)
def test_llmgateway_needs_both_fields_or_neither_and_a_true_secret(options: dict[str, JsonValue]) -> None:
    with pytest.raises(RequestRefused, match="callback_secret"):
        planned(provider("llmgateway"), "llmgateway", request(provider_options=options))


def test_a_secret_is_not_in_the_request_that_is_journaled_wherever_it_stands() -> None:
    options: dict[str, JsonValue] = {"callback_secret": "mine", "a": {"Webhook_Secret": "too"}, "b": [{"secret": "x"}]}
    asked = request(provider_options=options)
    text = without_secrets(asked).model_dump_json()
    assert text.count(SECRET_STAND_IN) == 3
    assert "mine" not in text
    plain = request(provider_options={"seed": 1})
    assert without_secrets(plain) is plain


# What comes in


def hook(body: object, **headers: str) -> HookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HookRequest({name.replace("_", "-"): value for name, value in headers.items()}, raw)


def signed(body: object, key: bytes, delivery: str = "evt_1", at: datetime = NOW) -> HookRequest:
    plain, moment = hook(body), str(int(at.timestamp()))
    return hook(
        plain.body,
        webhook_id=delivery,
        webhook_timestamp=moment,
        webhook_signature=signature(delivery, moment, plain.body, key),
    )


def test_llmgateways_hooks_need_the_tasks_own_secret() -> None:
    made = provider("llmgateway")
    event = {"object": "event", "type": "video.completed", "data": {"id": "v1", "status": "completed"}}
    assert made.read_hook(signed(event, b"s3cret"), "s3cret", NOW) == HookReading("evt_1")
    assert made.read_hook(signed(event, b"other"), "s3cret", NOW) is None
    assert made.read_hook(hook(event), "s3cret", NOW) is None


def test_hooks_in_routeanys_format_are_held_to_a_signature_where_a_secret_is_set() -> None:
    prediction = {"id": "p1", "status": "succeeded"}
    assert provider("routeany").read_hook(hook(prediction), "", NOW) == HookReading(None)
    strict = provider("routeany", webhook_secret=SecretStr("whsec_c2VjcmV0"))
    assert strict.read_hook(hook(prediction), "", NOW) is None
    assert strict.read_hook(signed(prediction, b"secret"), "", NOW) == HookReading("evt_1")


@pytest.mark.parametrize(
    ("wire", "body", "goes_on"),
    [
        ("routeany", {"id": "p", "status": "starting"}, True),
        ("routeany", {"id": "p", "status": "processing", "logs": "10%"}, True),
        ("routeany", {"id": "p", "status": "failed"}, False),
        ("apixo", {"code": 200, "data": {"taskId": "t", "state": "processing"}}, True),
        ("apixo", {"code": 200, "data": {"taskId": "t", "state": "success"}}, False),
        ("shuyou", {"data": {"task_id": "t", "task_status": "processing"}}, True),
        ("shuyou", {"anything": "else"}, False),
        ("shuyou", {"task_status": "who knows"}, False),
        ("shuyou", b"", False),
        ("shuyou", b"\xff\x00", False),
        ("shuyou", b"[" * 100_000, False),
        ("apixo", {"state": "processing", "data": {"state": "success"}}, False),
    ],
)
def test_a_hook_that_says_that_the_job_goes_on_needs_no_look(wire: str, body: object, goes_on: bool) -> None:
    assert provider(wire).read_hook(hook(body), "", datetime.now(UTC)) == HookReading(None, goes_on)


def test_gateways_read_hooks_and_their_settings_do_not_show_the_secret() -> None:
    assert isinstance(provider("apixo"), ReadsHooks)
    assert "c2VjcmV0" not in repr(ProviderSettings(name="a", wire="a", webhook_secret=SecretStr("whsec_c2VjcmV0")))
    assert "t0ken" not in repr(KEYS)
