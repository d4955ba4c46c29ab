"""Writes that come one by one while there is much to do share a batch, and so a sync; who is alone waits for nobody."""

import threading
from collections.abc import Sequence
from types import SimpleNamespace

import anyio
import pytest

from rushes.cache.embedded.thread import QueuedCall, StoreThread

pytestmark = pytest.mark.anyio


class Batches:
    """A session that does what it is given, once it is let on, and remembers what came together."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.begun, self.let_on = threading.Semaphore(0), threading.Semaphore(0)

    def execute(self, calls: Sequence[QueuedCall["Batches"]]) -> None:
        self.begun.release()
        assert self.let_on.acquire(timeout=10)
        self.sizes.append(len(calls))
        for call in calls:
            call.succeed(call.work(self))

    def close(self) -> None:
        return None


async def _nothing(thread: StoreThread[Batches]) -> None:
    await thread.run(lambda _: None)


async def test_after_a_batch_of_several_the_next_waits_a_moment_for_those_who_come_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moments, over = threading.Semaphore(0), threading.Event()

    def moment(_: float) -> None:
        moments.release()
        assert over.wait(10)

    monkeypatch.setattr("rushes.cache.embedded.thread.time", SimpleNamespace(sleep=moment))
    batches = Batches()
    thread: StoreThread[Batches] = StoreThread("batches", lambda: batches, batch_max=64)
    await thread.start()
    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(_nothing, thread)
            assert await anyio.to_thread.run_sync(lambda: batches.begun.acquire(timeout=10))
            for _ in range(2):
                group.start_soon(_nothing, thread)
            await anyio.wait_all_tasks_blocked()
            batches.let_on.release()
            batches.let_on.release()
        async with anyio.create_task_group() as group:
            group.start_soon(_nothing, thread)
            # It was taken, and its moment has begun.
            assert await anyio.to_thread.run_sync(lambda: moments.acquire(timeout=10))
            group.start_soon(_nothing, thread)
            await anyio.wait_all_tasks_blocked()
            over.set()
            batches.let_on.release()
    await thread.aclose()
    assert batches.sizes == [1, 2, 2]


async def test_who_writes_alone_one_after_the_other_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rushes.cache.embedded.thread.COMPANY_SECONDS", 3600.0)
    batches = Batches()
    thread: StoreThread[Batches] = StoreThread("batches", lambda: batches, batch_max=64)
    await thread.start()
    with anyio.fail_after(10):
        for _ in range(5):
            batches.let_on.release()
            await _nothing(thread)
    await thread.aclose()
    assert batches.sizes == [1] * 5
