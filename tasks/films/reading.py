"""Files of a film as the decoders read them: each reader at a place of its own, however often a file is opened."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

import io
import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from ...domain.kept_media import CONTAINERS

if TYPE_CHECKING:
    from av.container import InputContainer

_PROBE = {"probesize": "5000000", "analyzeduration": "5000000"}


class OwnReader(io.RawIOBase):
    """Reads an open file from a place of its own: descriptors that were handed over share theirs with all others."""

    def __init__(self, file: BinaryIO) -> None:
        # Where there is no `pread` (Windows) files come by their paths and can be opened once more.
        self._own = None if hasattr(os, "pread") else open(file.name, "rb")  # noqa: SIM115, PTH123 - closed below
        self._descriptor = file.fileno()
        self._size = os.fstat(self._descriptor).st_size
        self._at = 0
        self.name = ""
        """PyAV would guess a format from it."""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = self._size - self._at if size < 0 else size
        if self._own is None:
            data = os.pread(self._descriptor, max(0, wanted), self._at)
        else:
            self._own.seek(self._at)
            data = self._own.read(max(0, wanted))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        if self._own is not None:
            self._own.close()
        super().close()


@contextmanager
def opened(file: BinaryIO, mime_type: str) -> Generator["InputContainer"]:
    """FFmpeg's view of a file whose type was told by its bytes. It is given these bytes alone, and opens nothing."""
    import av

    container_format = CONTAINERS.get(mime_type) or CONTAINERS[mime_type.replace("audio/", "video/")]
    options = {"protocol_whitelist": "none", **_PROBE}
    reader = OwnReader(file)
    try:
        # Without a mode PyAV's hints leave open whether it is read or written.
        with av.open(cast(BinaryIO, reader), "r", format=container_format, options=options) as container:
            yield container
    finally:
        reader.close()
