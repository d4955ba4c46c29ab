"""One soak: two homes on a disk that gets full, servers on one and engine processes on the other."""

import shutil
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import anyio
from anyio import to_thread

from ..clocks import put_clock
from ..crash.crew import Crew, crew_of, nursery_process
from ..crash.orders import Order
from ..crash.scenario import LATER_SECONDS
from ..gateways.client import RunningGateways, running_gateways
from ..served import without_keys
from .agents import Agent, Counts, Servers
from .asking import GATEWAYS, Asked, Asking
from .balance import Balance, balance_of, books_of, keys_in
from .disk import a_disk
from .faults import DOWNLOAD_BYTES_MAX, Lives, Weather, Workers, ended_oddly, killing, troubling, weathering, with_all

MEMORY_MAX_MIB = 400
"""More than a server may ever have."""
REST_SECONDS = 300.0
TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Plan:
    """How long, how much, how often; times in seconds."""

    seconds: float
    seed: int
    servers: int = 3
    workers: int = 3
    agents: int = 6
    pause: float = 2.0
    kill_every: float = 8.0
    trouble_every: float = 6.0
    full_every: float = 45.0
    step_every: float = 30.0

    @classmethod
    def of(cls, seconds: float, seed: int) -> "Plan":
        """With the disk full and the clock set at least twice, however short it is."""
        return cls(seconds, seed, full_every=min(45.0, seconds / 3), step_every=min(30.0, seconds / 4))


@dataclass
class Outcome:
    """Everything that the report tells."""

    plan: Plan
    seconds: float = 0.0
    rest_seconds: float = 0.0
    disk: str = ""
    counts: Counts = field(default_factory=Counts)
    lives: Lives = field(default_factory=Lives)
    times_full: int = 0
    steps: list[float] = field(default_factory=list[float])
    balance: Balance = field(default_factory=Balance)

    @property
    def kills(self) -> int:
        return self.counts.killed + self.lives.killed + self.lives.killed_at


async def soak(plan: Plan, folder: Path) -> Outcome:
    """Run it in an empty folder; everything is at rest and matched when it returns."""
    outcome = Outcome(plan)
    async with AsyncExitStack() as stack:
        log = stack.enter_context((folder / "others.log").open("wb")).fileno()
        longest = 2 * plan.seconds + 2 * REST_SECONDS
        gateways = await stack.enter_async_context(running_gateways(*GATEWAYS, max_seconds=longest, errors=log))
        crew = await stack.enter_async_context(crew_of(stack.enter_context(nursery_process(log))))
        servers = Servers(_settings(folder, gateways), _made(folder / "logs"), Random(plan.seed), outcome.counts)
        disk = stack.enter_context(a_disk(folder / "disk", lambda: [host.pid for host in servers.living]))
        weather = Weather(disk, folder / "clock")
        put_clock(weather.clock, 0)
        outcome.disk, outcome.steps = disk.how, weather.steps
        _configure(folder)
        asking = Asking(Random(plan.seed + 1))
        workers = Workers(
            _made(disk.folder / "workers"),
            _made(folder / "logs" / "workers"),
            crew,
            gateways,
            asking,
            Random(plan.seed + 2),
            weather,
            outcome.lives,
        )
        began = time.monotonic()
        await _live(plan, servers, workers, asking, gateways, weather)
        outcome.seconds = time.monotonic() - began
        outcome.times_full = weather.times_full
        await to_thread.run_sync(disk.make_room)
        problems = await _rest(crew, gateways, disk.folder, folder, weather.clock)
        outcome.rest_seconds = time.monotonic() - began - outcome.seconds
        outcome.balance = await _balance(asking.asked, gateways, folder, disk.folder)
        wrong = [*problems, *outcome.counts.wrong_ends, *outcome.lives.faults]
        if outcome.counts.peak_mib > MEMORY_MAX_MIB:
            wrong.append(f"a server had {outcome.counts.peak_mib} MiB of memory")
        outcome.balance.mismatches[:0] = wrong
        if outcome.balance.mismatches and disk.own:
            await to_thread.run_sync(shutil.copytree, disk.folder, folder / "homes")
    return outcome


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _settings(folder: Path, gateways: RunningGateways) -> Mapping[str, str]:
    homes = {"RUSHES_HOME": str(folder / "disk" / "servers"), "RUSHES_CONFIG": str(folder / "rushes.toml")}
    return {**without_keys(), **gateways.only(*GATEWAYS), **homes, "RUSHES_LOG_LEVEL": "info"}


