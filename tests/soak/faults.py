"""What befalls the processes of a soak, at random: kills, orderly ends, stalls, a full disk, a clock that is set."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

import anyio

from ..clocks import put_clock
from ..crash.crew import Crew, Worker
from ..crash.fuse import Burn
from ..crash.gateways import address_of
from ..crash.orders import Fault, Order, Reached
from ..crash.points import POINTS
from ..gateways.client import RunningGateways
from .agents import Servers
from .asking import ARMED, CANCELLED, GATEWAYS, Asking
from .disk import Disk

PLACES: Final = sorted({place for point in POINTS for place in point.kills})
STEPS_SECONDS: Final = (7200.0, -7200.0, 180.0, -180.0, 0.0)
END_SECONDS: Final = 60.0
DOWNLOAD_BYTES_MAX: Final = 20_000_000
"""Some answers go on for a quarter of a gigabyte, which is all that the disk has."""

FULL: Final = "StoreFull"


@dataclass
class Lives:
    """What became of the workers."""

    started: int = 0
    killed_at: int = 0
    killed: int = 0
    ended: int = 0
    stalled: int = 0
    of_the_disk: int = 0
    """Ended because the disk was full, and said so."""
    faults: list[str] = field(default_factory=list[str])


@dataclass
class Weather:
    """The disk and the clock, and when they were not as they should be."""

    disk: Disk
    clock: Path
    full: bool = False
    times_full: int = 0
    steps: list[float] = field(default_factory=list[float])


@dataclass
class Workers:
    """Engine processes on a home of their own, each with a fuse."""

    home: Path
    notes: Path
    """Where their logs and faults go: not onto the disk that gets full."""
    crew: Crew
    gateways: RunningGateways
    asking: Asking
    random: Random
    weather: Weather
    lives: Lives = field(default_factory=Lives)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def keep_one(self, over: Callable[[], bool]) -> None:
        """One life after the other, until it is over."""
        while not over():
            await self._live_once()

    async def _live_once(self) -> None:
        order = self._order()
        times, full = self.weather.times_full, self.weather.full
        worker = await self.crew.start(order)
        self.lives.started += 1
        with anyio.move_on_after(self.random.uniform(1.5, 6)):
            await worker.ends()
        by_us = self._end(worker) if worker.code is None else None
        code = await self._ended(worker)
        if code is None:
            self.lives.faults.append(f"worker {order.order} did not end within {END_SECONDS:.0f} s of being told to")
            return
        if by_us is not None and code == -by_us:
            # SIGTERM kills as well, where a worker does not listen to it yet, or any more.
            self.lives.killed += 1
            return
        if code == -signal.SIGKILL:
            self.lives.killed_at += 1
            return
        if code == 0:
            self.lives.ended += 1
        elif (full or self.weather.times_full > times) and is_of_the_disk(worker.raised()):
            self.lives.of_the_disk += 1
            await anyio.sleep(1)
        else:
            self.lives.faults.append(ended_oddly(worker))

    async def _ended(self, worker: Worker) -> int | None:
        """Its exit code; `None` where it had to be killed, because it did not end."""
        with anyio.move_on_after(END_SECONDS):
            while True:
                with anyio.move_on_after(1):
                    return await worker.ends()
                # It may reach the place at which it stalls only after it was told to end.
                worker.send(signal.SIGCONT)
        worker.send(signal.SIGKILL)
        return None

    def _end(self, worker: Worker) -> signal.Signals:
        how = signal.SIGKILL if self.random.random() < 0.3 else signal.SIGTERM
        worker.send(signal.SIGCONT)
        worker.send(how)
        return how

    def _order(self) -> Order:
        asked = self.asking.draw()
        asked.calls += (calls := self.random.choice([1, 1, 1, 4]) if asked.may_be_asked_again else 1)
        what = self.random.choices(["kill", "stall", "nothing"], [55, 15, 30])[0]
        place = self.random.choice(PLACES)
        self.lives.stalled += what == "stall"
        order = Order(
            order=f"life-{next(self._numbers)}",
            home=self.home,
            notes=self.notes,
            gateway=asked.ground.gateway,
            kind=asked.ground.kind,
            prompt=asked.prompt,
            asked=asked.ground.asked,
            calls=calls,
            cancel=self.random.choice(["ask", "abandon"]) if asked.trouble == CANCELLED else "no",
            until="told",
            fuse=Burn(kill_at=place if what == "kill" else None, stall_at=place if what == "stall" else None),
            clock_file=self.weather.clock,
            receipts=True,
            download_bytes_max=DOWNLOAD_BYTES_MAX,
            beat_seconds=0.2,
            silent_seconds=self.random.choices([120.0, 2.0], [9, 1])[0],
        )
        return with_all(order, self.gateways)


def with_all(order: Order, gateways: RunningGateways) -> Order:
    """The order of a process that knows all gateways, as those of one home do."""
    others = [name for name in GATEWAYS if name != order.gateway]
    further = tuple(address_of(order.model_copy(update={"gateway": name}), gateways) for name in others)
    reached = tuple(Reached.model_validate(each.model_dump(include=set(Reached.model_fields))) for each in further)
    return address_of(order, gateways).model_copy(update={"further": reached})


def is_of_the_disk(fault: Fault | None) -> bool:
    """Whether it ended because there was no room, and for no other reason."""
    return fault is not None and bool(fault.errors) and all(FULL in names for names in fault.errors)


def ended_oddly(worker: Worker) -> str:
    """How it ended, in one line, and where the rest is."""
    fault = worker.raised()
    errors = "no fault was raised" if fault is None else "; ".join(" from ".join(names) for names in fault.errors)
    return f"worker {worker.order.order} ended with {worker.code}: {errors} (whole in {worker.order.fault})"


async def killing(servers: Servers, random: Random, every_seconds: float) -> None:
    """End one server after the other: most are killed, some told to end, some stopped for a while."""
    while True:
        await anyio.sleep(random.uniform(0.5, 1.5) * every_seconds)
        host = await servers.any()
        how = random.choices(["kill", "TERM", "EOF", "stall"], [60, 12, 13, 15])[0]
        if how == "kill":
            servers.counts.killed += 1
            await host.end("SIGKILL")
        elif how == "stall":
            servers.counts.stalled += 1
            host.send(signal.SIGSTOP)
            try:
                await anyio.sleep(random.uniform(0.5, 4))
            finally:
                host.send(signal.SIGCONT)
        elif host.ready.is_set():
            servers.counts.ended += 1
            await host.end("SIGTERM" if how == "TERM" else "EOF")
            with anyio.move_on_after(END_SECONDS) as late:
                await host.ended.wait()
            if late.cancelled_caught or host.code != 0:
                servers.counts.wrong_ends.append(f"told to end by {how}, the server ended with {host.code}")


async def weathering(weather: Weather, random: Random, full_every: float, step_every: float) -> None:
    """Fill the disk, and set the clock, again and again."""

    async def filling() -> None:
        while True:
            await anyio.sleep(random.uniform(0.6, 1.2) * full_every)
            weather.times_full += 1
            weather.full = True
            with weather.disk.full():
                await anyio.sleep(random.uniform(1, 5))
            weather.full = False

    async def setting() -> None:
        for number in count():
            await anyio.sleep(random.uniform(0.6, 1.2) * step_every)
            weather.steps.append(STEPS_SECONDS[number % len(STEPS_SECONDS)])
            put_clock(weather.clock, weather.steps[-1])

    async with anyio.create_task_group() as group:
        group.start_soon(filling)
        group.start_soon(setting)


async def troubling(gateways: RunningGateways, random: Random, every_seconds: float) -> None:
    """Let connections break before a request is read, and answers be held back after a job was accepted."""
    while True:
        await anyio.sleep(random.uniform(0.5, 1.5) * every_seconds)
        gateway = random.choice(GATEWAYS)
        if random.random() < 0.5:
            await gateways.set_behaviour(gateway, random.choice(ARMED))
            continue
        await gateways.hold(gateway, 2)
        await anyio.sleep(random.uniform(0.5, 3))
        await gateways.release(gateway, cut=random.random() < 0.5)
