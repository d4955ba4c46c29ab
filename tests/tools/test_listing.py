"""What a host loads before anything is asked: the list of tools, byte by byte.

To accept changed schemas: UPDATE_SNAPSHOTS=1 pytest tests/tools/test_listing.py, then read the difference.
"""

import json
import os
import sys
from pathlib import Path

import pytest
from mcp import Client

from rushes.server.mcp.server import build_server
from rushes.tools import ALL_TOOLS, already

from .fake_service import FakeService

pytestmark = pytest.mark.anyio

SNAPSHOTS = Path(__file__).parent / "snapshots"
UPDATE = "UPDATE_SNAPSHOTS"

CEILINGS = {
    "generate_video": 2_000,
    "generate_image": 1_350,
    "generate_audio": 1_300,
    "check_task": 650,
    "view_output": 480,
    "assemble": 600,
    "list_tasks": 620,
    "cancel_task": 440,
    "list_models": 560,
}
"""Bytes of each tool in `tools/list`. Together they are more than the whole may be: what one takes, another leaves."""
CEILING = 7_600
"""Bytes of the whole answer; hosts load it into every conversation, and 8 KB are promised."""
CEILING_WITH_BLANKS = 8_192
"""The same where a host writes its JSON with blanks after commas and colons."""


def updating() -> bool:
    return os.environ.get(UPDATE) == "1"


async def listed(mode: str) -> dict[str, str]:
    """Each tool as it is sent, and the whole answer under the name `tools/list`."""
    async with Client(build_server(already(FakeService()), local_files=True), mode=mode) as client:
        answer = await client.list_tools()
    sent = answer.model_dump(mode="json", by_alias=True, exclude_none=True)
    tools = {tool["name"]: json.dumps(tool, separators=(",", ":"), ensure_ascii=False) for tool in sent["tools"]}
    assert len(json.dumps(sent)) <= CEILING_WITH_BLANKS
    return {**tools, "tools/list": json.dumps(sent, separators=(",", ":"), ensure_ascii=False)}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_list_of_tools_is_short_and_so_is_each_tool(mode: str, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = {name: len(text.encode()) for name, text in (await listed(mode)).items()}
    with capsys.disabled():
        sys.stdout.write("\n" + "".join(f"{size:6} {name}\n" for name, size in sizes.items()))

    over = {name: size for name, size in sizes.items() if size > {**CEILINGS, "tools/list": CEILING}[name]}
    assert over == {}


async def test_the_list_of_tools_is_the_same_each_time() -> None:
    assert await listed("auto") == await listed("auto")


@pytest.mark.parametrize("name", [spec.name for spec in ALL_TOOLS])
async def test_a_tool_is_as_its_snapshot_says(name: str) -> None:
    shown = json.dumps(json.loads((await listed("auto"))[name]), indent=2, ensure_ascii=False) + "\n"
    snapshot = SNAPSHOTS / f"{name}.json"
    if updating():
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_text(shown, encoding="utf-8")

    assert snapshot.is_file(), f"no snapshot of {name}: make it with {UPDATE}=1"
    assert shown == snapshot.read_text(encoding="utf-8")


def test_every_snapshot_has_its_tool() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.json")} == {spec.name for spec in ALL_TOOLS}
