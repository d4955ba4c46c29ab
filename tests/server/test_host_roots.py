"""The folders that a host has open are folders for inputs and outputs, where it offers them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from mcp import Client
from mcp.client.session import ClientRequestContext
from mcp_types import ListRootsResult, Root
from pydantic import FileUrl

from rushes.server.mcp.server import build_server
from rushes.server.settings.settings import is_project
from rushes.tools import already

from ..tools.fake_service import FakeService

pytestmark = pytest.mark.anyio


class Host:
    """A host with these folders open."""

    def __init__(self, *folders: Path) -> None:
        self.folders = folders
        self.asked = 0

    async def __call__(self, context: ClientRequestContext) -> ListRootsResult:
        del context
        self.asked += 1
        return ListRootsResult(roots=[Root(uri=FileUrl(folder.as_uri())) for folder in self.folders])


@asynccontextmanager
async def hosted(
    service: FakeService, host: Host, *, local_files: bool = True, ask_roots: bool = True
) -> AsyncGenerator[Client]:
    server = build_server(already(service), local_files=local_files, ask_roots=ask_roots)
    with anyio.fail_after(20):
        async with Client(server, mode="legacy", list_roots_callback=host) as client:
            yield client


async def test_a_call_that_names_a_file_may_use_the_hosts_folders(disk_path: Path) -> None:
    service, host = FakeService(), Host(disk_path / "a film", Path("/"))
    async with hosted(service, host) as client:
        await client.call_tool("generate_video", {"prompt": "x", "image": "a.png"})
        await client.call_tool("generate_video", {"prompt": "y", "output_dir": "shots"})
    assert [wish.host_roots for wish in service.wishes] == [(disk_path / "a film",)] * 2


async def test_other_calls_do_not_ask_the_host(disk_path: Path) -> None:
    service, host = FakeService(), Host(disk_path)
    async with hosted(service, host) as client:
        await client.call_tool("generate_video", {"prompt": "x", "image": "https://x.example/a.png"})
        await client.call_tool("generate_video", {"prompt": "y", "image": "task:01KABCDEFGHJKMNPQRSTVWXYZ0"})
    assert host.asked == 0


@pytest.mark.parametrize("surroundings", [{"local_files": False}, {"ask_roots": False}])
async def test_over_http_and_where_the_settings_name_the_folders_nobody_is_asked(
    surroundings: dict[str, bool], disk_path: Path
) -> None:
    service, host = FakeService(), Host(disk_path)
    async with hosted(service, host, **surroundings) as client:
        await client.call_tool("generate_video", {"prompt": "x", "image": "a.png"})
    assert (host.asked, service.wishes[0].host_roots) == (0, ())


async def test_a_host_without_roots_is_no_obstacle() -> None:
    service = FakeService()
    async with Client(build_server(already(service), local_files=True)) as client:
        await client.call_tool("generate_video", {"prompt": "x", "image": "a.png"})
    assert service.wishes[0].host_roots == ()


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/projects/film", True),
        ("/mnt/data/film", True),
        ("/projects", False),
        ("/usr/share/film", False),
        ("/etc/film", False),
        ("/", False),
        ("/home", False),
        ("/home/ada", False),
        ("/home/ada/film", True),
    ],
)
def test_the_home_folder_and_those_of_the_system_are_no_project(
    folder: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert is_project(Path(folder)) is expected
