"""The adapters against the simulator in `tests/gateways`, which was written from the vendors' pages apart from them."""

from collections.abc import AsyncIterator
from datetime import timedelta

import anyio
import anyio.lowlevel
import pytest
from pydantic import JsonValue, SecretStr

from rushes.domain.errors import (
    GatewayUnavailable,
    OutputRejected,
    OutputUnavailable,
    SubmissionLost,
    SubmissionRefused,
)
from rushes.domain.job import SUCCESS_WITHOUT_OUTPUT, Observation, Plan, Submission
from rushes.domain.request import GenerationRequest, Kind
from rushes.providers.checks import check_request
from rushes.providers.fact_files import find_model
from rushes.providers.provider import Provider, ProviderSettings
from rushes.providers.registry import build_provider
from tests.gateways.client import RunningGateways

from .requests import held, linked, request

pytestmark = pytest.mark.anyio

FORMATS = {
    "routeany": "routeany",
    "yuto": "unified",
    "shuyou": "shuyou",
    "llmgateway": "llmgateway",
    "apixo": "apixo",
    "replicate": "routeany",
    "openai": "openai-videos",
}
VIDEO_MODELS = {"replicate": "google/veo-3.1", "openai": "sora-2"}


class Client:
    """One gateway, used as the rest of rushes uses it, at the simulator."""

    def __init__(self, running: RunningGateways, name: str, **options: JsonValue) -> None:
        prefix = {"openai": "openai_videos"}.get(name, name)
        values = {key.removeprefix(f"{prefix.upper()}_"): value for key, value in running.only(prefix).items()}
        key = values.get("API_KEY") or values["API_TOKEN"]
        self.running = running
        self.name = name
        self.provider: Provider = build_provider(
            ProviderSettings(
                name=name,
                wire=FORMATS[name],
                base_url=values["BASE_URL"],
                api_key=SecretStr(key),
                options=options,
                timeout_seconds=2,
            )
        )

    def plan(self, asked: GenerationRequest, model: str | None = None) -> Plan:
        wanted = model or VIDEO_MODELS.get(self.name, "veo-3.1")
        facts = find_model(self.provider.models(), wanted, asked.kind) or self.provider.unlisted_model(
            wanted, asked.kind
        )
        assert facts is not None
        check_request(asked, facts, self.name)
        return self.provider.plan(asked, facts)

    async def submit(self, word: str) -> Submission:
        return await self.provider.submit(self.plan(request(prompt=f"a red fox [{word}]")))

    async def ended(self, submission: Submission) -> Observation:
        """The job's last observation; a poll that fails is repeated, as the poller does."""
        seen = submission.observation
        with anyio.fail_after(30):
            while seen.state in {"queued", "running"} and SUCCESS_WITHOUT_OUTPUT not in seen.notes:
                try:
                    seen = await self.provider.poll(submission.job)
                except GatewayUnavailable:
                    await anyio.lowlevel.checkpoint()
        return seen

    async def made(self, asked: GenerationRequest, model: str | None = None) -> list[bytes]:
        """The media that a request becomes."""
        seen = await self.ended(await self.provider.submit(self.plan(asked, model)))
        assert seen.state == "succeeded", seen
        return [await self.fetched(seen, index) for index in range(len(seen.outputs))]

    async def fetched(self, seen: Observation, index: int = 0) -> bytes:
        output = seen.outputs[index]
        if output.content is not None:
            return output.content
        async with self.provider.open_output(output) as stream:
            return b"".join([chunk async for chunk in stream])


@pytest.fixture
async def clients(gateways: RunningGateways) -> AsyncIterator[dict[str, Client]]:
    """A client for each gateway; at the end none may have sent what a careful client would not."""
    made = {name: Client(gateways, name) for name in FORMATS}
    yield made
    for client in made.values():
        await client.provider.aclose()
    assert await gateways.violations() == []
    assert {fetch.authorization for fetch in await gateways.fetches()} <= {"absent"}


FRAME, LAST, VIDEO, SOUND = (
    linked("image", "https://example.com/a.png"),
    linked("last_frame", "https://example.com/b.png"),
    linked("reference_video", "https://example.com/v.mp4"),
    linked("reference_audio", "https://example.com/a.mp3"),
)
REFERENCE = linked("reference_image", "https://example.com/r.png")
PICTURE = linked("input_image", "https://example.com/i.png")


