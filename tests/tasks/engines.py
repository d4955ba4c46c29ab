"""Studios over real stores and real folders, for tests of the heart."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path

from rushes.cache.embedded.store import TaskStore
from rushes.cache.media.decoder import Decoder
from rushes.cache.media.folder import Measure, MediaFolder
from rushes.cache.receipts import Receipts
from rushes.cache.workers.leases import ProcessLease
from rushes.cache.workers.timers import queue_in_memory
from rushes.domain.budget import Budget
from rushes.domain.money import Price
from rushes.domain.principal import LOCAL
from rushes.domain.record import SCHEMA, TaskRecord
from rushes.domain.request import GenerationRequest, Kind
from rushes.providers.provider import Provider
from rushes.server.assembly import DECODING
from rushes.tasks.engine import Engine, Limits, Parts
from rushes.tasks.hook_ports import HookParts
from rushes.tasks.intake.routing import Configured
from rushes.tasks.migrations import MIGRATIONS
from rushes.tasks.ports import Clock, MakesQueue, Uploader
from rushes.tasks.service import MediaSource, Wish

from ..clocks import JumpingClock
from ..previews.here import measure_here

QUICK = Limits(shutdown_grace_seconds=0.2, takeover_seconds=0.05)


@asynccontextmanager
async def an_engine(
    home: Path,
    *providers: Provider | Configured,
    limits: Limits = QUICK,
    store_type: type[TaskStore] = TaskStore,
    media_type: Callable[[Path, Measure], MediaFolder] = MediaFolder,
    clock: Clock | None = None,
    uploader: Uploader | None = None,
    queue: MakesQueue = queue_in_memory,
    hooks: HookParts | None = None,
    prices: Mapping[str, Price] | None = None,
    budgets: Sequence[Budget] = (),
) -> AsyncGenerator[Engine]:
    """A engine in `home`, with the providers in this order; without a `clock` it waits for nothing."""
    async with AsyncExitStack() as stack:
        opened = store_type.opened(home / "cache", schema=SCHEMA, migrations=MIGRATIONS)
        store = await stack.enter_async_context(opened)
        lease = await stack.enter_async_context(ProcessLease.held(home / "cache"))
        receipts = await stack.enter_async_context(Receipts.opened(home / "receipts"))
        parts = Parts(
            receipts=receipts,
            store=store,
            lease=lease,
            queue=queue,
            media=media_type(home / "outputs", measure_here),
            decoder=await stack.enter_async_context(Decoder.opened(DECODING)),
            providers=[each if isinstance(each, Configured) else Configured(each) for each in providers],
            input_roots=(home,),
            uploader=uploader,
            hooks=hooks,
            limits=limits,
            prices=prices or {},
            budgets=budgets,
            clock=clock if clock is not None else JumpingClock(),
        )
        yield await stack.enter_async_context(Engine.opened(parts))


def a_wish(
    prompt: str = "a red fox",
    *,
    kind: Kind = "video",
    media: Sequence[MediaSource] = (),
    provider: str | None = None,
    force_new: bool = False,
    max_cost: str | None = None,
    **asked: object,
) -> Wish:
    """A wish; `asked` are fields of the request."""
    request = GenerationRequest.model_validate({"kind": kind, "prompt": prompt, **asked})
    return Wish(
        request,
        media=tuple(media),
        provider=provider,
        force_new=force_new,
        max_cost=None if max_cost is None else Decimal(max_cost),
        principal=LOCAL,
    )


async def at_rest(engine: Engine, record: TaskRecord) -> TaskRecord:
    """The record once nothing is left to do for it; bound it with `anyio.fail_after`.

    `engine.wait` ends earlier, with the state: outputs may still have to be kept, or a late result to come.
    """
    journal = engine._journal  # pyright: ignore[reportPrivateUsage]
    while record.phase != "done":
        record = await journal.changed(record, seconds=30.0)
    return record
