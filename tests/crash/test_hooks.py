"""Hooks that are lost, doubled, late or early, at processes that die of what they bring: paid once, and kept."""

import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from rushes.cache.embedded.store import TaskStore
from rushes.domain.record import SCHEMA
from rushes.providers.provider import ReadsHooks
from rushes.server.transports.http import bound, hooks_app, serve_app
from rushes.server.web.hooks import HookDoor
from rushes.tasks.clock import SystemClock
from rushes.tasks.hook_desk import HookDesk
from rushes.tasks.hooked import reading
from rushes.tasks.migrations import MIGRATIONS
from rushes.tasks.work.hook_silence import HookSilence

from ..gateways.client import RunningGateways
from .account import account_of
from .crew import Crew
from .fuse import Burn, Fuse
from .gateways import GROUNDS, address_of
from .orders import Order
from .tally import Tally
from .worker import hook_parts, real_provider

pytestmark = pytest.mark.anyio

GROUND = next(ground for ground in GROUNDS if ground.name == "apixo video")


def an_order(home: Path, gateways: RunningGateways, name: str, prompt: str, url: str, **more: object) -> Order:
    order = Order(order=f"{home.name}-{name}", home=home, gateway=GROUND.gateway, kind=GROUND.kind, prompt=prompt)
    return address_of(order.model_copy(update={"public_url": url, "calls": 0, **more}), gateways)


@asynccontextmanager
async def a_door(home: Path, gateways: RunningGateways) -> AsyncGenerator[str]:
    """Where the hooks of a home arrive, in a process that has none of its tasks."""
    parts, clock, listener = hook_parts(home), SystemClock(), bound("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    provider = real_provider(an_order(home, gateways, "door", "", url), home, Fuse(Burn(), lambda _: None), url)
    assert isinstance(provider, ReadsHooks)
    async with TaskStore.opened(home / "cache", schema=SCHEMA, migrations=MIGRATIONS) as store:
        readers, silence = {provider.name: provider}, HookSilence(store, clock)
        desk = HookDesk(parts.key, readers, clock, silence, read=reading(store), hear=parts.nudges.leave)
        async with anyio.create_task_group() as group:
            await group.start(serve_app, hooks_app(HookDoor(desk)), listener, "/hooks")
            yield url
            group.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("[ends-in:0.2] [hook-twice]", "poll.looked"),
        ("[ends-in:0.2] [hook-late:0.5] [hook-twice]", "poll.before-look"),
        ("[hook-early] [hook-twice]", "poll.looked"),
        ("[ends-in:0.2] [hook-running]", "download.inside"),
    ],
)
async def test_a_process_that_dies_of_what_a_hook_brings_loses_nothing(
    words: str, place: str, crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    with anyio.fail_after(60):
        async with a_door(tmp_path, gateways) as url:
            dying = an_order(tmp_path, gateways, "a", f"{words} a fox", url, calls=1, fuse=Burn(kill_at=place))
            assert await (await crew.start(dying)).ends() == -signal.SIGKILL
            report = await (await crew.start(an_order(tmp_path, gateways, "b", dying.prompt, url))).ends_well()
    account = await account_of(dying, report, gateways)
    tally.add("killed at what a hook brought", account, kills=1)
    assert (len(account.jobs), len(account.posts), account.came) == (1, 1, "kept")


async def test_a_lost_hook_and_a_killed_process_lose_nothing(
    crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    with anyio.fail_after(60):
        async with a_door(tmp_path, gateways) as url:
            order = an_order(tmp_path, gateways, "a", "[ends-in:0.1] [hook-none] a fox", url, calls=1)
            first = await crew.start(order)
            await first.says("answered")
            while (await gateways.jobs())[0].finished_at is None:
                await anyio.lowlevel.checkpoint()
            first.send(signal.SIGKILL)
            await first.ends()
            report = await (await crew.start(an_order(tmp_path, gateways, "b", order.prompt, url))).ends_well()
    account = await account_of(order, report, gateways)
    tally.add("hook lost, process killed", account, kills=1)
    assert (len(account.jobs), len(account.posts), account.came) == (1, 1, "kept")
