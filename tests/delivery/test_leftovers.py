"""Unfinished files of processes that were killed: the next start removes them, and never those of a living one."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from ulid import ULID

from rushes.cache.media.folder import MediaFolder, PartsOf
from rushes.cache.media.temporary import STRANGERS_KEPT_SECONDS

from ..tasks.scripted import ScriptedProvider
from .homes import gone, home

pytestmark = pytest.mark.anyio


@contextmanager
def downloading(folder: Path) -> Generator[Path]:
    """A process in the middle of a download, and its unfinished file; killed in the end."""
    before = set(folder.glob(".*.part"))
    command = [sys.executable, "-m", "tests.delivery.downloader", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            (part,) = set(folder.glob(".*.part")) - before
            yield part
        finally:
            os.kill(process.pid, signal.SIGKILL)


async def of_nobody(task_id: str) -> PartsOf:
    return "unknown"


async def test_the_next_start_removes_what_a_killed_download_left_and_no_other_file(tmp_path: Path) -> None:
    folder = tmp_path / "outputs"
    folder.mkdir()
    theirs = [folder / name for name in (".notes.part", "film.part", ".0123456789abcdef.partial", "kept.wav")]
    for path in theirs:
        path.write_bytes(b"x")
    with ExitStack() as processes:
        living = processes.enter_context(downloading(folder))
        with downloading(folder) as killed:
            pass
        assert killed.exists()
        async with home(tmp_path, ScriptedProvider()):
            await gone(folder, killed.name)
        assert living.exists()
        assert all(path.exists() for path in theirs)


async def test_parts_of_an_answer_go_once_their_task_has_ended_and_long_after_where_no_task_is_known(
    tmp_path: Path,
) -> None:
    states: tuple[PartsOf, ...] = ("needed", "done", "unknown")
    ids: dict[str, PartsOf] = {str(ULID()): state for state in states}
    for task_id in ids:
        (tmp_path / f".{task_id}-1.whole.part").write_bytes(b"x")
        (tmp_path / f".{task_id}-2.part").write_bytes(b"x")

    async def state(task_id: str) -> PartsOf:
        return ids[task_id]

    folder = MediaFolder(tmp_path)
    assert await folder.sweep(state) == 2
    left = {path.name[1:27] for path in tmp_path.iterdir()}
    assert {ids[task_id] for task_id in left} == {"needed", "unknown"}
    for path in tmp_path.iterdir():
        then = path.stat().st_mtime - STRANGERS_KEPT_SECONDS - 60
        os.utime(path, (then, then))
    assert await folder.sweep(state) == 2
    assert {ids[path.name[1:27]] for path in tmp_path.iterdir()} == {"needed"}


async def test_there_is_nothing_to_sweep_before_the_first_output(tmp_path: Path) -> None:
    assert await MediaFolder(tmp_path / "not" / "there").sweep(of_nobody) == 0
    assert list(tmp_path.iterdir()) == []
