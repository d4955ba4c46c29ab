"""Room for outputs: whether a folder can be written now, and how much of its disk is free."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from ...domain.errors import StoreFull
from ..files import make_folder
from .temporary import Part

_PROBE_BYTES = 4096
"""A block: that the folder can be written shows only once bytes have reached the disk; an empty file takes none."""


@dataclass(frozen=True)
class Place:
    """Where an output can be kept now, and what keeps the folder that was asked for from being it."""

    root: Path
    problem: str | None = None


def probe(root: Path, free_bytes_min: int) -> None:
    """Write a file in `root` and bring it to the disk, where there is the room that is to stay free.

    Raises:
        StoreFull: there is not.
        OSError: it cannot be written.
    """
    check_room(root, 0, free_bytes_min)
    part = Part(root)
    try:
        part.write(bytes(_PROBE_BYTES))
        part.sync()
    finally:
        part.discard()


def check_room(root: Path, size_bytes: int, free_bytes_min: int) -> None:
    """Refuse to write so much more where less than `free_bytes_min` would stay free; 0 allows all.

    Raises:
        StoreFull: less would stay free.
        OSError: the folder cannot be made.
    """
    if not free_bytes_min:
        return
    make_folder(root)
    free = shutil.disk_usage(root).free
    if free - size_bytes < free_bytes_min:
        raise StoreFull(
            f"The disk of the folder of outputs at {root} has {free / 1e6:.0f} MB free, and "
            f"{free_bytes_min / 1e6:.0f} MB of it are to stay so (limits.disk_free_min).",
            hint="Free some space, set RUSHES_OUTPUT_DIR to a folder that has more, or lower limits.disk_free_min.",
        )
