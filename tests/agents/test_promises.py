"""Whatever `list_models` says that a model takes, a dry run of the tool takes: for every row of every facts file."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import SecretStr

from rushes.domain.model_facts import ModelFacts
from rushes.domain.principal import LOCAL
from rushes.domain.request import Kind
from rushes.providers.provider import Provider, ProviderSettings
from rushes.providers.registry import ALIASES, build_provider
from rushes.tasks.intake.routing import Configured
from rushes.tools import GENERATE_AUDIO, GENERATE_IMAGE, GENERATE_VIDEO, ToolContext, already, call_tool

from ..tasks.engines import an_engine
from .keys import GATEWAYS, NOBODY, configured
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


OWN = "own-server"
"""A server in the format of OpenAI's Videos API, as a person configures one."""

WIRES = {**{name: ALIASES.get(name, name) for name in (*GATEWAYS, "sandbox")}, OWN: "openai-videos"}
"""Who is asked, and whose facts file that is."""


def of_a_person() -> list[Configured]:
    settings = ProviderSettings(name=OWN, wire=WIRES[OWN], base_url=NOBODY, api_key=SecretStr("a-key"))
    return [Configured(build_provider(settings), has_key=True)]


def test_every_facts_file_is_tried() -> None:
    names = {file.name for file in files("rushes.providers").joinpath("facts").iterdir()}
    assert {name.removesuffix(".toml") for name in names if name.endswith(".toml")} == {*WIRES.values()}


@pytest.mark.parametrize("name", WIRES)
async def test_each_promise_of_each_row_is_kept_by_the_tool(tmp_path: Path, name: str) -> None:
    entries = of_a_person() if name == OWN else configured([name])
    provider = next(entry.provider for entry in entries if entry.provider.name == name)
    broken: list[str] = []
    made = 0
    async with an_engine(tmp_path, *entries) as engine:
        context = ToolContext(opened=already(engine), principal=LOCAL)
        for row in (*provider.models(), *_unlisted(provider)):
            for call in promised(row):
                made += 1
                arguments = {**call, "provider": name, "dry_run": True}
                shown = await answered(context, row.kind, arguments)
                if "payload" not in shown:
                    broken.append(f"{row.name}: {call}: {shown}")
    assert broken == []
    assert made > len(provider.models())


def _unlisted(provider: Provider) -> Iterator[ModelFacts]:
    """Models that no facts file names, as a server of a person has them; the gateways' own tests have theirs."""
    kinds: tuple[Kind, ...] = ("video", "image", "audio")
    for kind in kinds if provider.name == OWN else ():
        if (row := provider.unlisted_model(f"a-model-for-{kind}", kind)) is not None:
            yield row
