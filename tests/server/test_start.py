"""The start of `rushes serve` over stdio, which hosts wait for: what it loads, and what it can be without."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from pydantic import TypeAdapter

from ..forks import as_command
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
    "rushes.providers.format",
    "rushes.providers.sandbox",
    "rushes.server.transports.http",
    "rushes.tasks.engine",
    "rushes.tasks.money",
    "rushes.tasks.ports",
    "sqlite3",
    "starlette",
    "typer",
    "ulid",
    "uvicorn",
}
"""What takes long to load and is not needed to tell the tools where no variable is set."""

BUILT_TO_TELL_THE_TOOLS = (
    "rushes.domain.value.Value",
    "rushes.providers.provider.ProviderSettings",
    "rushes.server.",
    "rushes.tools.arguments.",
    *(f"rushes.tools.{family}." for family in ("assemble", "follow", "generate", "models", "view")),
)
"""Models that check the settings or make the tools' schemas: no record, no answer, no gateway's JSON."""


@dataclass(frozen=True)
class Loaded:
    """What a process has loaded."""

    modules: frozenset[str]
    built: frozenset[str]
    """Pydantic models that can check values by then."""


@cache
def loaded_by(server: str) -> Loaded:
    """The state of a fresh process that serves over stdio, in an empty home, and has just told its tools."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("RUSHES_")}
    with tempfile.TemporaryDirectory() as home:
        run = subprocess.run(
            [sys.executable, "-m", "tests.server.loaded", server],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
            env={**own, "XDG_DATA_HOME": home},
        )
    _, marker, told = run.stderr.partition("loaded:\n")
    assert marker, run.stderr
    names, marker, models = told.partition("built:\n")
    assert marker, run.stderr
    return Loaded(frozenset(names.split()), frozenset(models.splitlines()))


def test_nothing_heavy_is_loaded_to_tell_the_tools_but_what_the_sdk_itself_loads() -> None:
    loaded = loaded_by("rushes").modules

    assert "rushes.tools.toolbox" in loaded
    assert sorted(HEAVY & loaded - loaded_by("sdk").modules) == []


def test_of_our_models_only_the_tools_arguments_and_the_settings_are_built_to_tell_the_tools() -> None:
    built = {name for name in loaded_by("rushes").built if name.startswith("rushes.")}

    assert "rushes.tools.generate.GenerateVideo" in built
    assert sorted(name for name in built if not name.startswith(BUILT_TO_TELL_THE_TOOLS)) == []
    assert not any(name.startswith("rushes.server.settings.file.") for name in built)


def test_of_the_sdks_models_a_small_part_is_built_to_tell_the_tools() -> None:
    ours, theirs = (
        {name for name in loaded_by(server).built if name.startswith(("mcp.", "mcp_types."))}
        for server in ("rushes", "sdk")
    )
    assert "mcp_types._types.ListToolsResult" in ours
    assert len(ours) < len(theirs) / 3, (len(ours), len(theirs))


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
    program, arguments = as_command("rushes", "serve")
    command = StdioServerParameters(command=program, args=arguments, env={"RUSHES_HOME": str(home)})
    async with Client(command, mode=era, read_timeout_seconds=60) as client:
        assert (await client.list_tools()).tools
        result = await client.call_tool("generate_image", {"prompt": "a red fox"})

    assert result.is_error
    assert failure_in(document(result)) == ("internal", "no")


def failure_in(shown: Document) -> tuple[object, object]:
    """Reason and money state."""
    failure = TypeAdapter(Document).validate_python(shown["failure"])
    return failure["reason"], failure["charged"]