@pytest.mark.parametrize(
    ("name", "asked", "model"),
    [
        ("routeany", request(duration_seconds=5, aspect_ratio="16:9"), "veo-3.1"),
        ("routeany", request(), "openai/sora-2"),
        ("yuto", request(), "veo3"),
        ("yuto", request(duration_seconds=5, aspect_ratio="16:9", resolution="720p", watermark=False), "veo-3.1"),
        ("yuto", request("video", FRAME, LAST), "veo-3.1"),
        ("yuto", request("video", held("image")), "veo-3.1"),
        ("yuto", request("video", VIDEO), "some-model"),
        ("yuto", request("image", PICTURE, aspect_ratio="1:1"), "some-image"),
        ("yuto", request("audio"), "some-voice"),
        ("shuyou", request(duration_seconds=8, resolution="1080p", aspect_ratio="9:16", audio=True), "veo-3.1"),
        ("shuyou", request("video", FRAME, LAST, duration_seconds=6), "veo-3.1"),
        ("shuyou", request("video", REFERENCE, duration_seconds=4), "veo-3.1"),
        ("shuyou", request("video", REFERENCE, VIDEO, SOUND), "seedance-2.0"),
        ("shuyou", request("image", PICTURE, resolution="2k", count=2), "nano-banana-pro"),
        ("shuyou", request("image", size="1024x1024", quality="low", count=2), "gpt-image-2"),
        ("shuyou", request("audio", voice="Cherry", language="English"), "qwen3-tts-flash"),
        ("shuyou", request("audio", voice="English_Graceful_Lady", output_format="wav"), "minimax-speech-2.8-hd"),
        ("llmgateway", request(duration_seconds=8), "veo-3.1"),
        ("llmgateway", request("video", FRAME, LAST, duration_seconds=4, resolution="1080p", audio=False), "veo-3.1"),
        ("llmgateway", request("video", held("image"), duration_seconds=4), "veo-3.1"),
        ("llmgateway", request("video", REFERENCE, VIDEO, SOUND, duration_seconds=5), "seedance-2.0"),
        ("llmgateway", request(duration_seconds=8), "avalanche/veo-3.1-generate-preview"),
        ("llmgateway", request("image", resolution="2k", count=2), "nano-banana-pro"),
        ("llmgateway", request("image", PICTURE, held("input_image"), aspect_ratio="16:9"), "nano-banana-pro"),
        ("llmgateway", request("audio", voice="Sarah", speed=1.5, output_format="mp3"), "eleven-v3"),
        ("apixo", request(quality="quality", aspect_ratio="16:9", seed=7), "veo-3.1"),
        ("apixo", request("video", FRAME, LAST, aspect_ratio="9:16"), "veo-3.1"),
        ("apixo", request("video", REFERENCE), "veo-3.1"),
        ("apixo", request(), "veo-3.1-fast"),
        ("apixo", request("image", PICTURE, resolution="1k", output_format="png"), "nano-banana"),
        ("apixo", request("audio"), "suno"),
        ("replicate", request(duration_seconds=8, aspect_ratio="16:9"), "google/veo-3.1"),
        ("openai", request(duration_seconds=8, aspect_ratio="9:16"), "sora-2"),
        ("openai", request("image"), "some-image"),
        ("openai", request("audio", voice="alloy"), "some-voice"),
    ],
)
async def test_each_gateway_makes_what_it_documents(
    clients: dict[str, Client], gateways: RunningGateways, name: str, asked: GenerationRequest, model: str
) -> None:
    media = await clients[name].made(asked, model)
    assert len(media) >= (asked.count or 1)
    assert all(len(one) > 100 for one in media)
    assert [job.kind for job in await gateways.jobs(name)] == [asked.kind]


