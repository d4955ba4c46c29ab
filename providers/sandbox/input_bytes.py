"""The bytes of input media: kept by their hash, so that a render can start again after the process was killed."""

import os
import shutil
import tempfile
import time
import weakref
from pathlib import Path

_KEPT_SECONDS = 7 * 86400.0
"""Input media are forgotten this long after their last use; no render takes a fraction of it."""


class MediaFolder:
    """Files named by their sha256; without a folder, in one of the system's that goes with this object."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def write(self, sha256: str, data: bytes) -> None:
        """Keep the bytes. Blocks on the disk: call it in a thread."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="rushes-sandbox-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="part-", dir=self._folder)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(self._folder / sha256)
        for old in self._folder.iterdir():
            # Another process may forget it at the same time.
            if old.exists() and old.stat().st_mtime < time.time() - _KEPT_SECONDS:
                old.unlink(missing_ok=True)

    def read(self, sha256: str) -> bytes | None:
        """The bytes, or `None` where they were never kept or are forgotten."""
        path = self._folder / sha256 if self._folder is not None else None
        return path.read_bytes() if path is not None and path.exists() else None
