"""Studios over real stores and real folders, for tests of the heart."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from rushes.cache.leases import ProcessLease
from rushes.cache.media import MediaFolder
from rushes.cache.store import TaskStore
from rushes.providers.provider import Provider
from rushes.providers.request import GenerationRequest, Kind
from rushes.tasks.migrations import MIGRATIONS
from rushes.tasks.record import SCHEMA
from rushes.tasks.records import Clock
from rushes.tasks.routing import Configured
from rushes.tasks.service import MediaSource, Wish
from rushes.tasks.studio import Limits, Parts, Studio

QUICK = Limits(shutdown_grace_seconds=0.2, takeover_seconds=0.05)


@asynccontextmanager
async def a_studio(
    home: Path,
    *providers: Provider | Configured,
    limits: Limits = QUICK,
    store_type: type[TaskStore] = TaskStore,
    media_type: type[MediaFolder] = MediaFolder,
    clock: Clock = lambda: datetime.now(UTC),
) -> AsyncGenerator[Studio]:
    """A studio in `home`, with the providers in this order."""
    async with AsyncExitStack() as stack:
        opened = store_type.opened(home / "cache", schema=SCHEMA, migrations=MIGRATIONS)
        store = await stack.enter_async_context(opened)
        lease = await stack.enter_async_context(ProcessLease.held(home / "cache"))
        parts = Parts(
            store=store,
            lease=lease,
            media=media_type(home / "outputs"),
            providers=[each if isinstance(each, Configured) else Configured(each) for each in providers],
            input_roots=(home,),
            limits=limits,
            clock=clock,
        )
        yield await stack.enter_async_context(Studio.opened(parts))


def a_wish(
    prompt: str = "a red fox",
    *,
    kind: Kind = "video",
    media: Sequence[MediaSource] = (),
    provider: str | None = None,
    force_new: bool = False,
    **asked: object,
) -> Wish:
    """A wish; `asked` are fields of the request."""
    request = GenerationRequest.model_validate({"kind": kind, "prompt": prompt, **asked})
    return Wish(request, media=tuple(media), provider=provider, force_new=force_new)