def _configure(folder: Path) -> None:
    tables = [
        f"[providers.{name}]\ntimeout_seconds = {TIMEOUT_SECONDS}\nrequests_per_minute = 6000" for name in GATEWAYS
    ]
    limits = f'[limits]\ndisk_free_min = "1 MB"\ndownload_bytes_max = {DOWNLOAD_BYTES_MAX}'
    (folder / "rushes.toml").write_text("\n\n".join([*tables, limits, ""]), encoding="utf-8")


async def _live(
    plan: Plan, servers: Servers, workers: Workers, asking: Asking, gateways: RunningGateways, weather: Weather
) -> None:
    """All at once, for the time of the plan; then everybody finishes what it does, and the servers are told to end."""
    finishing, closing = anyio.Event(), anyio.Event()
    randoms = iter([Random(plan.seed + 10 + number) for number in range(plan.agents + 3)])
    async with anyio.create_task_group() as group:
        for _ in range(plan.servers):
            group.start_soon(servers.keep_one, closing.is_set)
        async with anyio.create_task_group() as work:
            for _ in range(plan.workers):
                work.start_soon(workers.keep_one, finishing.is_set)
            for _ in range(plan.agents):
                work.start_soon(Agent(servers, asking, next(randoms), plan.pause).work, finishing.is_set)
            async with anyio.create_task_group() as faults:
                faults.start_soon(killing, servers, next(randoms), plan.kill_every)
                faults.start_soon(weathering, weather, next(randoms), plan.full_every, plan.step_every)
                faults.start_soon(troubling, gateways, next(randoms), plan.trouble_every)
                await anyio.sleep(plan.seconds)
                faults.cancel_scope.cancel()
            await gateways.release()
            finishing.set()
        closing.set()
        for host in list(servers.living):
            await host.end("EOF")


async def _rest(crew: Crew, gateways: RunningGateways, disk: Path, folder: Path, clock: Path) -> list[str]:
    """Processes without a fuse bring everything to its end, when searches for lost jobs are over."""
    problems: list[str] = []

    async def bring(home: Path) -> None:
        order = Order(
            order=f"rest-{home.name}",
            home=home,
            notes=folder / "logs" / "workers",
            gateway=GATEWAYS[0],
            clock_file=clock,
            receipts=True,
            takes_up=True,
            download_bytes_max=DOWNLOAD_BYTES_MAX,
            clock_ahead_seconds=LATER_SECONDS,
            longest_seconds=REST_SECONDS,
        )
        worker = await crew.start(with_all(order, gateways))
        if await worker.ends() != 0:
            problems.append(f"{home.name} are not at rest after {REST_SECONDS:.0f} s: {ended_oddly(worker)}")

    async with anyio.create_task_group() as group:
        for home in (disk / "servers", disk / "workers"):
            group.start_soon(bring, home)
    return problems


async def _balance(asked: list[Asked], gateways: RunningGateways, folder: Path, disk: Path) -> Balance:
    balance = balance_of(asked, await books_of(gateways, [disk / "servers", disk / "workers"]))
    for violation in await gateways.violations():
        balance.mismatches.append(f"sent to {violation.gateway}: {violation.kind}, {violation.detail}")
    leaks = sum(fetch.authorization != "absent" for fetch in await gateways.fetches())
    if leaks:
        balance.mismatches.append(f"{leaks} downloads from another host carried a key")
    keys = [value for name, value in gateways.environment.items() if name.endswith("_API_KEY")]
    balance.mismatches += [f"a key is in {file}" for file in keys_in(folder, keys)]
    return balance
