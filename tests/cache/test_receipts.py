"""Receipts of accepted jobs: synced together, in a full disk's reserve, never torn, bounded over time."""

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from rushes.cache.receipts import KEPT_FOR, LINE_BYTES_MAX, RESERVE_BYTES, Receipts
from rushes.domain.errors import StoreError

pytestmark = pytest.mark.anyio


async def test_what_was_kept_is_read_by_another_process(tmp_path: Path) -> None:
    async with Receipts.opened(tmp_path / "receipts") as receipts:
        assert await receipts.read() == {}
        await receipts.keep({"task_id": "A", "job_id": "1"})
        await receipts.keep({"task_id": "A", "job_id": "2"})
        await receipts.keep({"task_id": "B", "job_id": "é\n"})
    async with Receipts.opened(tmp_path / "receipts") as other:
        assert await other.read() == {"A": {"task_id": "A", "job_id": "2"}, "B": {"task_id": "B", "job_id": "é\n"}}
    assert oct((tmp_path / "receipts").stat().st_mode & 0o777) == "0o700" or os.name != "posix"


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What reaches the disk, in order."""
    seen: list[str] = []
    real_write, real_sync = os.write, os.fsync

    def write(descriptor: int, data: bytes) -> int:
        seen.append("write")
        return real_write(descriptor, data)

    def sync(descriptor: int) -> None:
        seen.append("sync")
        real_sync(descriptor)

    monkeypatch.setattr(os, "write", write)
    monkeypatch.setattr(os, "fsync", sync)
    return seen


async def test_many_at_once_share_a_sync(tmp_path: Path, order: list[str]) -> None:
    async with Receipts.opened(tmp_path) as receipts:

        async def keep(number: int) -> None:
            await receipts.keep({"task_id": str(number)})

        async with anyio.create_task_group() as group:
            for number in range(300):
                group.start_soon(keep, number)
        assert len(await receipts.read()) == 300
    assert 1 <= order.count("sync") < 100


async def test_a_receipt_is_synced_before_it_is_said_to_be_kept(tmp_path: Path, order: list[str]) -> None:
    async with Receipts.opened(tmp_path) as receipts:
        await receipts.keep({"task_id": "A"})
        order.clear()
        await receipts.keep({"task_id": "B"})
        order.append("said")
    assert order == ["write", "sync", "said"]


async def test_junk_and_torn_lines_are_passed_over(tmp_path: Path) -> None:
    async with Receipts.opened(tmp_path) as receipts:
        await receipts.keep({"task_id": "A"})
        (file,) = tmp_path.glob("*.jsonl")
        with file.open("ab") as torn:
            torn.write(b'[1]\n"x"\n{"no": 1}\n\xff\xfe\n{"task_id": "C", "jo')
        await receipts.keep({"task_id": "B"})
        assert set(await receipts.read()) == {"A", "B"}


async def test_a_receipt_too_long_for_one_write_is_refused(tmp_path: Path) -> None:
    async with Receipts.opened(tmp_path) as receipts:
        with pytest.raises(ValueError, match="at most"):
            await receipts.keep({"task_id": "A", "prompt": "x" * LINE_BYTES_MAX})


async def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with Receipts.opened(tmp_path / "file" / "receipts") as receipts:
        with pytest.raises(StoreError):
            await receipts.keep({"task_id": "A"})


FULL = """
import anyio, resource, sys
from pathlib import Path
from rushes.cache.receipts import Receipts
from rushes.domain.errors import StoreError

async def main():
    async with Receipts.opened(Path(sys.argv[1])) as receipts:
        await receipts.keep({"task_id": "before"})
        (day,) = Path(sys.argv[1]).glob("*.jsonl")
        day.open("ab").write(b"\\n" * 70_000)
        resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))
        kept = 0
        try:
            for number in range(10_000):
                await receipts.keep({"task_id": f"{number}", "prompt": "x" * 500})
                kept += 1
        except StoreError:
            print(kept)

anyio.run(main)
"""


@pytest.mark.skipif(os.name != "posix", reason="the limit on file sizes is POSIX's")
async def test_a_full_disk_still_takes_a_hundred_receipts(tmp_path: Path) -> None:
    with anyio.fail_after(60):
        done = await anyio.run_process([sys.executable, "-c", FULL, str(tmp_path)])
    kept = int(done.stdout)
    assert kept > 100
    assert (tmp_path / "reserve").stat().st_size == RESERVE_BYTES
    async with Receipts.opened(tmp_path) as receipts:
        found = await receipts.read()
    assert set(found) == {"before", *(str(number) for number in range(kept))}


FULL_AT_FIRST = """
import anyio, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from rushes.cache.receipts import Receipts

