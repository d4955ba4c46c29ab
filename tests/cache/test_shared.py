"""Many that need the same finding at once have it made for all of them, and nobody gets one from before he asked."""

import anyio
import anyio.lowlevel
import pytest

from rushes.cache.shared import Shared

pytestmark = pytest.mark.anyio


class Counted:
    """Work whose result is its number; each waits until it is let on."""

    def __init__(self) -> None:
        self.begun = 0
        self.let_on = anyio.Semaphore(0)
        self.faults: list[Exception] = []

    async def work(self) -> int:
        self.begun += 1
        number = self.begun
        await self.let_on.acquire()
        if self.faults:
            raise self.faults.pop()
        return number


async def test_who_comes_while_it_is_found_gets_the_next_finding_together_with_the_others() -> None:
    counted, found = Counted(), list[int]()
    shared = Shared(counted.work)

    async def ask() -> None:
        found.append(await shared.fresh())

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            while not counted.begun:
                await anyio.lowlevel.checkpoint()
            for _ in range(20):
                group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            counted.let_on.release()
            counted.let_on.release()
    assert found == [1] + [2] * 20


async def test_a_finding_from_before_is_nobodys() -> None:
    counted = Counted()
    shared = Shared(counted.work)
    for number in (1, 2, 3):
        counted.let_on.release()
        assert await shared.fresh() == number


async def test_what_fails_fails_for_one_and_is_tried_again_for_the_others() -> None:
    counted, told = Counted(), list[object]()
    counted.faults.append(OSError("the disk is full"))
    shared = Shared(counted.work)

    async def ask() -> None:
        try:
            told.append(await shared.fresh())
        except OSError as error:
            told.append(str(error))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            for _ in range(3):
                counted.let_on.release()
    assert told == ["the disk is full", 2, 2]


async def test_those_who_come_one_by_one_shortly_after_another_share_the_next_finding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rushes.cache.shared.APART_SECONDS", 0.2)
    counted, found = Counted(), list[int]()
    shared = Shared(counted.work)
    for _ in range(3):
        counted.let_on.release()

    async def ask() -> None:
        found.append(await shared.fresh())

    with anyio.fail_after(10):
        await ask()
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(ask)
    assert (found, counted.begun) == ([1, 2, 2], 2)
