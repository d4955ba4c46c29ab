"""A scripted agent: it calls the tools as a host does, and what it reads is counted."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from mcp import Client
from mcp_types import ImageContent, TextContent
from pydantic import JsonValue, SecretStr, TypeAdapter

from rushes.cache.media.decoder import Decoder
from rushes.cache.media.folder import MediaFolder
from rushes.providers.local import LocalProvider
from rushes.providers.registry import build_provider, default_settings
from rushes.server.assembly import DECODING
from rushes.tasks.engine import Limits
from rushes.tasks.films.rendering import FilmRenderer
from rushes.tasks.intake.routing import Configured

from ..previews.here import measure_here
from ..server.clients import connected
from ..tasks.engines import an_engine
from .keys import GATEWAYS

Document = dict[str, JsonValue]
DOCUMENT = TypeAdapter(Document)
DOCUMENTS = TypeAdapter(list[Document])

JOB_SECONDS = 60


@dataclass
class ScriptedAgent:
    """One agent with one client. `calls` are tool calls; `bytes` the text of their answers, pictures apart."""

    client: Client
    calls: int = 0
    bytes: int = 0
    pictures: int = 0
    answers: list[Document] = field(default_factory=list[Document])

    async def call(self, tool: str, **arguments: JsonValue) -> Document:
        """Call a tool; its document, or an empty one for a picture."""
        self.calls += 1
        result = await self.client.call_tool(tool, arguments)
        self.pictures += sum(isinstance(content, ImageContent) for content in result.content)
        texts = [content.text for content in result.content if isinstance(content, TextContent)]
        self.bytes += sum(len(text.encode()) for text in texts)
        shown = DOCUMENT.validate_python(json.loads(texts[0])) if texts and texts[0].startswith("{") else {}
        self.answers.append(shown)
        return shown

    async def made(self, tool: str, **arguments: JsonValue) -> str:
        """Call a generating tool; the id of its task.

        Raises:
            AssertionError: there is none.
        """
        shown = await self.call(tool, **arguments)
        assert "task_id" in shown, shown
        return str(shown["task_id"])


def simulated(environment: Mapping[str, str]) -> list[Configured]:
    """The five gateways as the simulator offers them, and the sandbox."""
    made: list[Configured] = []
    for settings in default_settings():
        if settings.name in GATEWAYS:
            prefix = settings.name.upper()
            key, base_url = environment[f"{prefix}_API_KEY"], environment[f"{prefix}_BASE_URL"]
            settings = settings.model_copy(update={"api_key": SecretStr(key), "base_url": base_url})
        made.append(Configured(build_provider(settings), has_key=not settings.keyless))
    return made


@asynccontextmanager
async def a_workshop(home: Path) -> AsyncGenerator[Configured]:
    """What makes films of the files that are kept in this home."""
    media = MediaFolder(home / "outputs", measure_here)
    async with Decoder.opened(DECODING) as decoder:
        renderer = FilmRenderer(media.files, decoder, bytes_max=Limits().download_bytes_max)
        async with LocalProvider.opened(renderer, home / "films") as local:
            yield Configured(local)


@asynccontextmanager
async def an_agent(home: Path, environment: Mapping[str, str]) -> AsyncGenerator[ScriptedAgent]:
    """An agent of a server over the simulated gateways, which makes no one wait."""
    entries = simulated(environment)
    try:
        with anyio.fail_after(JOB_SECONDS):
            async with (
                a_workshop(home) as workshop,
                an_engine(home, *entries, workshop) as engine,
                connected(engine) as client,
            ):
                yield ScriptedAgent(client)
    finally:
        with anyio.CancelScope(shield=True):
            for entry in entries:
                await entry.provider.aclose()
