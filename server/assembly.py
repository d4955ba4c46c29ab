"""Puts the parts together: settings, providers, store, engine. The only place that knows all of them."""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from ..cache.embedded.store import TaskStore
from ..cache.hook_key import hook_key
from ..cache.media.decoder import Decoder
from ..cache.media.folder import MediaFolder
from ..cache.media.measuring import Measuring
from ..cache.receipts import Receipts
from ..cache.workers.leases import ProcessLease
from ..cache.workers.nudges import NudgeFolder
from ..cache.workers.timers import queue_in_memory
from ..domain.errors import ConfigurationError
from ..domain.record import SCHEMA
from ..domain.unwrapping import unwrapped
from ..providers.client.upload_client import UploadClient
from ..providers.local import LocalProvider
from ..providers.provider import Provider, ProviderSettings, ReadsHooks
from ..providers.registry import build_provider
from ..tasks.clock import SystemClock
from ..tasks.engine import Engine, Limits, Parts
from ..tasks.films.rendering import FilmRenderer
from ..tasks.hook_desk import HookDesk
from ..tasks.hook_ports import HookParts
from ..tasks.hooked import reading
from ..tasks.intake.routing import Configured
from ..tasks.migrations import MIGRATIONS
from ..tasks.work.hook_silence import HookSilence
from .settings.providers import problem_with
from .settings.settings import Settings

logger = logging.getLogger(__name__)

DECODING = f"{__name__.partition('.')[0]}.tasks.previews.child"
"""The module of the process that decodes."""


@dataclass(frozen=True)
class OpenedProvider:
    """A provider, how it is configured, and what keeps it from being used."""

    settings: ProviderSettings
    provider: Provider
    problem: str | None


@dataclass(frozen=True)
class OpenedProviders:
    """All providers in configured order, and by name why some could not be made."""

    opened: tuple[OpenedProvider, ...]
    faults: Mapping[str, str]


@asynccontextmanager
async def open_engine(settings: Settings, *, any_local_file: bool = False) -> AsyncGenerator[Engine]:
    """The service, working until the end of the block.

    Args:
        settings: From `preparation.prepared_settings`.
        any_local_file: Whether local media may lie anywhere, as on the command line, where a person names them.

    Raises:
        StoreError: the store cannot be used.
    """
    with unwrapped():
        async with AsyncExitStack() as stack:
            providers = await stack.enter_async_context(open_providers(settings))
            store = await stack.enter_async_context(open_store(settings))
            receipts = await stack.enter_async_context(open_receipts(settings))
            lease = await stack.enter_async_context(ProcessLease.held(settings.cache_dir))
            # Two, so that nobody's long look holds up what is to be kept.
            measuring = await stack.enter_async_context(Decoder.opened(DECODING))
            media = MediaFolder(
                settings.output_dir,
                Measuring(measuring),
                fallback=settings.home / "outputs",
                free_bytes_min=settings.limits.disk_free_min,
            )
            local = await stack.enter_async_context(open_local(media, settings))
            parts = Parts(
                store=store,
                lease=lease,
                queue=queue_in_memory,
                receipts=receipts,
                media=media,
                decoder=await stack.enter_async_context(Decoder.opened(DECODING)),
                providers=[
                    Configured(each.provider, each.problem, has_key=each.settings.api_key is not None)
                    for each in providers.opened
                ]
                + [Configured(local)],
                input_roots=(Path(Path.cwd().anchor),) if any_local_file else settings.input_roots,
                hooks=await open_hooks(settings),
                uploader=None if settings.upload is None else UploadClient(settings.upload),
                prices=settings.prices,
                budgets=settings.budgets,
                limits=Limits(
                    keep_outputs=settings.limits.keep_outputs,
                    download_bytes_max=settings.limits.download_bytes_max,
                    tasks_polled_at_once=settings.limits.tasks_polled_at_once,
                    downloads_at_once=settings.limits.downloads_at_once,
                    hold_seconds_max=settings.limits.hold_seconds_max,
                    hold_tries_max=settings.limits.hold_tries_max,
                    shutdown_grace_seconds=settings.limits.shutdown_grace_seconds,
                ),
            )
            yield await stack.enter_async_context(Engine.opened(parts))


