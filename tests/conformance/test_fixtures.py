"""What the run of the suite rests on: the fixtures it asks for are there, and each expected failure has its reason."""

from pathlib import Path

import anyio
import pytest
from mcp import Client

from ..server.clients import ERAS
from ..tools.fake_service import FakeService
from .__main__ import SERVERS, WIRES
from .everything import everything
from .jobs import MAKES_TASKS
from .questions import ROUNDS

EXPECTED = Path(__file__).parent / "expected"
FILES = [EXPECTED / f"{server}-{wire}.yml" for server in SERVERS for wire in WIRES]


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_each_expected_failure_stands_below_its_reason(path: Path) -> None:
    reason = False
    for line in path.read_text(encoding="utf-8").partition("server:")[2].splitlines():
        if line.startswith("  #"):
            reason = True
        elif line.startswith("  - "):
            assert reason, f"{line.strip()} has no reason above it"
        else:
            reason = False


def test_no_file_of_expected_failures_is_left_over() -> None:
    assert sorted(EXPECTED.iterdir()) == sorted(FILES)


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_the_suites_fixtures_are_served(era: str) -> None:
    with anyio.fail_after(20):
        async with Client(everything(FakeService()), mode=era) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            prompts = {prompt.name for prompt in (await client.list_prompts()).prompts}
            resources = {str(resource.uri) for resource in (await client.list_resources()).resources}

    assert tools >= MAKES_TASKS | {f"test_input_required_result_{name}" for name in ROUNDS}
    assert prompts >= {"storyboard", "test_simple_prompt", "test_input_required_result_prompt"}
    assert resources >= {"rushes://models", "test://static-text", "test://static-binary"}
