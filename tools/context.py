"""What a tool may use: a narrow context instead of the server, so that no call goes around the service."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..domain.principal import Principal
from ..tasks.service import Service
from .consent import AskPerson, nobody_to_ask
from .progress import BEAT_SECONDS, ReportProgress

OpenService = Callable[[], Awaitable[Service]]
"""The service, once it is open: a host hears of the tools before it is."""


def already(service: Service) -> OpenService:
    """For callers who have a service that is open."""

    async def opened() -> Service:
        return service

    return opened


async def no_progress(percent: float, message: str) -> None:
    """For callers that nobody watches."""
    del percent, message


async def no_roots() -> Sequence[Path] | None:
    """For callers whose host opens no folders."""
    return ()


@dataclass(frozen=True)
class ToolContext:
    """One call's surroundings."""

    opened: OpenService
    """Raises what kept the service from being opened: any `RushesError`."""
    principal: Principal
    """On whose behalf the call is made: it sees their tasks alone."""
    report_progress: ReportProgress = no_progress
    ask: AskPerson = nobody_to_ask
    """Asks the person a yes-or-no question, where the host can."""
    local_files: bool = False
    """Whether local paths are allowed as media."""
    host_roots: Callable[[], Awaitable[Sequence[Path] | None]] = no_roots
    """The folders that the host has open, asked for where a call names a file or a folder; `None` where it is asked by
    the answer, and the call comes again with what it told."""
    beat_seconds: float = BEAT_SECONDS