@asynccontextmanager
async def open_local(media: MediaFolder, settings: Settings) -> AsyncGenerator[LocalProvider]:
    """What makes films. Its process is one of its own: a film takes long, and nobody's look waits for it."""
    async with Decoder.opened(DECODING) as workshop:
        renderer = FilmRenderer(media.files, workshop, bytes_max=settings.limits.download_bytes_max)
        async with LocalProvider.opened(renderer, settings.cache_dir / "films") as local:
            yield local


@asynccontextmanager
async def open_providers(settings: Settings) -> AsyncGenerator[OpenedProviders]:
    """All providers, closed at the end of the block; one that cannot be made never stops the others."""
    opened: list[OpenedProvider] = []
    faults: dict[str, str] = {}
    for each in settings.providers:
        try:
            provider = build_provider(_with_folder(each, settings))
        except ConfigurationError as error:
            logger.warning("provider left out", extra={"provider": each.name, "problem": error.message})
            faults[each.name] = error.message
        else:
            opened.append(OpenedProvider(each, provider, problem_with(each)))
    try:
        yield OpenedProviders(tuple(opened), faults)
    finally:
        with anyio.CancelScope(shield=True):
            for made in opened:
                await made.provider.aclose()


def _with_folder(provider: ProviderSettings, settings: Settings) -> ProviderSettings:
    """What a provider needs for its unfinished jobs survives a restart, as they do."""
    return provider.model_copy(
        update={"work_folder": settings.cache_dir / provider.name, "public_url": settings.public_url}
    )


async def open_hooks(settings: Settings) -> HookParts | None:
    """What hooks need; `None` where no gateway is to call back.

    Raises:
        StoreError: their key can be neither read nor made.
    """
    if settings.public_url is None:
        return None
    key = await anyio.to_thread.run_sync(hook_key, settings.hooks_dir)
    return HookParts(key, NudgeFolder(settings.hooks_dir / "nudges"))


@asynccontextmanager
async def open_hook_desk(settings: Settings) -> AsyncGenerator[HookDesk]:
    """Where hooks arrive without an engine beside: other processes of the home work on the tasks, and are told.

    Raises:
        ConfigurationError: no address is set at which gateways could call.
        StoreError: the store cannot be used.
    """
    hooks = await open_hooks(settings)
    if hooks is None:
        raise ConfigurationError(
            "no gateway calls back, as no public address is set",
            hint="Set http.public_url in rushes.toml, or RUSHES_PUBLIC_URL, to the address of a tunnel to this port.",
        )
    async with open_providers(settings) as providers, open_store(settings) as store:
        clock = SystemClock()
        readers = {each.provider.name: each.provider for each in providers.opened}

        yield HookDesk(
            hooks.key,
            {name: reader for name, reader in readers.items() if isinstance(reader, ReadsHooks)},
            clock,
            HookSilence(store, clock),
            read=reading(store),
            hear=hooks.nudges.leave,
        )


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncGenerator[TaskStore]:
    """The task store.

    Raises:
        StoreError: it cannot be used.
    """
    async with TaskStore.opened(settings.cache_dir, schema=SCHEMA, migrations=MIGRATIONS) as store:
        yield store


def open_receipts(settings: Settings) -> AbstractAsyncContextManager[Receipts]:
    """The receipts of accepted jobs: beside the store's folder, so that what happens to that spares them."""
    return Receipts.opened(settings.cache_dir.with_name("receipts"))


def open_media(settings: Settings) -> MediaFolder:
    """The folder of kept outputs, to read in: nothing that is kept in it is measured."""
    return MediaFolder(settings.output_dir, fallback=settings.home / "outputs")
