"""The bytes of input media: kept by their hash, so that a render can start again after the process was killed."""

import os
import shutil
import tempfile
import time
import weakref
from pathlib import Path

KEPT_SECONDS = 7 * 86400.0
"""Input media are forgotten this long after their last use; no render takes a fraction of it."""


class MediaFolder:
    """Files named by their sha256.

    Without a folder, one is made in the system's temporary folder at first use, and removed with this object.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def write(self, sha256: str, data: bytes) -> None:
        """Keep the bytes. Blocks on the disk: call it in a thread."""
        folder = self._ready()
        target = folder / sha256
        if not target.exists():
            handle, name = tempfile.mkstemp(prefix="part-", dir=folder)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).replace(target)
        os.utime(target)
        self._forget_old(folder)

    def read(self, sha256: str) -> bytes | None:
        """The bytes, or `None` where they were never kept or are forgotten."""
        if self._folder is None:
            return None
        try:
            return (self._folder / sha256).read_bytes()
        except FileNotFoundError:
            return None

    def _ready(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="rushes-sandbox-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def _forget_old(self, folder: Path) -> None:
        oldest = time.time() - KEPT_SECONDS
        for file in folder.iterdir():
            try:
                if file.stat().st_mtime < oldest:
                    file.unlink()
            except FileNotFoundError:
                continue