async def main():
    async with Receipts.opened(Path(sys.argv[1])) as receipts:
        await receipts.prepare()
        (Path(sys.argv[1]) / f"{datetime.now(UTC):%Y-%m-%d}.jsonl").write_bytes(b"\\n" * 70_000)
        resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))
        await receipts.keep({"task_id": "first"})

anyio.run(main)
"""


@pytest.mark.skipif(os.name != "posix", reason="the limit on file sizes is POSIX's")
async def test_a_disk_that_is_full_before_the_first_receipt_takes_it(tmp_path: Path) -> None:
    with anyio.fail_after(60):
        await anyio.run_process([sys.executable, "-c", FULL_AT_FIRST, str(tmp_path)])
    async with Receipts.opened(tmp_path) as receipts:
        assert set(await receipts.read()) == {"first"}


async def test_a_reserve_that_another_process_makes_and_uses_meanwhile_keeps_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(descriptor: int) -> None:
        monkeypatch.undo()
        (tmp_path / "reserve").write_bytes(b'{"task_id": "theirs"}\n'.ljust(RESERVE_BYTES, b"\0"))

    async with Receipts.opened(tmp_path) as receipts:
        monkeypatch.setattr(os, "fsync", overtaken)
        await receipts.prepare()
        assert set(await receipts.read()) == {"theirs"}
        assert [file.name for file in tmp_path.iterdir()] == ["reserve"]


@pytest.mark.parametrize("open_tasks", [set[str](), {"b"}])
async def test_the_reserve_is_emptied_once_nothing_in_it_is_needed(tmp_path: Path, open_tasks: set[str]) -> None:
    async def needed(task_ids: Sequence[str]) -> set[str]:
        return open_tasks & set(task_ids)

    async with Receipts.opened(tmp_path) as receipts:
        await receipts.prepare()
        with (tmp_path / "reserve").open("r+b") as reserve:
            reserve.write(b'\n{"task_id": "a"}\n\n{"task_id": "b"}\n')
        assert await receipts.tidy(needed, NOW) == (0 if open_tasks else 2)
        assert set(await receipts.read()) == ({"a", "b"} if open_tasks else set())
        assert (tmp_path / "reserve").stat().st_size == RESERVE_BYTES


NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def _day(folder: Path, when: datetime, *task_ids: str) -> Path:
    file = folder / f"{when:%Y-%m-%d}.jsonl"
    file.write_text("".join(json.dumps({"task_id": each}) + "\n" for each in task_ids), encoding="utf-8")
    return file


async def test_receipts_of_ended_tasks_go_from_the_files_of_earlier_days(tmp_path: Path) -> None:
    gone = _day(tmp_path, NOW - timedelta(days=5), "ended")
    mixed = _day(tmp_path, NOW - timedelta(days=4), "ended too", "running")
    today = _day(tmp_path, NOW, "ended today")
    yesterday = _day(tmp_path, NOW - timedelta(days=1), "ended yesterday")
    foreign = tmp_path / "notes.jsonl"
    foreign.touch()

    async def needed(task_ids: Sequence[str]) -> set[str]:
        return {each for each in task_ids if each == "running"}

    async with Receipts.opened(tmp_path) as receipts:
        assert await receipts.tidy(needed, NOW) == 2
        assert set(await receipts.read()) == {"running", "ended today", "ended yesterday"}
    assert (gone.exists(), mixed.exists(), today.exists(), yesterday.exists(), foreign.exists()) == (
        False,
        True,
        True,
        True,
        True,
    )


async def test_a_receipt_that_nobody_takes_up_goes_in_the_end(tmp_path: Path) -> None:
    _day(tmp_path, NOW - KEPT_FOR - timedelta(days=2), "orphan")

    async def needed(task_ids: Sequence[str]) -> set[str]:
        return set(task_ids)

    async with Receipts.opened(tmp_path) as receipts:
        assert await receipts.tidy(needed, NOW) == 1
        assert list(tmp_path.glob("*.jsonl")) == []
