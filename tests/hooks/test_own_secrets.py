"""A secret of the person's own, where a request waits and another process sends it: given again, or by reference."""

from pathlib import Path

import pytest
from pydantic import JsonValue

from rushes.domain.hooks import SECRET_STAND_IN
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.domain.request import GenerationRequest
from rushes.tasks.service import MediaSource, Wish

from ..gateways.client import RunningGateways
from .houses import MODELS, House, a_house
from .test_secrets import OWN, SECRET, everything_kept

pytestmark = pytest.mark.anyio

URL_ALONE: dict[str, JsonValue] = {"callback_url": OWN["callback_url"]}


async def begun(house: House, options: dict[str, JsonValue], *media: MediaSource) -> TaskRecord:
    request = GenerationRequest(
        kind="video",
        prompt="[ends-in:0.1] [look-after:0.1] a fox",
        model=MODELS["llmgateway"],
        provider_options=options,
    )
    wish = Wish(request, media=media, principal=LOCAL, provider="llmgateway")
    return (await house.engine.generate(wish)).record


async def begun_and_left(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch, options: dict[str, JsonValue]
) -> TaskRecord:
    """A request that one process held, and that another process finds."""
    await gateways.set_behaviour("llmgateway", "retry-after:1", times=1)
    async with a_house(gateways, monkeypatch, "llmgateway") as house:
        record = await begun(house, options)
        assert record.phase == "held"
    async with a_house(gateways, monkeypatch, "llmgateway") as house:
        return await house.ended(record.task_id)


async def test_a_held_request_whose_secret_has_gone_is_not_sent_and_says_what_to_do(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch, isolated_environment: Path
) -> None:
    ended = await begun_and_left(gateways, monkeypatch, OWN)
    why = ended.failure
    assert why is not None
    assert (ended.state, why.reason, why.charged, why.retry_safe) == ("failed", "invalid_input", "no", True)
    assert why.hint is not None
    assert "callback_secret" in why.hint
    assert "LLMGATEWAY_WEBHOOK_SECRET" in why.hint
    assert await gateways.jobs() == []
    assert SECRET not in repr(ended)


async def test_a_held_request_whose_secret_is_configured_is_sent_with_it(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch, isolated_environment: Path
) -> None:
    monkeypatch.setenv("LLMGATEWAY_WEBHOOK_SECRET", SECRET)
    ended = await begun_and_left(gateways, monkeypatch, URL_ALONE)
    assert (ended.state, ended.failure) == ("succeeded", None)
    (job,) = await gateways.jobs()
    assert isinstance(job.body, dict)
    assert (job.body["callback_url"], job.body["callback_secret"]) == (OWN["callback_url"], SECRET)
    assert SECRET not in repr(ended)
    async with a_house(gateways, monkeypatch, "llmgateway") as house:
        assert SECRET not in await everything_kept(house, isolated_environment)


async def test_a_configured_secret_is_shown_in_no_dry_run_and_replaces_none_that_was_given(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMGATEWAY_WEBHOOK_SECRET", "the-configured-one")
    async with a_house(gateways, monkeypatch, "llmgateway") as house:
        request = GenerationRequest(
            kind="video", prompt="a fox", model=MODELS["llmgateway"], provider_options=dict(URL_ALONE)
        )
        preview = await house.engine.preview(Wish(request, principal=LOCAL, provider="llmgateway"))
        assert preview.payload["callback_secret"] == SECRET_STAND_IN
        assert "the-configured-one" not in repr(preview)
        await begun(house, OWN)
    (job,) = await gateways.jobs()
    assert isinstance(job.body, dict)
    assert job.body["callback_secret"] == SECRET


async def test_a_held_request_whose_webhook_had_a_password_is_not_sent_without_it(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch, isolated_environment: Path
) -> None:
    monkeypatch.setenv("LLMGATEWAY_WEBHOOK_SECRET", "the-configured-one")
    ended = await begun_and_left(gateways, monkeypatch, {"callback_url": f"https://me:{SECRET}@hooks.example.com/x"})
    assert ended.failure is not None
    assert (ended.failure.reason, ended.failure.charged, ended.failure.retry_safe) == ("invalid_input", "no", True)
    assert await gateways.jobs() == []