REFUSALS = {
    "routeany": {
        "rate-limit": "rate_limited",
        "unknown-model": "unsupported",
        "no-credits": "insufficient_credits",
        "no-credits-403": "insufficient_credits",
        "safety-403": "content_violation",
    },
    "yuto": {
        "no-quota-403": "insufficient_credits",
        "no-credits-402": "insufficient_credits",
        "no-credits-chinese": "insufficient_credits",
        "no-channel": "unsupported",
        "no-channel-chinese": "unsupported",
        "upstream-busy": "rate_limited",
        "bad-key-chinese": "unauthorized",
        "safety-400": "content_violation",
        "message-only": "invalid_input",
        "fail-reason-only": "invalid_input",
        "in-body-error": "insufficient_credits",
    },
    "shuyou": {
        "invalid-params": "invalid_input",
        "no-credits": "insufficient_credits",
        "reject-no-credit": "insufficient_credits",
        "quote-exceeded": "insufficient_credits",
        "bad-key-403": "unauthorized",
        "safety-403": "content_violation",
        "unknown-model": "unsupported",
        "model-not-available": "unsupported",
        "model-not-supported": "unsupported",
        "prompt-too-long": "invalid_input",
        "unprocessable": "invalid_input",
        "rate-limit": "rate_limited",
    },
    "llmgateway": {
        "unsupported-model": "unsupported",
        "unsupported-parameters": "unsupported",
        "bad-image": "invalid_input",  # no image went in
        "no-credits": "insufficient_credits",
        "safety-403": "content_violation",
        "bad-key-403": "unauthorized",
        "retired-model": "unsupported",
        "archived-project": "unauthorized",
        "too-large": "invalid_media",
        "bad-media-type": "invalid_media",
        "spend-cap-429": "insufficient_credits",
        "rate-limit": "rate_limited",
        "overloaded": "rate_limited",
    },
    "apixo": {
        "no-credits": "insufficient_credits",
        "no-credits-402": "insufficient_credits",
        "in-body-error": "insufficient_credits",
        "in-body-rate-limit": "rate_limited",
        "missing-field": "invalid_input",
        "safety-403": "content_violation",
        "bad-key-403": "unauthorized",
        "unknown-model": "unsupported",
        "rate-limit": "rate_limited",
        "unavailable": "provider_error",
        "sensitive-at-once": "content_violation",
    },
    "replicate": {
        "rate-limit": "rate_limited",
        "no-credits": "insufficient_credits",
        "unknown-model": "unsupported",
    },
    "openai": {
        "rate-limit": "rate_limited",
        "no-credits": "insufficient_credits",
        "moderation-blocked": "content_violation",
    },
}


@pytest.mark.parametrize(
    ("name", "word", "reason"),
    [(name, word, reason) for name, rows in REFUSALS.items() for word, reason in rows.items()],
)
async def test_a_refusal_has_its_reason_and_costs_nothing(
    clients: dict[str, Client], gateways: RunningGateways, name: str, word: str, reason: str
) -> None:
    with pytest.raises(SubmissionRefused) as caught:
        await clients[name].submit(word)
    assert (caught.value.reason, caught.value.charged) == (reason, "no")
    assert await gateways.jobs(name) == []


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "fault",
    [
        "cut",
        "reset",
        "half-response",
        "html-502-after-accept",
        "http-empty-after-accept:500",
        "junk-json",
        "no-id",
        "not-http",
        "http-after-accept:500",
        "aws-endpoint-timeout",
        "no-credits-with-id",
    ],
)
async def test_a_lost_answer_is_told_as_lost_and_sent_once(
    clients: dict[str, Client], gateways: RunningGateways, name: str, fault: str
) -> None:
    with pytest.raises(SubmissionLost):
        await clients[name].submit(fault)
    assert len(await gateways.jobs(name)) == 1


OWN_ERRORS_THAT_SAY_NOTHING = {
    "routeany": ["server-error"],
    "yuto": ["error-text"],
    "shuyou": ["server-error", "no-provider", "provider-520", "provider-timeout"],
    "llmgateway": ["timeout-408", "all-providers-failed", "gateway-timeout"],
    "openai": ["not-implemented"],
}


@pytest.mark.parametrize(
    ("name", "word"), [(name, word) for name, words in OWN_ERRORS_THAT_SAY_NOTHING.items() for word in words]
)
async def test_a_server_error_says_nothing_about_money_even_in_the_gateways_own_form(
    clients: dict[str, Client], name: str, word: str
) -> None:
    with pytest.raises(SubmissionLost) as caught:
        await clients[name].submit(word)
    assert caught.value.charged == "unknown"


