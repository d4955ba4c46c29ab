"""Many hooks at once: what is known here is not read, what is due is not planned again, and idling costs nothing."""

import asyncio
import logging
import socket
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from rushes.cache.embedded.store import TaskStore
from rushes.domain.document import Document
from rushes.domain.errors import StoreBusy, SubmissionRefused
from rushes.domain.principal import LOCAL
from rushes.domain.record import SCHEMA
from rushes.server.transports.http import bound
from rushes.tasks.hook_ports import HookParts
from rushes.tasks.migrations import MIGRATIONS

from ..clocks import StandingClock
from ..tasks.engines import a_wish, an_engine
from ..tasks.scripted import ScriptedProvider
from ..tasks.test_engine import ACCEPTED, DONE, PNG, RUNNING
from .calling import KEY, CallingProvider, called, ended, hearing, planned

pytestmark = pytest.mark.anyio


class CountingStore(TaskStore):
    """Counts the reads of single records."""

    reads = 0

    async def get(self, task_id: str) -> Document | None:
        type(self).reads += 1
        return await super().get(task_id)


@dataclass
class CountingNudges:
    """Word in memory. `taken` is called when some is taken; `fault` is raised then."""

    word: set[str] = field(default_factory=set[str])
    asked: int = 0
    taken: list[int] = field(default_factory=list[int])
    gate: ScriptedProvider | None = None
    fault: StoreBusy | None = None

    async def leave(self, task_id: str) -> bool:
        self.word.add(task_id)
        return True

    async def waiting(self) -> Collection[str]:
        self.asked += 1
        return list(self.word)

    async def take(self, task_ids: Collection[str]) -> None:
        self.taken.append(self.gate.polls if self.gate else 0)
        if self.fault is not None:
            raise self.fault
        self.word -= set(task_ids)


def gateway(**changes: object) -> CallingProvider:
    made = CallingProvider(answers=[ACCEPTED], looks=[RUNNING], downloads=[PNG] * 3)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


async def test_hooks_of_a_task_that_this_process_works_on_read_nothing_from_the_store(tmp_path: Path) -> None:
    gate = gateway()
    nudges = HookParts(KEY, CountingNudges())
    async with an_engine(tmp_path, gate, store_type=CountingStore, clock=StandingClock(), hooks=nudges) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        assert await called(engine.hook_desk, gate.token())
        await gate.looked(1)
        await planned(engine, task_id)
        before = CountingStore.reads
        for _ in range(100):
            assert await called(engine.hook_desk, gate.token())
            assert not await called(engine.hook_desk, gate.token()[:-1] + "_")
            assert not await called(engine.hook_desk, gate.token(), "another")
        assert CountingStore.reads == before


