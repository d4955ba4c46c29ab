"""Engines that gateways can call back: real stores, a real port, the simulated gateways."""

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.domain.request import GenerationRequest
from rushes.server.assembly import open_engine, open_hook_desk
from rushes.server.preparation import prepared_settings
from rushes.server.transports.http import bound, hooks_app, serve_app
from rushes.server.web.hooks import HookDoor
from rushes.tasks.engine import Engine
from rushes.tasks.hook_desk import HookDesk
from rushes.tasks.service import Wish

from ..gateways.client import RunningGateways

MODELS: Mapping[str, str] = {
    "routeany": "veo-3.1",
    "shuyou": "veo-3.1",
    "llmgateway": "veo-3.1",
    "apixo": "veo-3.1",
    "replicate": "google/veo-3.1",
}
"""The gateways that call back, each with a model of videos."""

REPLICATE = """
[providers.replicate]
wire = "routeany"
api_key_env = "REPLICATE_API_TOKEN"
options = { webhook_events = ["completed"] }
"""


@dataclass
class House:
    """One process of a home, to which hooks come at `public_url`."""

    engine: Engine
    desk: HookDesk
    public_url: str
    gateways: RunningGateways

    async def begun(self, gateway: str, prompt: str, **asked: object) -> TaskRecord:
        """A task at a gateway, once it is accepted or refused."""
        request = {"kind": "video", "prompt": prompt, "model": MODELS[gateway], **asked}
        wish = Wish(GenerationRequest.model_validate(request), principal=LOCAL, provider=gateway, force_new=True)
        return (await self.engine.generate(wish)).record

    async def ended(self, task_id: str, seconds: float = 20) -> TaskRecord:
        """The record once it is settled."""
        with anyio.fail_after(seconds):
            while not (record := await self.engine.wait(task_id, seconds=5, principal=LOCAL)).settled:
                pass
        return record

    async def token_of(self, gateway: str) -> str:
        """The token of the newest job's address, as its gateway knows it."""
        return await token_of(self.gateways, gateway)


async def token_of(gateways: RunningGateways, gateway: str) -> str:
    """The token of the newest job's address, as its gateway knows it."""
    job = (await gateways.jobs(gateway))[-1]
    (asked,) = [request for request in await gateways.requests(gateway) if request.job_id == job.job_id]
    body = job.body if isinstance(job.body, dict) else {}
    named = [*(body.get(name) for name in ("webhook", "callback_url")), *asked.query.get("webhook", [])]
    address = next(url for url in named if isinstance(url, str))
    assert f"/hooks/{gateway}/" in address
    return address.rpartition("/")[2]


@asynccontextmanager
async def a_house(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch, *names: str, public: bool = True, apart: bool = False
) -> AsyncGenerator[House]:
    """An engine that looks after tasks at these gateways, and takes hooks in on a port of its own.

    Where they come in is *apart* from the engine, as in another process: nothing but the disk is between the two.
    """
    async with AsyncExitStack() as stack:
        listener = bound("127.0.0.1", 0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        set_up(gateways, monkeypatch, *names, public_url=url if public else None)
        engine = await stack.enter_async_context(open_engine(prepared_settings()))
        desk = engine.hook_desk
        assert (desk is not None) is public
        if desk is None or apart:
            desk = await stack.enter_async_context(_a_desk_apart(monkeypatch, url))
        group = await stack.enter_async_context(anyio.create_task_group())
        await group.start(serve_app, hooks_app(HookDoor(desk)), listener, "/hooks")
        yield House(engine, desk, url, gateways)
        group.cancel_scope.cancel()


@asynccontextmanager
async def _a_desk_apart(monkeypatch: pytest.MonkeyPatch, url: str) -> AsyncGenerator[HookDesk]:
    with monkeypatch.context() as context:
        context.setenv("RUSHES_PUBLIC_URL", url)
        settings = prepared_settings()
    async with open_hook_desk(settings) as desk:
        yield desk


def set_up(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch, *names: str, public_url: str | None = None
) -> None:
    """This process's environment, as a person's."""
    for name, value in gateways.only(*names).items():
        monkeypatch.setenv(name, value)
    if "replicate" in names:
        home = Path(os.environ["RUSHES_HOME"])
        home.mkdir(parents=True, exist_ok=True)
        (home / "rushes.toml").write_text(REPLICATE, encoding="utf-8")
    if public_url is not None:
        monkeypatch.setenv("RUSHES_PUBLIC_URL", public_url)
