"""Whatever `list_models` says that a model takes, a dry run of the tool takes: for every row of every facts file."""

from pathlib import Path

import pytest

from rushes.domain.principal import LOCAL
from rushes.domain.request import Kind
from rushes.tools import GENERATE_AUDIO, GENERATE_IMAGE, GENERATE_VIDEO, ToolContext, already, call_tool

from ..tasks.engines import an_engine
from .keys import GATEWAYS, configured
from .promises import Call, promised

pytestmark = pytest.mark.anyio


async def answered(context: ToolContext, kind: Kind, arguments: Call) -> Call:
    """What the tool of this kind answers."""
    match kind:
        case "video":
            return (await call_tool(GENERATE_VIDEO, context, arguments)).document
        case "image":
            return (await call_tool(GENERATE_IMAGE, context, arguments)).document
        case "audio":
            return (await call_tool(GENERATE_AUDIO, context, arguments)).document


@pytest.mark.parametrize("name", [*GATEWAYS, "sandbox"])
async def test_each_promise_of_each_row_is_kept_by_the_tool(tmp_path: Path, name: str) -> None:
    entries = configured([name])
    provider = next(entry.provider for entry in entries if entry.provider.name == name)
    broken: list[str] = []
    made = 0
    async with an_engine(tmp_path, *entries) as engine:
        context = ToolContext(opened=already(engine), principal=LOCAL)
        for facts in provider.models():
            for call in promised(facts):
                made += 1
                arguments = {**call, "provider": name, "dry_run": True}
                shown = await answered(context, facts.kind, arguments)
                if "payload" not in shown:
                    broken.append(f"{facts.name}: {call}: {shown}")
    assert broken == []
    assert made > len(provider.models())
