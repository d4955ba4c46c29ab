"""Processes that spend at the same time cannot overdraw together, not by a cent."""

import subprocess
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from rushes.cache.embedded.store import TaskStore
from rushes.domain.record import SCHEMA
from rushes.tasks.migrations import MIGRATIONS
from rushes.tasks.money.ledger import BOOK, entry_of

from ..forks import forked
from .spender import PER_DAY, PRICE

pytestmark = pytest.mark.anyio

CALLS = 50


class Spender:
    """One of the processes."""

    def __init__(self, process: Process) -> None:
        self._process = process
        assert process.stdout is not None
        self._lines = BufferedByteReceiveStream(process.stdout)

    async def line(self) -> str:
        return (await self._lines.receive_until(b"\n", 1000)).decode()

    async def go(self) -> None:
        assert self._process.stdin is not None
        await self._process.stdin.send(b"go\n")


@asynccontextmanager
async def _spender(home: Path, name: str) -> AsyncGenerator[Spender]:
    async with forked("tests.money.spender", str(home), name, str(CALLS), stderr=subprocess.DEVNULL) as process:
        yield Spender(process)


async def test_two_processes_with_a_hundred_calls_at_once_do_not_overdraw(tmp_path: Path) -> None:
    with anyio.fail_after(60):
        async with AsyncExitStack() as stack:
            spenders = [await stack.enter_async_context(_spender(tmp_path, name)) for name in ("one", "other")]
            assert [await spender.line() for spender in spenders] == ["ready", "ready"]
            for spender in spenders:
                await spender.go()
            told = [tuple(map(int, (await spender.line()).split())) for spender in spenders]
    sent, refused = (sum(each) for each in zip(*told, strict=True))
    assert (sent, sent + refused) == (PER_DAY / PRICE, 2 * CALLS)
    async with TaskStore.opened(tmp_path / "cache", schema=SCHEMA, migrations=MIGRATIONS) as store:
        entries = [entry_of(line) for line in await store.lines(BOOK)]
    reserved = sum((entry.standing.reserved for entry in entries if entry is not None), Decimal(0))
    assert (len(entries), reserved) == (sent, PER_DAY)