async def test_a_flood_is_told_of_once_for_each_look_that_it_brings(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    gate = gateway()
    async with hearing(tmp_path, gate) as engine:
        await engine.generate(a_wish(kind="image"))
        for _ in range(100):
            assert await called(engine.hook_desk, gate.token())
        await gate.looked(1)
    assert 1 <= [record.getMessage() for record in caplog.records].count("hook") <= 2


@pytest.mark.parametrize("phase", ["held", "keeping"])
async def test_a_hook_brings_nothing_forward_where_no_look_is_due(tmp_path: Path, phase: str) -> None:
    slow = SubmissionRefused("rate_limited", "slow down", retry_after_seconds=30.0)
    gate = gateway(answers=[slow]) if phase == "held" else gateway(looks=[DONE], downloads=[])
    clock = StandingClock()
    async with hearing(tmp_path, gate, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        if phase == "keeping":
            assert await called(engine.hook_desk, gate.token())
        queue = engine._queue  # pyright: ignore[reportPrivateUsage]
        with anyio.fail_after(20):
            while (await engine.get(task_id, principal=LOCAL)).phase != phase or not (left := queue.due_in(task_id)):
                await anyio.lowlevel.checkpoint()
        assert left > 0.5
        for _ in range(3):
            assert await called(engine.hook_desk, gate.token())
        assert queue.due_in(task_id) == left


async def test_a_token_is_good_at_the_gateway_alone_to_which_the_task_has_gone_on(tmp_path: Path) -> None:
    busy = SubmissionRefused("provider_error", "broken")
    first, second = gateway(name="first", answers=[busy]), gateway(name="second")
    async with hearing(tmp_path, first, second) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        assert record.provider == "second"
        assert not await called(engine.hook_desk, second.token(), "first")
        assert await called(engine.hook_desk, second.token(), "second")


async def test_word_that_comes_while_a_look_is_brought_is_not_lost_with_the_word_before(tmp_path: Path) -> None:
    gate, nudges = gateway(looks=[RUNNING, DONE]), CountingNudges()
    nudges.gate, clock = gate, StandingClock()
    async with an_engine(tmp_path, gate, clock=clock, hooks=HookParts(KEY, nudges)) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        nudges.word.add(task_id)
        clock.put_forward(0.6)
        await gate.looked(1)
        assert nudges.taken == [0]
        nudges.word.add(task_id)
        for _ in range(20):
            clock.put_forward(0.6)
            await anyio.lowlevel.checkpoint()
        assert (await ended(engine, task_id)).state == "succeeded"


async def test_a_hook_of_a_task_that_another_process_took_over_unnoticed_is_passed_on_to_it(tmp_path: Path) -> None:
    gate, nudges, clock = gateway(), CountingNudges(), StandingClock()
    async with an_engine(tmp_path, gate, clock=clock, hooks=HookParts(KEY, nudges)) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        await planned(engine, task_id)
        async with TaskStore.opened(tmp_path / "cache", schema=SCHEMA, migrations=MIGRATIONS) as store:
            document = await store.get(task_id)
            assert document is not None
            await store.replace({**document, "worker": "another"})
        clock.put_forward(1)
        assert await called(engine.hook_desk, gate.token())
        with anyio.fail_after(20):
            while task_id not in nudges.word:
                await anyio.lowlevel.checkpoint()
    assert gate.polls == 0


async def test_word_that_cannot_be_taken_away_still_brings_its_look(tmp_path: Path) -> None:
    gate, nudges = gateway(looks=[DONE]), CountingNudges(fault=StoreBusy("not now"))
    clock = StandingClock()
    async with an_engine(tmp_path, gate, clock=clock, hooks=HookParts(KEY, nudges)) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        nudges.word.add(task_id)
        clock.put_forward(0.6)
        assert (await ended(engine, task_id)).state == "succeeded"


async def test_a_process_that_expects_no_hook_looks_for_no_word(tmp_path: Path) -> None:
    plain, gate = ScriptedProvider(name="plain", answers=[ACCEPTED], looks=[RUNNING]), gateway(looks=[DONE])
    nudges, clock = CountingNudges(), StandingClock()

    async def passing(seconds: float) -> int:
        before = nudges.asked
        for _ in range(int(seconds / 0.5)):
            clock.put_forward(0.5)
            await anyio.wait_all_tasks_blocked()
        return nudges.asked - before

    async with an_engine(tmp_path, plain, gate, clock=clock, hooks=HookParts(KEY, nudges)) as engine:
        await engine.generate(a_wish(kind="image", provider="plain"))
        assert await passing(3) == 0
        task_id = (await engine.generate(a_wish(kind="image", provider="gate"))).record.task_id
        assert await passing(2) > 2
        assert await called(engine.hook_desk, gate.token())
        await ended(engine, task_id)
        await passing(1)
        assert await passing(3) == 0


async def test_an_answer_does_not_wait_for_the_acknowledgement_of_its_head() -> None:
    """Nagle's algorithm would hold the second packet back, for 40 ms at most clients."""
    connected: list[int] = []
    served = anyio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection: socket.socket = writer.get_extra_info("socket")
        connected.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()
        served.set()

    listener = bound("127.0.0.1", 0)
    address: tuple[str, int] = listener.getsockname()[:2]
    async with await asyncio.start_server(serve, sock=listener), await anyio.connect_tcp(*address):
        with anyio.fail_after(10):
            await served.wait()
    assert connected != [0]
