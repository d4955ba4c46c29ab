"""A process that does a engine's work over the real store, lease, files and HTTP, and ends where its fuse says."""

import resource
import signal
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import anyio

from rushes.cache.embedded.store import TaskStore
from rushes.cache.hook_key import hook_key
from rushes.cache.receipts import Receipts
from rushes.cache.workers.leases import LeaseTimes, ProcessLease
from rushes.cache.workers.nudges import NudgeFolder
from rushes.cache.workers.timers import queue_in_memory
from rushes.domain.budget import Budget
from rushes.domain.money import Price
from rushes.domain.principal import LOCAL
from rushes.domain.record import SCHEMA, TaskRecord
from rushes.domain.request import Kind
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.fact_files import load_facts
from rushes.providers.provider import Provider
from rushes.providers.registry import default_settings, format_class
from rushes.providers.sandbox import SandboxProvider
from rushes.tasks.engine import Engine, Limits, Parts
from rushes.tasks.hook_ports import HookParts
from rushes.tasks.intake.routing import Configured
from rushes.tasks.journal import from_document
from rushes.tasks.migrations import MIGRATIONS
from rushes.tasks.money.ledger import BOOK
from rushes.tasks.service import MediaSource, Wish

from ..clocks import MachineClock
from ..previews.here import DecoderHere
from .fuse import Fuse, Tell
from .orders import Called, Order, Reached, Report
from .seams import DyingFolder, DyingProvider, DyingTransport, dying_store

ALL = 1000
TIMEOUT_SECONDS = 10.0

PRICE = Price(per_request=Decimal(1))
"""Of every default model, where its gateway lists none: what is reserved can then be told from nothing."""
AMPLE = Budget(per_day=Decimal(1_000_000), per_month=Decimal(1_000_000))
"""Held against at each journal entry, and never used up."""


def prices_of(providers: Iterable[Provider]) -> dict[str, Price]:
    """The price of each kind's default model."""
    kinds: tuple[Kind, ...] = ("video", "image", "audio")
    models = ((each.name, each.default_model(kind)) for each in providers for kind in kinds)
    return {f"{name}/{model}": PRICE for name, model in models if model is not None}


def real_provider(reached: Reached, home: Path, fuse: Fuse, public_url: str | None = None) -> Provider:
    """The real adapter of a gateway, over the real HTTP stack."""
    if reached.gateway == "sandbox":
        return SandboxProvider(home / "cache" / "sandbox")
    known = next(each for each in default_settings() if each.name == reached.gateway)
    settings = known.model_copy(
        update={
            "base_url": reached.base_url,
            "api_key": reached.api_key,
            "timeout_seconds": TIMEOUT_SECONDS,
            "public_url": public_url,
        }
    )
    wire = format_class(settings.wire)(settings)
    return HttpProvider(settings, wire, load_facts(settings.wire), transport=DyingTransport(fuse))


def hook_parts(home: Path) -> HookParts:
    """What all processes of a home have in common for hooks."""
    return HookParts(hook_key(home / "hooks"), NudgeFolder(home / "hooks" / "nudges"), watch_seconds=0.1)


@asynccontextmanager
async def opened(order: Order, fuse: Fuse) -> AsyncGenerator[tuple[Engine, TaskStore]]:
    """The engine with its parts, in the order in which rushes opens and closes them."""
    times = LeaseTimes(order.beat_seconds, order.silent_seconds, confirm_seconds=0.4 * order.silent_seconds)
    async with AsyncExitStack() as stack:
        providers = [
            DyingProvider(real_provider(each, order.home, fuse, order.public_url), fuse)
            for each in (order, *order.further)
        ]
        for provider in providers:
            stack.push_async_callback(provider.aclose)
        cache = order.home / "cache"
        store = await stack.enter_async_context(
            dying_store(fuse).opened(cache, schema=SCHEMA, migrations=MIGRATIONS, timeout_seconds=10)
        )
        lease = await stack.enter_async_context(ProcessLease.held(cache, times=times))
        receipts = Receipts.opened(order.home / "receipts") if order.receipts else None
        parts = Parts(
            receipts=None if receipts is None else await stack.enter_async_context(receipts),
            store=store,
            lease=lease,
            queue=queue_in_memory,
            media=DyingFolder(order.home / "outputs", fuse),
            decoder=DecoderHere(),
            hooks=None if order.public_url is None else hook_parts(order.home),
            providers=[Configured(provider) for provider in providers],
            limits=Limits(
                shutdown_grace_seconds=0.1,
                takeover_seconds=order.takeover_seconds,
                download_bytes_max=order.download_bytes_max,
            ),
            prices=prices_of(providers) if order.prices is None else order.prices,
            budgets=[AMPLE],
            clock=MachineClock(timedelta(seconds=order.clock_ahead_seconds), file=order.clock_file),
        )
        yield await stack.enter_async_context(Engine.opened(parts)), store


