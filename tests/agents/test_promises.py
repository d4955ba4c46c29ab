"""Whatever `list_models` says that a model takes, a dry run of the tool takes: for every row of every facts file."""

from pathlib import Path

import pytest

from rushes.domain.principal import LOCAL
from rushes.tools import ALL_TOOLS, ToolContext, already, call_tool

from ..tasks.engines import an_engine
from .keys import GATEWAYS, configured
from .promises import promised

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", [*GATEWAYS, "sandbox"])
async def test_each_promise_of_each_row_is_kept_by_the_tool(tmp_path: Path, name: str) -> None:
    entries = configured([name])
    provider = next(entry.provider for entry in entries if entry.provider.name == name)
    broken: list[str] = []
    made = 0
    tools = {spec.kind: spec for spec in ALL_TOOLS if spec.kind is not None}
    async with an_engine(tmp_path, *entries) as engine:
        context = ToolContext(opened=already(engine), principal=LOCAL)
        for facts in provider.models():
            for call in promised(facts):
                made += 1
                arguments = {**call, "provider": name, "dry_run": True}
                shown = (await call_tool(tools[facts.kind], context, arguments)).document
                if "payload" not in shown:
                    broken.append(f"{facts.name}: {call}: {shown}")
    assert broken == []
    assert made > len(provider.models())
