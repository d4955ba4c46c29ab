"""Engines in a home, with a gateway that delivers in its answer."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from pydantic import SecretStr

from rushes.cache.embedded.store import TaskStore
from rushes.cache.media.decoder import Decoder
from rushes.cache.media.folder import MediaFolder
from rushes.cache.workers.leases import ProcessLease
from rushes.cache.workers.timers import queue_in_memory
from rushes.domain.principal import LOCAL
from rushes.domain.record import SCHEMA, TaskRecord
from rushes.providers.provider import Provider, ProviderSettings
from rushes.providers.registry import build_provider
from rushes.server.assembly import DECODING
from rushes.tasks.clock import SystemClock
from rushes.tasks.engine import Engine, Limits, Parts
from rushes.tasks.intake.routing import Configured
from rushes.tasks.migrations import MIGRATIONS
from rushes.tasks.ports import Clock
from rushes.tasks.service import Wish

from ..clocks import a_moment
from ..previews.here import measure_here
from ..tasks.engines import a_wish

LIMITS = Limits(shutdown_grace_seconds=0.1, takeover_seconds=0.05)


def llmgateway(url: str) -> Provider:
    """LLMGateway at that address."""
    settings = ProviderSettings(
        name="llmgateway", wire="llmgateway", base_url=url, api_key=SecretStr("llmgtwy_0123456789")
    )
    return build_provider(settings)


def pictures(count: int, prompt: str = "a red fox") -> Wish:
    """So many pictures in one answer."""
    return a_wish(prompt, kind="image", model="gemini-3-pro-image", count=count)


def speech() -> Wish:
    """A sound in the answer."""
    return a_wish("once upon a time", kind="audio", model="eleven-flash-v2-5")


@asynccontextmanager
async def home(
    folder: Path, provider: Provider, media: MediaFolder | None = None, *, clock: Clock | None = None
) -> AsyncGenerator[Engine]:
    """An engine over what is in `folder`; outputs go to `outputs` in it unless `media` says otherwise."""
    cache = folder / "cache"
    async with (
        TaskStore.opened(cache, schema=SCHEMA, migrations=MIGRATIONS) as store,
        ProcessLease.held(cache) as lease,
        Decoder.opened(DECODING) as decoder,
    ):
        kept = media or MediaFolder(folder / "outputs", measure_here)
        parts = Parts(
            store=store,
            lease=lease,
            queue=queue_in_memory,
            media=kept,
            decoder=decoder,
            providers=[Configured(provider)],
            limits=LIMITS,
            clock=clock or SystemClock(),
        )
        try:
            async with Engine.opened(parts) as engine:
                yield engine
        finally:
            await provider.aclose()


async def ended(engine: Engine, wish: Wish) -> TaskRecord:
    """The record of a generation, once it is final."""
    answer = await engine.generate(wish, answer_within_seconds=30)
    return await engine.wait(answer.record.task_id, seconds=30, principal=LOCAL)


async def newest(engine: Engine) -> TaskRecord:
    """The one task of a home, once it is final."""
    (record,) = (await engine.list_tasks(principal=LOCAL)).records
    return await engine.wait(record.task_id, seconds=30, principal=LOCAL)


async def gone(folder: Path, pattern: str) -> None:
    """Wait until no file is called so."""
    with anyio.fail_after(10):
        while list(folder.glob(pattern)):
            await a_moment()