@pytest.mark.parametrize("name", ["routeany", "replicate"])
async def test_a_lost_job_is_found_in_the_gateways_list(
    clients: dict[str, Client], gateways: RunningGateways, name: str
) -> None:
    client, age = clients[name], timedelta(seconds=2)
    plan = client.plan(request(prompt="a red fox [cut-after-accept]"))
    with pytest.raises(SubmissionLost):
        await client.provider.submit(plan)
    (paid,) = await gateways.jobs(name)
    found = await client.provider.find_job(plan, age)
    assert found is not None
    assert found.job_id == paid.job_id
    assert await client.provider.find_job(plan, age, known=[paid.job_id]) is None


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "fault",
    [
        "poll-http:500",
        "poll-html-502",
        "poll-junk-json",
        "poll-deep-json",
        "poll-retry-after:1",
        "poll-cut",
        "poll-empty-200",
    ],
)
async def test_a_poll_that_fails_does_not_end_a_job(clients: dict[str, Client], name: str, fault: str) -> None:
    client = clients[name]
    assert (await client.ended(await client.submit(fault))).state == "succeeded"


FAILURES: list[tuple[str, str, str, str]] = [
    ("routeany", "fail:content_violation", "content_violation", "unknown"),
    ("routeany", "error-string] [fail:content_violation", "content_violation", "unknown"),
    ("routeany", "data-removed", "result_expired", "yes"),
    ("yuto", "fail:content_violation", "content_violation", "unknown"),
    ("yuto", "fail-chinese", "content_violation", "unknown"),
    ("yuto", "wrapped] [fail:timeout", "timeout", "unknown"),
    *[
        ("shuyou", f"failure-form:{form}] [fail:content_violation", "content_violation", "unknown")
        for form in ("error", "error-text", "data-message", "fail-reason", "message", "msg")
    ],
    ("shuyou", "failure-form:nothing] [fail:content_violation", "provider_error", "unknown"),
    ("llmgateway", "fail:content_violation", "content_violation", "no"),
    ("llmgateway", "no-error-code] [fail:content_violation", "content_violation", "no"),
    ("llmgateway", "expired", "timeout", "no"),
    ("apixo", "fail:content_violation", "content_violation", "unknown"),
    ("apixo", "pascal-codes] [fail:content_violation", "content_violation", "unknown"),
    ("replicate", "fail:content_violation", "content_violation", "unknown"),
    ("replicate", "error-object] [fail:content_violation", "content_violation", "unknown"),
    ("openai", "fail:content_violation", "content_violation", "unknown"),
    *[
        (name, f"fail:X1:{sentence}", reason, "no" if name == "llmgateway" else money)
        for name in ("routeany", "yuto", "shuyou", "llmgateway", "apixo", "replicate", "openai")
        for sentence, reason, money in (
            ("Video generation failed", "provider_error", "unknown"),
            ("Generation failed. Your credits have been refunded.", "provider_error", "no"),
            ("Prompt is too long", "invalid_input", "unknown"),
        )
    ],
]


@pytest.mark.parametrize(("name", "word", "reason", "charged"), FAILURES)
async def test_a_failed_job_has_a_reason_and_a_money_state(
    clients: dict[str, Client], name: str, word: str, reason: str, charged: str
) -> None:
    seen = await clients[name].ended(await clients[name].submit(word))
    assert seen.failure is not None
    assert (seen.state, seen.failure.reason, seen.failure.charged) == ("failed", reason, charged)


ODDITIES = {
    "routeany": ["output-form:list", "output-form:object", "output-form:nested", "output-moved", "outputs:3"],
    "yuto": ["wrapped", "uuid-id", "fail-reason-url", "fail-reason-junk", "output-fields:with-empty", "null-data"],
    "shuyou": ["output-item:url", "output-item:other", "output-item:text", "old-words", "no-usage", "poll-code:1"],
    "llmgateway": ["no-content-field", "content-field-only", "no-progress"],
    "apixo": ["result-object", "errors-as-200", "suno-nested", "no-times"],
    "replicate": ["output-form:nested"],
    "openai": [
        "metadata-url",
        "plain-url",
        "content-json",
        "content-relative",
        "content-redirect",
        "minimal",
        "processing",
    ],
}


