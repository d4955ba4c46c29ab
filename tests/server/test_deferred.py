"""The service before it is open: who waits for whom, and what a failure to open does."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest

from rushes.domain.errors import StoreBusy, StoreReadOnly
from rushes.domain.principal import LOCAL
from rushes.server.deferred import deferred
from rushes.tasks.service import Service
from rushes.tools import OpenService

from ..tools.fake_service import FakeService, record

pytestmark = pytest.mark.anyio

NEVER = 3600.0


class Opener:
    """Opens a fake service, when the test lets it; `problems` are raised first, one an attempt."""

    def __init__(self, *problems: Exception) -> None:
        self.problems = list(problems)
        self.service = FakeService()
        self.service.put(record())
        self.attempts = 0
        self.begun, self.may_go_on, self.closed = anyio.Event(), anyio.Event(), anyio.Event()

    @asynccontextmanager
    async def __call__(self) -> AsyncGenerator[Service]:
        self.attempts += 1
        self.begun.set()
        await self.may_go_on.wait()
        if self.problems:
            raise self.problems.pop(0)
        yield self.service
        await anyio.lowlevel.checkpoint()
        self.closed.set()


def ready(*problems: Exception) -> Opener:
    opener = Opener(*problems)
    opener.may_go_on.set()
    return opener


async def test_the_first_call_opens_and_the_end_of_the_block_closes() -> None:
    opener = ready()
    with anyio.fail_after(5):
        async with deferred(opener, within_seconds=NEVER) as opened:
            assert opener.attempts == 0
            service = await opened()
            found = await service.get("01TASK", principal=LOCAL)
            assert found.state == "running"
            assert service.poll_interval_seconds(found) == 4.2
            assert not opener.closed.is_set()

    assert opener.closed.is_set()


async def test_without_a_call_it_opens_by_itself_so_that_unfinished_tasks_go_on() -> None:
    opener = ready()
    with anyio.fail_after(5):
        async with deferred(opener, within_seconds=0):
            await opener.begun.wait()


async def test_a_host_that_leaves_at_once_opens_nothing() -> None:
    opener = ready()
    with anyio.fail_after(5):
        async with deferred(opener, within_seconds=NEVER):
            pass

    assert opener.attempts == 0


async def test_a_host_that_leaves_during_the_opening_is_not_held_up() -> None:
    opener = Opener()
    with anyio.fail_after(5):
        async with deferred(opener, within_seconds=0):
            await opener.begun.wait()

    assert opener.attempts == 1


async def test_calls_that_come_during_the_opening_share_it() -> None:
    opener = Opener()
    seen: list[str] = []

    async def look(opened: OpenService) -> None:
        seen.append((await (await opened()).get("01TASK", principal=LOCAL)).task_id)

    with anyio.fail_after(5):
        async with deferred(opener, within_seconds=NEVER) as opened, anyio.create_task_group() as callers:
            callers.start_soon(look, opened)
            callers.start_soon(look, opened)
            await opener.begun.wait()
            assert seen == []
            opener.may_go_on.set()

    assert (seen, opener.attempts) == (["01TASK", "01TASK"], 1)


async def test_a_call_hears_why_it_cannot_be_opened_and_the_next_one_tries_again() -> None:
    opener = ready(StoreReadOnly("no right to write"), StoreBusy("another holds it"))
    with anyio.fail_after(5):
        async with deferred(opener, within_seconds=NEVER) as opened:
            with pytest.raises(StoreReadOnly, match="no right"):
                await opened()
            with pytest.raises(StoreBusy, match="another"):
                await opened()
            assert (await (await opened()).get("01TASK", principal=LOCAL)).task_id == "01TASK"

    assert opener.attempts == 3


async def ask(opened: OpenService) -> None:
    await opened()


async def test_a_call_that_gives_up_leaves_the_opening_to_others() -> None:
    opener = Opener()
    with anyio.fail_after(5):
        async with deferred(opener, within_seconds=NEVER) as opened:
            async with anyio.create_task_group() as callers:
                callers.start_soon(ask, opened)
                await opener.begun.wait()
                callers.cancel_scope.cancel()
            opener.may_go_on.set()
            assert (await (await opened()).get("01TASK", principal=LOCAL)).task_id == "01TASK"

    assert opener.attempts == 1
