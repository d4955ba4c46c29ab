"""`python -m tests.benchmarks looks [--tasks N] [--waiting N] [--write]`: how much one process can watch and submit.

The gateway answers at once, in a process of its own; the store, its synced journal, the leases and HTTP are real. Each
task is looked at as soon as the others let it: how often one is looked at in life, the cadence decides.
"""

import argparse
import gc
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
from pydantic import SecretStr

from rushes.domain.job import Job, Observation
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.fact_files import load_facts
from rushes.providers.provider import AnswerSink, ProviderSettings
from rushes.providers.registry import format_class
from rushes.server.process import GARBAGE_MIN
from rushes.tasks.clock import SystemClock
from rushes.tasks.engine import Engine, Limits

from ..altered import altered
from ..tasks.engines import a_wish, an_engine
from . import cadence, over_http
from .pages import rewritten

ROUNDS = 1
AT_ONCE = 32
SUBMISSIONS = 1000
PACED_PER_SECOND, PACED_SECONDS = 300, 10
TICK_SECONDS = 0.01
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
AS_IN_LIFE = Limits(shutdown_grace_seconds=0.2)


class Counting(HttpProvider):
    """Tells when so many looks were made."""

    looks = 0
    wanted = 0
    done = anyio.Event()

    async def poll(self, job: Job, *, sink: AnswerSink | None = None) -> Observation:
        seen = await super().poll(job, sink=sink)
        self.looks += 1
        if self.looks >= self.wanted:
            self.done.set()
        return seen


class Stretch:
    """Wall clock and processor time of a stretch of work of this process, all its threads together."""

    def __init__(self) -> None:
        self._began, self._processor = time.perf_counter(), time.process_time()

    def row(self, what: str, count: int, goal: str) -> str:
        seconds, worked = time.perf_counter() - self._began, time.process_time() - self._processor
        each = 1000 * worked / count
        return f"| {what} | {count / seconds:.0f}; {each:.2f} ms, enough for {1000 / each:.0f} | {goal} |"


def _provider(port: int) -> Counting:
    settings = ProviderSettings(
        name="routeany", wire="routeany", base_url=f"http://127.0.0.1:{port}", api_key=SecretStr("sk-benchmark")
    )
    return Counting(settings, format_class("routeany")(settings), load_facts("routeany"))


async def _submitted(engine: Engine, numbers: range) -> list[str]:
    task_ids: list[str] = []
    slots = anyio.CapacityLimiter(AT_ONCE)

    async def submit(number: int) -> None:
        async with slots:
            answer = await engine.generate(a_wish(f"a fox, {number}", model="veo-3.1"))
            assert answer.record.job is not None, answer.record
            task_ids.append(answer.record.task_id)

    async with anyio.create_task_group() as group:
        for number in numbers:
            group.start_soon(submit, number)
    return task_ids


async def _waiting(engine: Engine, like: str, count: int) -> list[str]:
    """So many more tasks that wait like that one, put into the journal and held as those that were submitted here."""
    records = engine._journal  # pyright: ignore[reportPrivateUsage]
    first = await records.read(like)
    assert first is not None
    assert first.job is not None
    task_ids = [f"{like[:-7]}{number:07}" for number in range(count)]
    slots = anyio.CapacityLimiter(AT_ONCE)

    async def put(number: int) -> None:
        async with slots:
            job = Job(job_id=f"like-{number}", model=first.model)
            changes = {"task_id": task_ids[number], "job": job, "fingerprint": None}
            record, _ = await records.create(altered(first, changes), force_new=True)
            engine._queue.schedule(record.task_id, 3600.0)  # pyright: ignore[reportPrivateUsage]

    for begin in range(0, count, 1000):
        async with anyio.create_task_group() as group:
            for number in range(begin, min(begin + 1000, count)):
                group.start_soon(put, number)
    return task_ids


async def _held(engine: Engine, like: str, count: int) -> None:
    """So many more tasks as this process knows them between two looks; the store's rows are on the disk only."""
    first = await engine._journal.read(like)  # pyright: ignore[reportPrivateUsage]
    assert first is not None
    held, steps = engine._journal._held, engine._work.advancer  # pyright: ignore[reportPrivateUsage]
    for number in range(count):
        job = Job(job_id=f"like-{number}", model=first.model)
        record = altered(first, {"task_id": f"{like[:-7]}{number:07}", "job": job})
        held.keep(record, held.turn)
        engine._queue.schedule(record.task_id, 3600.0)  # pyright: ignore[reportPrivateUsage]
        steps._steady.now(record.task_id)  # pyright: ignore[reportPrivateUsage]
        steps._lanes[record.task_id] = steps._lane_for(record)  # pyright: ignore[reportPrivateUsage]
        if number % 100 == 0:
            await anyio.lowlevel.checkpoint()


async def _looked_at(engine: Engine, provider: Counting, task_ids: Sequence[str]) -> None:
    provider.done, provider.wanted = anyio.Event(), provider.looks + len(task_ids)
    for task_id in task_ids:
        engine._queue.schedule(task_id)  # pyright: ignore[reportPrivateUsage]
    await provider.done.wait()