@pytest.mark.parametrize(("name", "word"), [(name, word) for name, words in ODDITIES.items() for word in words])
async def test_an_odd_but_documented_form_is_understood(clients: dict[str, Client], name: str, word: str) -> None:
    client = clients[name]
    seen = await client.ended(await client.submit(word))
    assert seen.state == "succeeded"
    assert len(await client.fetched(seen)) > 100


@pytest.mark.parametrize("name", ["routeany", "yuto", "shuyou", "apixo"])
async def test_success_without_an_output_is_noted_and_the_output_is_taken_when_it_appears(
    clients: dict[str, Client], name: str
) -> None:
    client = clients[name]
    submission = await client.submit("output-after:2")
    assert SUCCESS_WITHOUT_OUTPUT in (await client.ended(submission)).notes
    assert (await client.ended(submission)).state in {"running", "succeeded"}


@pytest.mark.parametrize("name", ["routeany", "replicate"])
async def test_a_job_is_cancelled(clients: dict[str, Client], name: str) -> None:
    client = clients[name]
    submission = await client.submit("stuck")
    assert (await client.provider.cancel(submission.job)).state == "cancelled"
    assert (await client.provider.poll(submission.job)).state == "cancelled"


async def test_a_filtered_image_is_a_content_violation_although_the_answer_is_200(clients: dict[str, Client]) -> None:
    client = clients["llmgateway"]
    plan = client.plan(request("image", prompt="a red fox [filtered]"), "nano-banana-pro")
    seen = (await client.provider.submit(plan)).observation
    assert seen.failure is not None
    assert seen.failure.reason == "content_violation"


async def test_an_image_that_is_no_base64_is_a_lost_answer(clients: dict[str, Client]) -> None:
    client = clients["llmgateway"]
    with pytest.raises(SubmissionLost):
        await client.provider.submit(client.plan(request("image", prompt="x [bad-base64]"), "nano-banana-pro"))


async def test_a_server_that_takes_only_forms(gateways: RunningGateways) -> None:
    client = Client(gateways, "openai", encoding="multipart")
    asked = request("video", held("image"), prompt="a red fox [form-only]", duration_seconds=4)
    assert len(await client.made(asked, "sora-2")) == 1
    await client.provider.aclose()
    assert await gateways.violations() == []


@pytest.mark.parametrize("name", ["routeany", "shuyou", "llmgateway", "apixo", "replicate"])
async def test_the_account_is_checked_without_spending(
    clients: dict[str, Client], gateways: RunningGateways, name: str
) -> None:
    assert (await clients[name].provider.check_account()).ok
    assert await gateways.jobs(name) == []


@pytest.mark.parametrize("name", ["shuyou", "llmgateway"])
async def test_the_live_list_of_models_joins_the_data(clients: dict[str, Client], name: str) -> None:
    provider = clients[name].provider
    live = await provider.refresh_models()
    assert live
    known = len(provider.models())
    provider.add_models(live)
    assert len(provider.models()) >= known
    kinds: set[Kind] = {row.kind for row in live}
    assert "video" in kinds


@pytest.mark.parametrize("name", FORMATS)
async def test_a_bad_key_is_told_as_such(gateways: RunningGateways, name: str) -> None:
    good = Client(gateways, name)
    plan = good.plan(request())
    values = gateways.only({"openai": "openai_videos"}.get(name, name))
    base_url = next(value for key, value in values.items() if key.endswith("_BASE_URL"))
    bad = build_provider(
        ProviderSettings(name=name, wire=FORMATS[name], base_url=base_url, api_key=SecretStr("wrong-key-000"))
    )
    with pytest.raises(SubmissionRefused) as caught:
        await bad.submit(plan)
    await bad.aclose()
    assert (caught.value.reason, caught.value.charged) == ("unauthorized", "no")
    assert "wrong-key-000" not in caught.value.message


async def test_a_result_that_redirects_to_a_file_is_rejected(clients: dict[str, Client]) -> None:
    client = clients["routeany"]
    seen = await client.ended(await client.submit("output-redirect-file"))
    with pytest.raises(OutputRejected):
        await client.fetched(seen)


async def test_a_result_that_is_cut_is_a_passing_fault(clients: dict[str, Client]) -> None:
    client = clients["routeany"]
    seen = await client.ended(await client.submit("output-half-response"))
    with pytest.raises(OutputUnavailable):
        await client.fetched(seen)
