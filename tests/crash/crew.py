"""Workers as a test sees them: started, listened to, sent signals, waited for."""

import os
import signal
import subprocess
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from pydantic import BaseModel

from ..forks import Forked, fork
from .orders import Fault, Order, Report

ROOT = Path(__file__).parents[2]
STDERR = 2

Nursery = Forked | subprocess.Popen[bytes]


class Event(BaseModel):
    """A line of the nursery."""

    order: str
    pid: int
    event: str
    code: int | None = None


@dataclass
class Worker:
    """One process."""

    order: Order
    pid: int = 0
    code: int | None = None
    """Exit code, or the negative number of the signal that ended it."""
    heard: dict[str, anyio.Event] = field(default_factory=dict[str, anyio.Event])

    async def says(self, event: str) -> None:
        """Wait until it says this. A worker that ended without has failed."""
        ended = self._of("ended")
        wanted = self._of(event)
        async with anyio.create_task_group() as group:
            for either in (wanted, ended):
                group.start_soon(_either, either, group.cancel_scope)
        assert wanted.is_set(), f"{self.order.order} ended with {self.code} before {event}: {self.fault()}"

    async def ends(self) -> int:
        """Its exit code."""
        await self._of("ended").wait()
        assert self.code is not None
        return self.code

    async def ends_well(self) -> Report:
        """Its report, after an orderly end."""
        assert await self.ends() == 0, self.fault()
        return Report.model_validate_json(self.order.report.read_bytes())

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing where it has ended, heard of or not yet: it is the nursery that collects it."""
        if self.code is None and self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def fault(self) -> str:
        """What it raised, for a failing test to show."""
        raised = self.raised()
        return "no fault was raised" if raised is None else raised.text

    def raised(self) -> Fault | None:
        """What it raised."""
        file = self.order.fault
        return Fault.model_validate_json(file.read_bytes()) if file.exists() else None

    def hear(self, event: Event) -> None:
        self.pid = event.pid
        self.code = event.code
        self._of(event.event).set()

    def _of(self, event: str) -> anyio.Event:
        return self.heard.setdefault(event, anyio.Event())


async def _either(event: anyio.Event, scope: anyio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


class Crew:
    """The workers of one test."""

    def __init__(self, nursery: Nursery) -> None:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        self._orders = nursery.stdin
        self._events = nursery.stdout.fileno()
        self._workers: dict[str, Worker] = {}

    async def start(self, order: Order) -> Worker:
        """Start a process; it is there when this returns."""
        order.home.mkdir(parents=True, exist_ok=True)
        worker = self._workers[order.order] = Worker(order)
        self._orders.write(order.model_dump_json().encode() + b"\n")
        self._orders.flush()
        await worker.says("born")
        return worker

    async def listen(self) -> None:
        """Tell the workers what the nursery says of them, until cancelled."""
        rest = b""
        while True:
            await anyio.wait_readable(self._events)
            data = os.read(self._events, 65536)
            assert data, "the nursery ended"
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                event = Event.model_validate_json(line)
                if event.order in self._workers:
                    self._workers[event.order].hear(event)

    async def dismiss(self) -> None:
        """End what still runs."""
        for worker in self._workers.values():
            worker.send(signal.SIGKILL)
        for worker in self._workers.values():
            await worker.ends()


@contextmanager
def nursery_process(errors: int | None = None) -> Generator[Nursery]:
    """The nursery, for as long as the context is open; `errors` is where its standard error goes."""
    with fork("tests.crash.nursery", folder=ROOT, stderr=STDERR if errors is None else errors) as process:
        yield process


@asynccontextmanager
async def crew_of(nursery: Nursery) -> AsyncGenerator[Crew]:
    """A crew whose events are heard for as long as the context is open."""
    crew = Crew(nursery)
    async with anyio.create_task_group() as group:
        group.start_soon(crew.listen)
        try:
            yield crew
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(20):
                await crew.dismiss()
            group.cancel_scope.cancel()
