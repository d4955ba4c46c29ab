"""What cannot be found is said as it is: where a file was looked for, and a query that holds no word."""

from pathlib import Path

import pytest

from ..server.clients import connected, document
from ..server.test_host_roots import Host
from ..server.test_roots_in_both_eras import at_a_host
from ..tasks.engines import an_engine
from ..tasks.scripted import ScriptedProvider
from ..tasks.test_engine import ACCEPTED, DONE, PNG

pytestmark = pytest.mark.anyio


async def test_a_path_that_begins_nowhere_is_said_to_be_looked_for_in_these_folders_and_what_counts_as_one(
    disk_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, project = disk_path / "ada", disk_path / "film"
    project.mkdir()
    home.mkdir()
    (home / "fox.png").write_bytes(PNG)
    monkeypatch.setenv("HOME", str(home))
    gateway = ScriptedProvider(answers=[ACCEPTED], facts_changes={"image_forms": ("url", "data")})
    async with (
        an_engine(disk_path / "home", gateway) as engine,
        at_a_host(engine, Host(home, project), "legacy") as client,
    ):
        asked = {"prompt": "x", "images": ["fox.png"]}
        shown = document(await client.call_tool("generate_image", asked))

    assert str(project) in str(shown["failure"])
    assert str(Path.cwd()) in str(shown["failure"])
    assert "whole path" in str(shown["failure"])
    assert "only if it is a project" in str(shown["failure"])


@pytest.mark.parametrize("query", ["!?", "…", "_", "🦊"])
async def test_a_query_without_a_word_is_refused_and_not_taken_for_none(query: str, disk_path: Path) -> None:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[DONE], downloads=[PNG])
    async with an_engine(disk_path, gateway) as engine, connected(engine) as client:
        await client.call_tool("generate_image", {"prompt": "a fox", "wait_seconds": 10})
        refused = document(await client.call_tool("list_tasks", {"query": query}))
        found = document(await client.call_tool("list_tasks", {"query": "fox!"}))
    assert "no word to search for" in str(refused["error"])
    assert "tasks" not in refused
    assert "a fox" in str(found)
