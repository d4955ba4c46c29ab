"""Hooks that reach another process than the one that has the task, and the commands that take them in."""

import os
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL

import anyio
import httpx
import pytest
from mcp import Client

from rushes.cache.hook_key import hook_key
from rushes.cache.workers.nudges import NudgeFolder
from rushes.server.assembly import open_engine
from rushes.server.mcp.server import build_server
from rushes.server.preparation import prepared_settings
from rushes.server.transports.http import Doorkeeper, bound, http_app, sse_app
from rushes.server.web.hooks import HookDoor
from rushes.tools import already

from ..cli.command import rushes
from ..clocks import a_moment
from ..forks import forked
from ..gateways.client import RunningGateways
from .houses import House, a_house, set_up

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def running(*arguments: str) -> AsyncGenerator[str]:
    """`rushes` in a process of its own, with this one's environment; where it listens."""
    async with forked("rushes", *arguments, stdin=DEVNULL, stdout=DEVNULL) as process:
        assert process.stderr is not None
        said = b""
        with anyio.fail_after(30):
            while not (found := re.search(rb"listening on (http://[\d.:]+)", said)):
                said += await process.stderr.receive()
        yield found[1].decode()
        process.terminate()
        assert await process.wait() == 0


async def test_a_hook_at_one_process_wakes_the_one_that_has_the_task(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(gateways, monkeypatch, "apixo", public_url="http://127.0.0.1:1")
    async with running("hooks", "--port", "0") as url:
        monkeypatch.setenv("RUSHES_PUBLIC_URL", url)
        async with open_engine(prepared_settings()) as engine:
            assert engine.hook_desk is not None
            house = House(engine, engine.hook_desk, url, gateways)
            record = await house.begun("apixo", "[ends-in:0.2] a red fox")
            done = await house.ended(record.task_id)
        (job,) = await gateways.jobs()
        (hook,) = await gateways.hooks()
    assert (done.state, job.polls, hook.status) == ("succeeded", 1, 200)


async def test_word_left_before_the_answer_to_the_submission_is_taken_after_it(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "apixo", apart=True) as house:
        record = await house.begun("apixo", "[hook-early] a red fox")
        done = await house.ended(record.task_id)
    (job,) = await gateways.jobs()
    assert (done.state, job.polls) == ("succeeded", 1)


async def test_a_hook_of_a_task_whose_process_has_gone_wakes_the_one_that_took_it_over(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "apixo") as house:
        record = await house.begun("apixo", "[manual] a red fox")
        (job,) = await gateways.jobs()
    async with a_house(gateways, monkeypatch, "apixo", apart=True) as house:
        with anyio.fail_after(20):
            while (await gateways.jobs())[0].polls == 0:
                await a_moment()
        await gateways.set_phase("apixo", job.job_id, "succeeded")
        path = f"/hooks/apixo/{await house.token_of('apixo')}"
        assert (await gateways.http.post(house.public_url + path)).status_code == 200
        done = await house.ended(record.task_id)
    assert done.state == "succeeded"


async def test_a_server_takes_hooks_in_beside_its_tools_on_the_same_port(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bound("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    set_up(gateways, monkeypatch, "apixo", public_url=f"http://127.0.0.1:{port}")
    async with running("serve", "--transport", "http", "--port", str(port)) as url, Client(f"{url}/mcp") as client:
        arguments = {"prompt": "[ends-in:0.3] a fox", "provider": "apixo", "model": "veo-3.1", "wait_seconds": 30}
        with anyio.fail_after(40):
            made = await client.call_tool("generate_video", arguments)
        wrong = await gateways.http.post(f"{url}/hooks/apixo/{'x' * 69}", headers={"host": "hooks.example"})
        tools = await gateways.http.get(f"{url}/mcp", headers={"host": "hooks.example"})
    assert made.structured_content is not None
    assert made.structured_content["state"] == "succeeded"
    (job,) = await gateways.jobs()
    assert job.polls == 1
    assert (wrong.status_code, wrong.text, tools.status_code) == (404, "Not found", 421)


@pytest.mark.parametrize("make", [http_app, sse_app])
async def test_both_transports_have_a_door_for_hooks(
    make: Callable[..., Doorkeeper], gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_house(gateways, monkeypatch, "apixo") as house:
        await house.begun("apixo", "[manual] a red fox")
        path = f"/hooks/apixo/{await house.token_of('apixo')}"
        server = build_server(already(house.engine), local_files=False)
        for hooks, status in ((HookDoor(house.desk), 200), (None, 421)):
            app = make(server, "127.0.0.1", hooks=hooks)
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="https://hooks.example") as client:
                assert (await client.post(path)).status_code == status


async def test_without_an_address_nothing_is_made_for_hooks(
    gateways: RunningGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(gateways, monkeypatch, "apixo")
    settings = prepared_settings()
    async with open_engine(settings) as engine:
        assert engine.hook_desk is None
    assert not settings.hooks_dir.exists()


def test_a_place_for_hooks_without_an_address_says_what_to_set() -> None:
    run = rushes("hooks", "--port", "0", code=2)
    assert "RUSHES_PUBLIC_URL" in run.err


async def test_word_waits_until_it_is_taken(tmp_path: Path) -> None:
    folder = NudgeFolder(tmp_path / "hooks" / "nudges")
    assert list(await folder.waiting()) == []
    await folder.leave("01A")
    await folder.leave("01A")
    await folder.leave("01B")
    assert sorted(await folder.waiting()) == ["01A", "01B"]
    await folder.take(["01A", "01C"])
    assert list(await folder.waiting()) == ["01B"]
    old = tmp_path / "hooks" / "nudges" / "01B"
    os.utime(old, (0, 0))
    assert list(await folder.waiting()) == []
    assert not old.exists()


async def test_all_processes_of_a_home_have_one_key_that_others_cannot_read(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "hooks"
    keys: list[bytes] = []

    async def read() -> None:
        keys.append(await anyio.to_thread.run_sync(hook_key, folder))

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(read)
    assert len(set(keys)) == 1
    assert (len(keys[0]), (folder / "key").stat().st_mode & 0o077) == (32, 0)
    assert [path.name for path in folder.iterdir()] == ["key"]
