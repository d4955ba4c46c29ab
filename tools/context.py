"""What a tool may use: a narrow context instead of the server, so that no call goes around the service."""

from dataclasses import dataclass

from ..tasks.service import Service
from .progress import BEAT_SECONDS, ReportProgress


async def no_progress(percent: float, message: str) -> None:
    """For callers that nobody watches."""
    del percent, message


@dataclass(frozen=True)
class ToolContext:
    """One call's surroundings."""

    service: Service
    report_progress: ReportProgress = no_progress
    owner: str = "local"
    """The principal whose tasks the call sees."""
    local_files: bool = False
    """Whether local paths are allowed as media."""
    beat_seconds: float = BEAT_SECONDS