async def _lateness(engine: Engine, task_ids: Sequence[str]) -> list[float]:
    """How late the event loop wakes a sleeper up, in seconds, while looks are due at an even pace."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            due = time.perf_counter() + TICK_SECONDS
            await anyio.sleep(TICK_SECONDS)
            late.append(time.perf_counter() - due)

    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        for number in range(PACED_PER_SECOND * PACED_SECONDS):
            engine._queue.schedule(  # pyright: ignore[reportPrivateUsage]
                task_ids[number % len(task_ids)], number / PACED_PER_SECOND
            )
        await anyio.sleep(PACED_SECONDS)
        group.cancel_scope.cancel()
    return late


def resident_bytes() -> int:
    """Memory of this process in RAM now (Linux)."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES


@asynccontextmanager
async def _engine(port: int, home: Path) -> AsyncGenerator[tuple[Engine, Counting]]:
    provider = _provider(port)
    async with an_engine(home, provider, clock=SystemClock(), limits=AS_IN_LIFE) as engine:
        # As the process does that serves (server/process.py).
        gc.freeze()
        gc.set_threshold(GARBAGE_MIN)
        yield engine, provider
    await provider.aclose()


async def _work(port: int, home: Path, tasks: int) -> list[str]:
    async with _engine(port, home) as (engine, provider):
        await _submitted(engine, range(AT_ONCE))
        stretch = Stretch()
        task_ids = await _submitted(engine, range(AT_ONCE, AT_ONCE + SUBMISSIONS))
        rows = [stretch.row("submissions a second, journal synced; processor time of each", SUBMISSIONS, "≥ 300")]
        task_ids += await _waiting(engine, task_ids[0], tasks - len(task_ids))
        await _looked_at(engine, provider, task_ids)
        stretch = Stretch()
        for _ in range(ROUNDS):
            await _looked_at(engine, provider, task_ids)
        rows.append(
            stretch.row(f"looks a second, {tasks:,} tasks in flight; processor time of each", ROUNDS * tasks, "≥ 600")
        )
        late = statistics.quantiles(await _lateness(engine, task_ids), n=100)[98]
        what = f"event loop late, p99, {tasks:,} in flight at {PACED_PER_SECOND} looks a second"
        return [*rows, f"| {what} | {1000 * late:.1f} ms | ≤ 20 ms |"]


async def _memory(port: int, home: Path, waiting: int) -> list[str]:
    async with _engine(port, home) as (engine, provider):
        task_ids = await _submitted(engine, range(AT_ONCE))
        await _looked_at(engine, provider, task_ids)
        before = resident_bytes()
        await _held(engine, task_ids[0], waiting)
        after = resident_bytes()
    each, whole = (after - before) / waiting / 1024, after / 2**20
    return [
        f"| memory of a waiting task | {each:.2f} KiB | ≤ 1 KiB |",
        f"| memory of a process with {waiting:,} of them (RSS) | {whole:.0f} MiB | ≤ 160 MiB |",
    ]


def _over_http() -> list[str]:
    with tempfile.TemporaryDirectory() as home:
        return over_http.rows(Path(home))


def _cadence() -> list[str]:
    return [
        f"| {case.what} | {case.looks:.1f} x {case.lag:.2f} s = {case.looks * case.lag:.1f} s: {case.ratio:.2f} x "
        f"| {case.bound:.1f} s; ≤ 1.15 x |"
        for case in cadence.cases()
    ]


def measured(what: str, count: int) -> list[str]:
    """The rows of one measurement, made in this process with a gateway in another."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.answering"], stdout=subprocess.PIPE, text=True
    ) as gateway:
        assert gateway.stdout is not None
        port = int(gateway.stdout.readline())
        try:
            with tempfile.TemporaryDirectory() as home:
                return anyio.run(_work if what == "work" else _memory, port, Path(home), count)
        finally:
            gateway.kill()


def _apart(what: str, count: int) -> list[str]:
    """The same in a fresh process, which loads no other benchmark, so that none inherits another's memory."""
    found = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.looks", "--only", what, "--tasks", str(count)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return found.stdout.splitlines()


def main(arguments: Sequence[str]) -> int:
    """Measure and print, and write if asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks looks")
    parser.add_argument("--tasks", type=int, default=10_000, help="in flight")
    parser.add_argument("--waiting", type=int, default=100_000, help="for the memory they take")
    parser.add_argument("--only", choices=("work", "memory"), help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    asked = parser.parse_args(arguments)
    if asked.only is not None:
        print("\n".join(measured(asked.only, asked.tasks)))  # noqa: T201
        return 0
    load = os.getloadavg()[0]
    rows = [*_apart("work", asked.tasks), *_apart("memory", asked.waiting), *_over_http(), *_cadence()]
    table = "\n".join(["| | rushes | goal or bound |", "|---|---|---|", *rows])
    print(table)  # noqa: T201
    if asked.write:
        cores = os.cpu_count()
        where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {cores} cores"
        rewritten("looks", f"One run. {where}, load before it {load:.1f}.\n\n{table}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
