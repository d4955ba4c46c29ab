"""Kept files, opened as what a record says of them: no link, a regular file, the bytes that were kept.

A record without a hash proves nothing: rushes writes none, so somebody else wrote it, and its path may be any file's.
"""

import hashlib
import os
from functools import partial
from pathlib import Path
from typing import BinaryIO

import anyio.to_thread

from ...domain.kept_media import Kept, KeptFileChanged
from .opening import open_inside, sha256_of


class KeptFiles:
    """Opens kept files. `root` is where outputs are kept now; earlier ones may lie in another folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def open(self, kept: Kept) -> tuple[BinaryIO, bool]:
        """The opened file, to be closed by the caller, and whether it still is what was kept.

        Raises:
            OSError: it is gone, cannot be read, or is no regular file any more but, for one, a link.
        """
        return await anyio.to_thread.run_sync(partial(self._open_compared, kept))

    async def read(self, kept: Kept, bytes_max: int) -> bytes | None:
        """The bytes of a file, if they are the ones that were kept; `None` where it has more than `bytes_max`.

        Raises:
            KeptFileChanged: its bytes are others now.
            OSError: as for `open`.
        """
        return await anyio.to_thread.run_sync(partial(self._read, kept, bytes_max))

    def open_inside(self, folder: Path, path: Path) -> BinaryIO:
        """Any regular file inside a trusted folder. Blocks.

        Raises:
            OSError, ValueError: as for `opening.open_inside`.
        """
        return open_inside(folder, path)

    def _open_compared(self, kept: Kept) -> tuple[BinaryIO, bool]:
        file = self._open(kept)
        try:
            same_size = kept.size_bytes in (None, os.fstat(file.fileno()).st_size)
            return file, same_size and kept.sha256 == sha256_of(file)
        except BaseException:
            file.close()
            raise

    def _read(self, kept: Kept, bytes_max: int) -> bytes | None:
        with self._open(kept) as file:
            data = file.read(bytes_max + 1)
        if len(data) > bytes_max:
            return None
        # What is handed on is what was compared: the file may change at any time.
        if kept.size_bytes not in (None, len(data)) or kept.sha256 != hashlib.sha256(data).hexdigest():
            raise KeptFileChanged(kept.path)
        return data

    def _open(self, kept: Kept) -> BinaryIO:
        return open_inside(self._folder_of(kept.path), kept.path)

    def _folder_of(self, path: Path) -> Path:
        """The folder down to which links may be followed: the root, or where another place was chosen, the file's."""
        return self._root if path.is_relative_to(self._root) else path.parent
