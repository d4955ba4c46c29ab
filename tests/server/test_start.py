"""The start of `rushes serve` over stdio, which hosts wait for: what it loads, and what it can be without."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from pydantic import TypeAdapter

from .clients import ERAS, Document, document

HEAVY = {
    "av",
    "diskcache",
    "filelock",
    "httpx",
    "numpy",
    "PIL",
    "rich.console",
    "rushes.providers.fact_files",
    "rushes.providers.client.gateway",
    "rushes.providers.sandbox",
    "rushes.server.transports.http",
    "rushes.tasks.engine",
    "sqlite3",
    "starlette",
    "typer",
    "ulid",
    "uvicorn",
}
"""What takes long to load and is not needed to tell the tools where no variable is set."""


def loaded_by(server: str) -> set[str]:
    """The modules of a fresh process that serves over stdio and has just told its tools."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.server.loaded", server],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("RUSHES_")},
    )
    _, marker, names = run.stderr.partition("loaded:\n")
    assert marker, run.stderr
    return set(names.split())


def test_nothing_heavy_is_loaded_to_tell_the_tools_but_what_the_sdk_itself_loads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    loaded = loaded_by("rushes")

    assert "rushes.tools.toolbox" in loaded
    assert sorted(HEAVY & loaded - loaded_by("sdk")) == []


def test_the_names_of_what_is_heavy_are_right() -> None:
    names = [name for name in sorted(HEAVY) if name != "numpy"]
    code = f"from importlib.util import find_spec\nprint([name for name in {names} if find_spec(name) is None])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_with_a_store_that_cannot_be_opened_the_tools_say_so(era: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file where a folder should be")
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "rushes", "serve"], env={"RUSHES_HOME": str(home)}
    )
    async with Client(command, mode=era, read_timeout_seconds=60) as client:
        assert (await client.list_tools()).tools
        result = await client.call_tool("generate_image", {"prompt": "a red fox"})

    assert result.is_error
    assert failure_in(document(result)) == ("internal", "no")


def failure_in(shown: Document) -> tuple[object, object]:
    """Reason and money state."""
    failure = TypeAdapter(Document).validate_python(shown["failure"])
    return failure["reason"], failure["charged"]
