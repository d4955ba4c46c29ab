"""The host's folders serve a call in both eras of the protocol: asked for in its middle, or by its answer."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp_types import ElicitResult, InputRequiredResult, RootsListChangedNotification

from rushes.domain.budget import Budget
from rushes.domain.money import Price
from rushes.server.mcp.server import build_server
from rushes.tasks.service import Service
from rushes.tools import already

from ..tasks.engines import an_engine
from ..tasks.makers import ACCEPTED
from ..tasks.scripted import ScriptedProvider
from ..tasks.test_engine import DONE, PNG
from ..tools.fake_service import FakeService
from .clients import ERAS, document
from .test_host_roots import Host

pytestmark = pytest.mark.anyio
every_era = pytest.mark.parametrize("era", ERAS)

FILE = {"prompt": "x", "image": "a.png"}
BYTES: dict[str, object] = {"image_forms": ("url", "data")}


async def _agrees(context: Any, params: Any) -> ElicitResult:
    del context, params
    return ElicitResult(action="accept", content={})


@asynccontextmanager
async def at_a_host(service: Service, host: Host, era: str, **answers: Any) -> AsyncGenerator[Client]:
    server = build_server(already(service), local_files=True)
    with anyio.fail_after(20):
        async with Client(server, mode=era, list_roots_callback=host, **answers) as client:
            yield client


@every_era
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("generate_video", FILE),
        ("generate_video", {**FILE, "dry_run": True}),
        ("generate_image", {"prompt": "x", "output_dir": "shots"}),
        ("assemble", {"shots": ["a.mp4[0-2]"]}),
        ("assemble", {"shots": ["task:01KABCDEFGHJKMNPQRSTVWXYZ0#1"], "sounds": ["score.wav"]}),
    ],
)
async def test_a_call_that_names_a_file_or_a_folder_is_served_with_the_hosts_folders(
    disk_path: Path, era: str, tool: str, arguments: dict[str, object]
) -> None:
    service, host = FakeService(), Host(disk_path / "a film", Path("/"))
    async with at_a_host(service, host, era) as client:
        shown = document(await client.call_tool(tool, arguments))

    assert "failure" not in shown
    assert host.asked == 1
    assert [wish.host_roots for wish in service.wishes] == [(disk_path / "a film",)] * len(service.wishes)
    assert len(service.wishes) == (0 if arguments.get("dry_run") else 1)


@every_era
async def test_other_calls_ask_nothing(disk_path: Path, era: str) -> None:
    service, host = FakeService(), Host(disk_path)
    async with at_a_host(service, host, era) as client:
        await client.call_tool("generate_video", {"prompt": "x", "image": "https://x.example/a.png"})
        await client.call_tool("assemble", {"shots": ["task:01KABCDEFGHJKMNPQRSTVWXYZ0#1"]})
    assert (host.asked, len(service.wishes)) == (0, 2)


@every_era
async def test_a_host_without_a_folder_open_is_asked_once_and_is_no_obstacle(era: str) -> None:
    service, host = FakeService(), Host()
    async with at_a_host(service, host, era) as client:
        await client.call_tool("generate_video", FILE)
    assert (host.asked, [wish.host_roots for wish in service.wishes]) == (1, [()])


async def test_a_host_that_passes_over_the_question_gets_its_answer_all_the_same() -> None:
    service, host = FakeService(), Host(Path("/projects/film"))
    async with at_a_host(service, host, "auto") as client:
        first = await client.session.call_tool("generate_video", FILE, allow_input_required=True)
        assert isinstance(first, InputRequiredResult)
        assert first.input_requests is not None
        assert [request.method for request in first.input_requests.values()] == ["roots/list"]
        assert service.wishes == []
        second = await client.session.call_tool(
            "generate_video", FILE, input_responses={}, request_state=first.request_state, allow_input_required=True
        )
    assert not isinstance(second, InputRequiredResult)
    assert [wish.host_roots for wish in service.wishes] == [()]


async def test_what_a_host_told_is_remembered_until_it_tells_of_a_change(disk_path: Path) -> None:
    service, host = FakeService(), Host(disk_path / "film")
    async with at_a_host(service, host, "legacy") as client:
        for number in range(3):
            await client.call_tool("generate_video", {**FILE, "seed": number})
        assert host.asked == 1
        host.folders = (disk_path / "other",)
        await client.session.send_notification(RootsListChangedNotification())
        # Nobody says when it was heard.
        while host.asked < 2:
            await client.call_tool("generate_video", {**FILE, "force_new": True})
    assert {wish.host_roots for wish in service.wishes[:3]} == {(disk_path / "film",)}
    assert service.wishes[-1].host_roots == (disk_path / "other",)


@every_era
async def test_a_path_begins_in_the_hosts_folder_and_the_file_is_read_and_copied_there(
    disk_path: Path, era: str
) -> None:
    project = disk_path / "project"
    (project / "assets").mkdir(parents=True)
    (project / "assets" / "fox.png").write_bytes(PNG)
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[DONE], downloads=[PNG] * 4, facts_changes=BYTES)
    asked = {"prompt": "x", "images": ["assets/fox.png"], "output_dir": "shots", "wait_seconds": 10}
    async with (
        an_engine(disk_path / "home", gateway) as engine,
        at_a_host(engine, Host(disk_path / "empty", project), era) as client,
    ):
        refused = document(await client.call_tool("generate_image", {**asked, "images": ["../secret.png"]}))
        shown = document(await client.call_tool("generate_image", {**asked, "output_dir": str(project / "shots")}))

    assert "There is no file" in str(refused) or "outside the folders" in str(refused)
    assert len(gateway.plans) == 1, shown
    assert shown["state"] == "succeeded"
    assert [path.read_bytes() for path in (project / "shots").iterdir()] == [PNG]


async def test_a_call_may_be_answered_with_both_questions_one_after_the_other(disk_path: Path) -> None:
    project = disk_path / "project"
    project.mkdir()
    (project / "fox.png").write_bytes(PNG)
    gateway, host = ScriptedProvider(answers=[ACCEPTED], facts_changes=BYTES), Host(project)
    prices = {"gate/model-one": Price(per_second={"default": Decimal("0.4")})}
    budget = Budget(confirm_above=Decimal(1))
    asked = {"prompt": "x", "image": "fox.png", "duration_seconds": 8}
    async with (
        an_engine(disk_path / "home", gateway, prices=prices, budgets=[budget]) as engine,
        at_a_host(engine, host, "auto", elicitation_callback=_agrees) as client,
    ):
        shown = document(await client.call_tool("generate_video", asked))

    assert shown["state"] in {"queued", "running"}, shown
    assert (len(gateway.plans), host.asked) == (1, 1)
