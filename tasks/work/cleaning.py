"""Cleaning: unfinished files that killed processes left in the folder of outputs."""

import logging
from typing import assert_never

import anyio

from ...domain.errors import RushesError
from ..journal import TaskJournal
from ..ports import MediaStore, PartsOf

logger = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
"""What is left over takes room on the disk, and does nothing else."""


class Cleaner:
    """Sweeps the folder of outputs when a process starts, and every hour of its life."""

    def __init__(self, folder: MediaStore, journal: TaskJournal) -> None:
        self._folder = folder
        self._journal = journal

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                count = await self._folder.sweep(self._state)
            except RushesError as error:
                logger.warning("unfinished files not swept", extra={"problem": error.message})
            else:
                if count:
                    logger.info("unfinished files swept", extra={"count": count})
            await anyio.sleep(EVERY_SECONDS)

    async def _state(self, task_id: str) -> PartsOf:
        """Whether parts of an answer to a task are still needed: a submission in flight is rescued from them, and what
        could not be rescued is all that there is of something paid for."""
        record = await self._journal.read(task_id)
        if record is None:
            return "unknown"
        match record.state:
            case "queued" | "running":
                return "needed" if record.phase == "submitting" else "done"
            case "cancelled":
                return "needed" if record.phase == "submitting" else "unknown"
            case "unknown" | "failed":
                return "unknown"
            case "succeeded":
                return "done"
            case _:
                assert_never(record.state)
