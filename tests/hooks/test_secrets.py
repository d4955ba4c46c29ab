"""What a person hands on to a gateway as a secret, and what our own hooks are known by: sent, and nowhere else."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import anyio
import pytest
from pydantic import JsonValue

from rushes.domain.hooks import SECRET_STAND_IN, TOKEN_STAND_IN
from rushes.domain.principal import LOCAL
from rushes.domain.request import GenerationRequest
from rushes.tasks.service import Wish

from ..gateways.client import RunningGateways
from .houses import MODELS, House, a_house

pytestmark = pytest.mark.anyio

SECRET = "a-secret-of-the-persons-own"
OWN: dict[str, JsonValue] = {"callback_url": "http://127.0.0.1:9/mine", "callback_secret": SECRET}

OWN_WEBHOOK = {"routeany": "webhook", "shuyou": "webhook", "llmgateway": "callback_url", "apixo": "callback_url"}


def _an_address_with_a_password(gateway: str) -> dict[str, JsonValue]:
    beside: dict[str, JsonValue] = {"callback_secret": "another-secret"} if gateway == "llmgateway" else {}
    return {OWN_WEBHOOK[gateway]: f"https://me:{SECRET}@hooks.example.com/mine", **beside}


WITH_SECRETS: Mapping[str, Callable[[str], dict[str, JsonValue]]] = {
    "one by its name": lambda gateway: {OWN_WEBHOOK[gateway]: "https://me.example/mine", "callback_secret": SECRET},
    "the password of an address": _an_address_with_a_password,
}


async def everything_kept(house: House, folder: Path) -> str:
    texts = [path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "key"]
    return b"".join(texts).decode("latin-1")


def a_wish(gateway: str, **asked: object) -> Wish:
    request = {"kind": "video", "prompt": "[ends-in:0.2] [look-after:0.1] a red fox", "model": MODELS[gateway], **asked}
    return Wish(GenerationRequest.model_validate(request), principal=LOCAL, provider=gateway)


async def test_a_secret_of_the_persons_own_is_sent_and_stands_in_no_record_file_dry_run_or_log(
    gateways: RunningGateways,
    monkeypatch: pytest.MonkeyPatch,
    isolated_environment: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with a_house(gateways, monkeypatch, "llmgateway") as house:
        wish = a_wish("llmgateway", provider_options=OWN)
        preview = await house.engine.preview(wish)
        record = (await house.engine.generate(wish)).record
        (job,) = await gateways.jobs()
        # Nobody calls rushes back here.
        await gateways.set_phase("llmgateway", job.job_id, "succeeded")
        done = await house.ended(record.task_id, 40)
    assert isinstance(job.body, dict)
    assert job.body["callback_secret"] == SECRET
    assert preview.payload["callback_secret"] == SECRET_STAND_IN
    assert done.request.provider_options["callback_secret"] == SECRET_STAND_IN
    assert any("looks by itself" in warning for warning in done.warnings)
    said = f"{preview!r} {done!r} {caplog.text}"
    assert SECRET not in said + await everything_kept(house, isolated_environment)


async def test_without_a_public_address_it_is_kept_out_all_the_same(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch, isolated_environment: Path
) -> None:
    async with a_house(gateways, monkeypatch, "llmgateway", public=False) as house:
        record = (await house.engine.generate(a_wish("llmgateway", provider_options=OWN))).record
        (job,) = await gateways.jobs()
        assert isinstance(job.body, dict)
        assert job.body["callback_secret"] == SECRET
        assert SECRET not in repr(record) + await everything_kept(house, isolated_environment)
        assert not any("looks by itself" in warning for warning in record.warnings)
        with anyio.fail_after(10):
            again = await house.engine.generate(a_wish("llmgateway", provider_options=OWN))
        assert again.deduplicated


async def test_our_own_token_and_secret_stand_in_no_record_file_dry_run_or_log(
    gateways: RunningGateways,
    monkeypatch: pytest.MonkeyPatch,
    isolated_environment: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with a_house(gateways, monkeypatch, "llmgateway") as house:
        wish = a_wish("llmgateway")
        preview = await house.engine.preview(wish)
        record = (await house.engine.generate(wish)).record
        token = await house.token_of("llmgateway")
        done = await house.ended(record.task_id)
        (job,) = await gateways.jobs()
        assert isinstance(job.body, dict)
        secret = str(job.body["callback_secret"])
        answer = await house.engine.answer(record.task_id, principal=LOCAL)
    assert done.state == "succeeded"
    assert preview.payload["callback_url"] == f"{house.public_url}/hooks/llmgateway/{TOKEN_STAND_IN}"
    assert preview.payload["callback_secret"] == SECRET_STAND_IN
    said = f"{preview!r} {done!r} {answer!r} {caplog.text}" + await everything_kept(house, isolated_environment)
    assert not [text for text in (token, token[26:], secret) if text in said]


@pytest.mark.parametrize("gateway", ["routeany", "shuyou", "llmgateway", "apixo"])
@pytest.mark.parametrize("options", WITH_SECRETS.values(), ids=WITH_SECRETS)
async def test_a_secret_of_a_persons_own_is_sent_and_kept_nowhere_whichever_gateway_gets_it(
    gateways: RunningGateways,
    monkeypatch: pytest.MonkeyPatch,
    isolated_environment: Path,
    gateway: str,
    options: Callable[[str], dict[str, JsonValue]],
) -> None:
    async with a_house(gateways, monkeypatch, gateway) as house:
        wish = a_wish(gateway, provider_options=options(gateway))
        preview = await house.engine.preview(wish)
        record = (await house.engine.generate(wish)).record
        done = await house.ended(record.task_id)
    (job,) = await gateways.jobs()
    assert SECRET in repr(job.body)
    assert SECRET not in f"{preview!r} {done!r}" + await everything_kept(house, isolated_environment)
    assert not any("does not show" in warning for warning in done.warnings)
