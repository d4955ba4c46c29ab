"""The page of the design tells the truth: its rooms and files exist, and its walk is the way that a call takes."""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters

from rushes.server.settings.file import FileSettings, HttpTable, Inputs, LimitsTable, ProviderTable, ViewerTable
from rushes.tools import ALL_TOOLS
from tests.forks import as_command
from tests.gateways.client import RunningGateways

from .checkout import PARTS, ROOT, tracked_files

DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
PAGES = ("README.md", "CONTRIBUTING.md", "docs/design.md", "docs/durability.md", "docs/viewer.md")
EXAMPLE = re.compile(r"\b(?:test_)?ours\.")
"""A file of the gateway that CONTRIBUTING takes as its example."""

OTHER_PROCESS = {("tasks/previews/child.py", "main")}
"""Where a child of the server goes, which the record of the server does not see."""

Place = tuple[str, str]
"""A file, by its path in the repository, and a function in it."""


def walk() -> list[Place]:
    steps = DESIGN.split("<!-- walk -->")[1].split("<!-- end of the walk -->")[0]
    return re.findall(r"^\d+\. `(\S+)` · `(\w+)`: ", steps, re.MULTILINE)


def rooms() -> set[str]:
    """The folders that hold code of the package."""
    return {folder for part in PARTS for folder in _folders(ROOT / part)}


def _folders(top: Path) -> Iterator[str]:
    for file in top.rglob("__init__.py"):
        yield file.parent.relative_to(ROOT).as_posix()


def drawn_rooms() -> set[str]:
    """The rooms in the plan: parts at the margin, their rooms below them."""
    plan = DESIGN.split("## The rooms")[1].split("##")[0]
    drawn: set[str] = set()
    part = ""
    for indent, name in re.findall(r"^    (  )?(\w+)/ ", plan, re.MULTILINE):
        part = part if indent else name
        drawn.add(f"{part}/{name}" if indent else name)
    return drawn


def test_the_plan_shows_every_room() -> None:
    inner = {"providers/sandbox/drawing"}
    data = {"providers/facts"}
    assert drawn_rooms() == (rooms() - inner) | data


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    named = re.findall(r"`((?:\w+/)+(?:[\w-]+\.[a-z]+)?)`", (ROOT / page).read_text(encoding="utf-8"))
    ours = [path for path in named if path.split("/")[0] in {*PARTS, "docs", "tests"} and "artefacts/" not in path]
    assert ours or page == "README.md"
    assert [path for path in ours if not (ROOT / path).exists() and not EXAMPLE.search(path)] == []


def test_the_page_names_every_tool_and_every_setting_of_the_file() -> None:
    settings = [
        name
        for table in (FileSettings, ProviderTable, Inputs, ViewerTable, HttpTable, LimitsTable)
        for name in table.model_fields
    ]
    tables = {"providers", "inputs", "viewer", "http", "limits", "prices", "budget"}
    shown_by_their_tables = {*tables, "home", "output_dir", "log_level"}
    how_to_upload = {name for name in Inputs.model_fields if name.startswith("upload_")} - {"upload_url"}
    named = [tool.name for tool in ALL_TOOLS] + sorted(set(settings) - shown_by_their_tables - how_to_upload)
    assert [name for name in named if f"`{name}`" not in DESIGN and f" {name}`" not in DESIGN] == []


def test_the_walk_names_each_room_once() -> None:
    walked = [str(Path(file).parent) for file, _ in walk()]
    beside = {
        "providers/sandbox",
        "providers/sandbox/drawing",
        "server/commands",
        "server/doctor",
        "server/web",
        "tasks/films",
    }
    assert sorted(walked) == sorted(rooms() - beside)


@pytest.mark.anyio
async def test_a_call_takes_the_way_of_the_walk(gateways: RunningGateways, tmp_path: Path) -> None:
    steps = walk()
    entered = tmp_path / "entered"
    environment = {
        **gateways.only("apixo"),
        "RUSHES_HOME": str(tmp_path / "home"),
        "WALK_FILE": str(entered),
        "WALK_PLACES": "\n".join(" ".join(step) for step in steps),
    }
    program, words = as_command("tests.house.walked", "serve")
    command = StdioServerParameters(command=program, args=words, env=environment)
    arguments = {"prompt": "a red fox in snow [polls:1] [look-after:0.1]", "provider": "apixo", "wait_seconds": 45}
    with anyio.fail_after(60):
        async with Client(command) as client:
            await client.call_tool("list_models", {})  # until the engine is open, which is no part of a call's way
            answer = await client.call_tool("generate_video", arguments)
    assert answer.structured_content is not None
    assert answer.structured_content["state"] == "succeeded", answer
    lines = entered.read_text(encoding="utf-8").split("\n")
    assert missed(steps, [each for each, _ in groupby(tuple(line.split()) for line in lines)]) is None


def missed(steps: list[Place], entries: list[tuple[str, ...]]) -> Place | None:
    """The first step that was not entered after the one before it."""
    left = iter(entries)
    return next((step for step in steps if step not in OTHER_PROCESS and step not in left), None)


CITATIONS = re.compile(
    r"\(design[ ,§)]|design §|\(facts:(?! \w*Facts)|\bspecs/\w|facts/[\w-]+\.md|\bissue[- ]\d",
    re.IGNORECASE,
)
"""Pages that a reader of the repository does not have, in the ways in which they were cited once."""


def test_nothing_cites_a_page_that_a_reader_does_not_have() -> None:
    mine = Path(__file__).resolve()
    texts = {file: file.read_text(encoding="utf-8") for file in tracked_files() if file.suffix in {".py", ".toml"}}
    found = [
        f"{file.relative_to(ROOT)}: {match.group()}"
        for file, text in texts.items()
        if file != mine
        for match in CITATIONS.finditer(text)
    ]
    assert found == []


def test_the_pages_of_the_repository_that_comments_cite_exist() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {page}"
        for file in tracked_files()
        if file.suffix == ".py"
        for page in re.findall(r"\bdocs/[\w-]+\.md\b", file.read_text(encoding="utf-8"))
        if not (ROOT / page).exists()
    ]
    assert found == []
