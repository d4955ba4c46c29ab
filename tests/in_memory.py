"""Where tests keep their files: in memory, if the machine has room for them there.

What tests of stores take of the processor is a third less where there is no disk to sync with, and a store is open in a
third of the time. What is written outlives its process there too, and no test takes the power from the machine.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

ROOT_VARIABLE: Final = "PYTEST_DEBUG_TEMPROOT"
"""Where pytest makes the folders of its tests, if it is set."""

MEMORY: Final = Path("/dev/shm")
FREE_BYTES_MIN: Final = 4 * 1024**3


def has_room(folder: Path, *, free_bytes_min: int) -> bool:
    """Whether tests can write as much as they want to there, and run what they wrote."""
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        return False
    runs = not os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0)
    return runs and shutil.disk_usage(folder).free >= free_bytes_min


def pytest_configure() -> None:
    if has_room(MEMORY, free_bytes_min=FREE_BYTES_MIN):
        os.environ.setdefault(ROOT_VARIABLE, str(MEMORY))


@pytest.fixture
def disk_path() -> Iterator[Path]:
    """A folder of the test's own that can be somebody's project, as none below `/dev` can."""
    with TemporaryDirectory() as folder:
        yield Path(folder).resolve()
