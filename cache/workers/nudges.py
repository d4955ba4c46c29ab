"""Nudges: word for the process that works on a task that it is time to look, left by another process.

An empty file with the task's name. It waits there until the process that has the task takes it, however early it came;
one that nobody took within a day is of no task that runs.
"""

import os
import time
from collections.abc import Collection
from functools import partial
from pathlib import Path

from anyio.to_thread import run_sync

from ..files import make_folder
from ..store_faults import translated

KEPT_SECONDS = 86_400.0


class NudgeFolder:
    """The nudges of one home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def leave(self, task_id: str) -> bool:
        """Have the process that works on the task look at it; false where such word waits already.

        Raises:
            StoreError: it cannot be written.
        """
        return await run_sync(partial(_leave, self._folder, task_id))

    async def waiting(self) -> Collection[str]:
        """The tasks for which there is word.

        Raises:
            StoreError: it cannot be read.
        """
        return await run_sync(_waiting, self._folder)

    async def take(self, task_ids: Collection[str]) -> None:
        """They were told.

        Raises:
            StoreError: the word cannot be taken away, so it comes again.
        """
        await run_sync(partial(_take, self._folder, task_ids))


def _leave(folder: Path, task_id: str) -> bool:
    with translated(folder, "folder of hooks"):
        path = folder / task_id
        try:
            path.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            return False
        except FileNotFoundError:
            make_folder(folder)
            path.touch(mode=0o600)
        return True


def _waiting(folder: Path) -> Collection[str]:
    with translated(folder, "folder of hooks"):
        try:
            with os.scandir(folder) as entries:
                old = {entry.name: _is_older(entry, time.time() - KEPT_SECONDS) for entry in entries}
        except FileNotFoundError:
            return ()
        for name in old:
            if old[name]:
                (folder / name).unlink(missing_ok=True)
        return [name for name in old if not old[name]]


def _is_older(entry: "os.DirEntry[str]", moment: float) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_mtime < moment
    except FileNotFoundError:
        return False


def _take(folder: Path, task_ids: Collection[str]) -> None:
    with translated(folder, "folder of hooks"):
        for task_id in task_ids:
            (folder / task_id).unlink(missing_ok=True)
