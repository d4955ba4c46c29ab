"""Leases: who is dead, told by the kernel; who hangs, told by silence."""

import os
import signal
import stat
import time
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest

from rushes.cache.workers.leases import LeaseTimes, ProcessLease
from rushes.domain.errors import StoreError

from .processes import line_of, started, tell

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "procs"


class Clock:
    """The looker's own running time."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def silence(folder: Path, worker_id: str, seconds: float) -> None:
    """Make a lease look as if it had last beaten that long ago."""
    then = time.time() - seconds
    os.utime(folder / f"{worker_id}.beat", (then, then))


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(place.stat().st_mode) for place in (folder, *folder.iterdir())}


async def test_several_leases_of_one_process_see_each_other_alive_and_then_dead(folder: Path) -> None:
    async with ProcessLease.held(folder) as one:
        async with ProcessLease.held(folder) as two, ProcessLease.held(folder) as three:
            ids = {one.worker_id, two.worker_id, three.worker_id}
            assert len(ids) == 3
            for lease in (one, two, three):
                assert await lease.dead(ids) == set()
        assert await one.dead(ids) == {two.worker_id, three.worker_id}


async def test_another_process_is_alive_until_it_is_killed(folder: Path) -> None:
    async with ProcessLease.held(folder) as lease:
        with started("lease_holder.py", folder) as process:
            other = line_of(process)
            assert other.startswith(f"{process.pid}-")
            assert await lease.dead([other]) == set()
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=10)
            assert await lease.dead([other]) == {other}
        assert files(folder) == {f"{lease.worker_id}.lock", f"{lease.worker_id}.beat"}


async def test_a_stopped_process_is_not_dead_before_it_was_silent_for_long(folder: Path) -> None:
    async with ProcessLease.held(folder) as lease:
        with started("lease_holder.py", folder) as process:
            other = line_of(process)
            process.send_signal(signal.SIGSTOP)
            assert await lease.dead([other]) == set()
            process.send_signal(signal.SIGCONT)
            tell(process, "end")
            process.wait(timeout=10)
            assert await lease.dead([other]) == {other}


async def test_a_lease_is_gone_when_its_context_ends_well_or_by_an_error(folder: Path) -> None:
    async with ProcessLease.held(folder):
        pass
    with pytest.raises(KeyError, match="the body"):
        async with ProcessLease.held(folder):
            raise KeyError("the body")
    with anyio.move_on_after(0.01):
        async with ProcessLease.held(folder):
            await anyio.sleep_forever()
    assert files(folder) == set()


async def test_it_never_calls_itself_dead(folder: Path) -> None:
    async with ProcessLease.held(folder, times=LeaseTimes(confirm_seconds=0)) as lease:
        silence(folder, lease.worker_id, 10_000)
        assert await lease.dead([lease.worker_id]) == set()
        (folder / f"{lease.worker_id}.lock").unlink()
        assert await lease.dead([lease.worker_id]) == set()


@pytest.mark.parametrize("worker_id", ["", "x", "../../etc/passwd", "1-\0", "1-abc", "9" * 10_000, "é"])
async def test_what_is_no_lease_is_dead_and_touches_no_file(folder: Path, worker_id: str) -> None:
    async with ProcessLease.held(folder) as lease:
        before = files(folder)
        assert await lease.dead([worker_id]) == {worker_id}
        assert files(folder) == before


class TestHungProcess:
    async def test_it_is_dead_when_its_silence_is_seen_twice_far_enough_apart(self, folder: Path) -> None:
        clock = Clock()
        async with ProcessLease.held(folder) as hung, ProcessLease.held(folder, monotonic=clock) as looker:
            silence(folder, hung.worker_id, 121)
            assert await looker.dead([hung.worker_id]) == set()
            clock.seconds += 44
            assert await looker.dead([hung.worker_id]) == set()
            clock.seconds += 1
            assert await looker.dead([hung.worker_id]) == {hung.worker_id}
            assert f"{hung.worker_id}.lock" in files(folder)

    async def test_it_is_not_dead_while_it_is_silent_for_less_than_two_minutes(self, folder: Path) -> None:
        clock = Clock()
        async with ProcessLease.held(folder) as quiet, ProcessLease.held(folder, monotonic=clock) as looker:
            silence(folder, quiet.worker_id, 110)
            for _ in range(3):
                assert await looker.dead([quiet.worker_id]) == set()
                clock.seconds += 1000

    async def test_after_the_machine_slept_a_process_that_beats_again_was_never_dead(self, folder: Path) -> None:
        clock = Clock()
        async with ProcessLease.held(folder) as slept, ProcessLease.held(folder, monotonic=clock) as looker:
            silence(folder, slept.worker_id, 8 * 3600)
            assert await looker.dead([slept.worker_id]) == set()
            silence(folder, slept.worker_id, 0)
            clock.seconds += 1000
            assert await looker.dead([slept.worker_id]) == set()
            silence(folder, slept.worker_id, 200)
            assert await looker.dead([slept.worker_id]) == set()

    async def test_a_heartbeat_from_the_future_is_no_silence(self, folder: Path) -> None:
        async with (
            ProcessLease.held(folder) as ahead,
            ProcessLease.held(folder, times=LeaseTimes(confirm_seconds=0)) as looker,
        ):
            silence(folder, ahead.worker_id, -100_000)
            assert await looker.dead([ahead.worker_id]) == set()

    async def test_to_be_looked_at_is_no_heartbeat(self, folder: Path) -> None:
        async with ProcessLease.held(folder) as hung, ProcessLease.held(folder) as looker:
            silence(folder, hung.worker_id, 1000)
            before = (folder / f"{hung.worker_id}.beat").stat().st_mtime_ns
            await looker.dead([hung.worker_id])
            assert (folder / f"{hung.worker_id}.beat").stat().st_mtime_ns == before

    async def test_a_process_that_is_well_beats_by_itself(self, folder: Path) -> None:
        async with ProcessLease.held(folder, times=LeaseTimes(beat_seconds=0.01)) as lease:
            silence(folder, lease.worker_id, 1000)
            beat = anyio.Path(folder / f"{lease.worker_id}.beat")
            with anyio.fail_after(10):
                while time.time() - (await beat.stat()).st_mtime > 500:
                    await anyio.lowlevel.checkpoint()


class TestCleaning:
    async def test_a_new_process_removes_what_dead_ones_left(self, folder: Path) -> None:
        async with ProcessLease.held(folder) as living:
            for name in ("123-aaaaaaaaaaaa", "124-bbbbbbbbbbbb"):
                (folder / f"{name}.lock").touch()
                (folder / f"{name}.beat").touch()
            (folder / "125-cccccccccccc.lock").touch()
            (folder / "notes.txt").touch()
            silence(folder, "123-aaaaaaaaaaaa", 61)
            silence(folder, living.worker_id, 61)
            async with ProcessLease.held(folder) as new:
                left = {name.split(".")[0] for name in files(folder)}
                assert left == {living.worker_id, new.worker_id, "124-bbbbbbbbbbbb", "notes"}
                assert await new.dead([living.worker_id]) == set()

    async def test_many_that_start_and_end_at_once_do_not_disturb_each_other(self, folder: Path) -> None:
        ids: set[str] = set()

        async def come_and_go() -> None:
            async with ProcessLease.held(folder) as lease:
                ids.add(lease.worker_id)
                assert lease.worker_id not in await lease.dead(set(ids))

        async with ProcessLease.held(folder) as watcher, AsyncExitStack() as stack:
            stays = [await stack.enter_async_context(ProcessLease.held(folder)) for _ in range(5)]
            async with anyio.create_task_group() as group:
                for _ in range(20):
                    group.start_soon(come_and_go)
            assert await watcher.dead(ids | {lease.worker_id for lease in stays}) == ids


async def test_processes_that_start_at_once_sweep_the_same_marks_and_none_of_them_fails(folder: Path) -> None:
    folder.mkdir(parents=True)
    long_ago = time.time() - 365 * 86400
    marks = [folder / f"{1000 + number}-{number:012x}.steps" for number in range(500)]
    for file in marks:
        file.touch()
        os.utime(file, (long_ago, long_ago))

    async def live() -> None:
        async with ProcessLease.held(folder):
            pass

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(live)
    assert not files(folder) & {file.name for file in marks}


async def test_nobody_else_can_read_the_leases(folder: Path) -> None:
    async with ProcessLease.held(folder):
        assert modes(folder) == {0o700, 0o600}


async def test_a_folder_that_cannot_be_made_is_told_with_its_place(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", "utf-8")
    with pytest.raises(StoreError, match="folder of leases"):
        async with ProcessLease.held(blocked / "procs"):
            raise NotImplementedError