class Life:
    """What a worker does between its start and its end."""

    def __init__(self, order: Order, engine: Engine, store: TaskStore, tell: Tell) -> None:
        self._order = order
        self._studio = engine
        self._store = store
        self._tell = tell
        self._called: list[Called] = []

    async def live(self) -> None:
        """Do the errands, then wait until nothing is left to do."""
        await self._call_at_once()
        if self._order.follows is not None:
            source = MediaSource("image", f"task:{self._called[0].task_id}#1")
            await self._call(replace(self._order.follows.wish, media=(source,)))
        if self._order.cancel != "no":
            await self._cancel()
        if self._order.until == "told":
            await anyio.sleep_forever()
        await self._rest()
        if self._order.call_again:
            await self._call()
            await self._rest()
        assert await self._store.wrong_sums() == 0
        ledger = {line.key: line.value for line in await self._store.lines(BOOK, limit=ALL)}
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        report = Report(calls=self._called, records=await self._records(), ledger=ledger, peak_bytes=peak)
        self._order.report.write_text(report.model_dump_json(by_alias=True), encoding="utf-8")

    async def _call_at_once(self) -> None:
        if self._order.on_signal:
            with anyio.open_signal_receiver(signal.SIGUSR1) as signals:
                self._tell("ready")
                await anext(signals)
        async with anyio.create_task_group() as group:
            for _ in range(self._order.calls):
                group.start_soon(self._call)
            for further in self._order.besides:
                group.start_soon(self._call, further.wish)
        self._tell("answered")

    async def _call(self, wish: Wish | None = None) -> None:
        answer = await self._studio.generate(wish or self._order.wish)
        record = answer.record
        called = Called(task_id=record.task_id, deduplicated=answer.deduplicated, state=record.state)
        self._called.append(called)

    async def _cancel(self) -> None:
        record = await self._studio.get(self._called[0].task_id, principal=LOCAL)
        while record.polls == 0 and not record.final:
            record = await self._next(record)
        await self._studio.cancel(record.task_id, abandon=self._order.cancel == "abandon", principal=LOCAL)

    async def _rest(self) -> None:
        while unfinished := await self._unfinished():
            await self._next(unfinished[0])

    async def _unfinished(self) -> list[TaskRecord]:
        """What is still to be done, with what was set aside where that is taken up."""
        records = [from_document(document) for document in await self._store.open_documents(limit=ALL)]
        aside = [record for record in records if record.set_aside_at is not None]
        going_on = [record for record in records if record.set_aside_at is None]
        if self._order.takes_up:
            going_on += [await self._studio.take_up(record.task_id, principal=LOCAL) for record in aside]
        return going_on

    async def _next(self, record: TaskRecord) -> TaskRecord:
        journal = self._studio._journal  # pyright: ignore[reportPrivateUsage]
        await journal.changed(record, seconds=0.05)
        return await self._studio.get(record.task_id, principal=LOCAL)

    async def _records(self) -> list[TaskRecord]:
        return [from_document(document) for document in await self._store.page(limit=ALL)]


async def _live(order: Order, tell: Tell) -> None:
    with (
        anyio.fail_after(order.longest_seconds),
        anyio.open_signal_receiver(signal.SIGTERM) as ends,
    ):
        async with opened(order, Fuse(order.fuse, tell)) as (engine, store), anyio.create_task_group() as group:

            async def until_told() -> None:
                await anext(ends)
                group.cancel_scope.cancel()

            group.start_soon(until_told)
            await Life(order, engine, store, tell).live()
            group.cancel_scope.cancel()


def work(order: Order, tell: Tell) -> None:
    """Live one life; returns at an orderly end."""
    anyio.run(_live, order, tell)
