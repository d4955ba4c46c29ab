"""Images of the unified format's relatives that call back: the address stands in the query, and a hook only nudges."""

import base64
import json
import logging
import os
from collections.abc import Generator
from pathlib import Path

import anyio
import pytest

from rushes.domain.hooks import TOKEN_STAND_IN
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.domain.request import GenerationRequest
from rushes.server.logs import start_logging
from rushes.tasks.service import MediaSource, Wish

from ..clocks import a_moment
from ..gateways.client import RunningGateways
from ..tasks.test_engine import PNG
from .houses import House, a_house
from .test_secrets import everything_kept

pytestmark = pytest.mark.anyio


def configure(options: str) -> None:
    home = Path(os.environ["RUSHES_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "rushes.toml").write_text(f"[providers.yuto]\noptions = {{ {options} }}\n", encoding="utf-8")


@pytest.fixture(autouse=True)
def yuto_with_images_apart() -> None:
    configure('images = "async"')


@pytest.fixture
def logs_as_ever() -> Generator[None]:
    """What a process of rushes logs, all of it, on standard error."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    start_logging("debug")
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def a_wish(prompt: str, *media: MediaSource) -> Wish:
    request = GenerationRequest(kind="image", prompt=prompt, model="nano-banana-2")
    return Wish(request, media=media, principal=LOCAL, provider="yuto", force_new=True)


async def begun(house: House, prompt: str, *media: MediaSource) -> TaskRecord:
    return (await house.engine.generate(a_wish(prompt, *media))).record


@pytest.mark.parametrize("words", ["", "[id-as-data]", "[image-bytes]"])
async def test_a_hook_tells_of_the_end_and_one_look_sees_it(
    words: str, gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "yuto") as house:
        record = await begun(house, f"[ends-in:0.2] {words} a red fox")
        done = await house.ended(record.task_id)
    assert (done.state, done.failure) == ("succeeded", None)
    assert done.outputs[0].mime_type == "image/png"
    (job,) = await gateways.jobs()
    (hook,) = await gateways.hooks()
    assert (hook.status, job.polls, job.path) == (200, 1, "/v1/images/generations")
    assert [found.detail for found in await gateways.violations()] == []


async def test_a_video_of_a_relative_that_takes_notify_hook_calls_back_as_well(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure('callback = "notify_hook"')
    async with a_house(gateways, monkeypatch, "yuto") as house:
        request = GenerationRequest(kind="video", prompt="[ends-in:0.2] a red fox", model="veo-3.1")
        answer = await house.engine.generate(Wish(request, principal=LOCAL, provider="yuto"))
        done = await house.ended(answer.record.task_id)
    (job,) = await gateways.jobs()
    (hook,) = await gateways.hooks()
    assert (done.state, hook.status, job.polls) == ("succeeded", 200, 1)
    assert isinstance(job.body, dict)
    assert str(job.body["notify_hook"]).startswith(f"{house.public_url}/hooks/yuto/")


async def test_input_images_go_as_files_and_the_edit_calls_back_too(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "yuto") as house:
        picture = MediaSource("input_image", "data:image/png;base64," + base64.b64encode(PNG).decode())
        record = await begun(house, "[ends-in:0.2] a red fox", picture)
        done = await house.ended(record.task_id)
    (job,) = await gateways.jobs()
    assert (done.state, job.polls, job.path) == ("succeeded", 1, "/v1/images/edits")
    assert [found.detail for found in await gateways.violations()] == []


async def test_a_forged_foreign_or_lying_hook_decides_nothing(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "yuto") as house:
        record = await begun(house, "[manual] a red fox")
        token = await house.token_of("yuto")
        for path in (f"/hooks/yuto/{token[:-1]}_", f"/hooks/apixo/{token}"):
            assert (await gateways.http.post(house.public_url + path)).status_code == 404
        assert [job.polls for job in await gateways.jobs()] == [0]
        lie = {"code": "success", "data": {"status": "SUCCESS", "data": {"data": [{"url": "http://127.0.0.1/x"}]}}}
        answer = await gateways.http.post(f"{house.public_url}/hooks/yuto/{token}", content=json.dumps(lie))
        assert answer.status_code == 200
        with anyio.fail_after(10):
            while not (await gateways.jobs())[0].polls:
                await a_moment()
        seen = await house.engine.get(record.task_id, principal=LOCAL)
    assert (seen.final, seen.outputs) == (False, ())


async def test_the_token_stands_in_no_record_file_dry_run_or_log(
    gateways: RunningGateways,
    monkeypatch: pytest.MonkeyPatch,
    isolated_environment: Path,
    logs_as_ever: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with a_house(gateways, monkeypatch, "yuto") as house:
        preview = await house.engine.preview(a_wish("[ends-in:0.1] a red fox"))
        record = await begun(house, "[ends-in:0.1] a red fox")
        token = await house.token_of("yuto")
        done = await house.ended(record.task_id)
        lost = await begun(house, "[reset-after-accept] a red vixen")
        lost_token = await house.token_of("yuto")
        kept = await everything_kept(house, isolated_environment)
    assert preview.url == f"/v1/images/generations?async=true&webhook={house.public_url}/hooks/yuto/{TOKEN_STAND_IN}"
    assert lost.state == "unknown"
    said = f"{preview!r} {done!r} {lost!r} {kept}" + capsys.readouterr().err
    assert "answer lost" in said
    assert not [text for text in (token, token[26:], lost_token, lost_token[26:]) if text in said]
