"""`python -m tests.benchmarks looks [--tasks N]`: submissions and looks a second of one process.

The gateway answers at once, in a process of its own; the store, its synced journal, the leases and HTTP are real. Each
task is looked at as soon as the others let it: how often one is looked at in life, the cadence decides.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import anyio
from pydantic import SecretStr

from rushes.domain.job import Job, Observation
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.fact_files import load_facts
from rushes.providers.provider import AnswerSink, ProviderSettings
from rushes.providers.registry import format_class
from rushes.tasks.clock import SystemClock
from rushes.tasks.engine import Engine

from ..tasks.engines import a_wish, an_engine

ROUNDS = 3
AT_ONCE = 32


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


def _provider(port: int) -> Counting:
    settings = ProviderSettings(
        name="routeany", wire="routeany", base_url=f"http://127.0.0.1:{port}", api_key=SecretStr("sk-benchmark")
    )
    return Counting(settings, format_class("routeany")(settings), load_facts("routeany"))


async def _submitted(engine: Engine, count: int) -> list[str]:
    task_ids: list[str] = []
    slots = anyio.CapacityLimiter(AT_ONCE)

    async def submit(number: int) -> None:
        async with slots:
            answer = await engine.generate(a_wish(f"a fox, {number}", model="veo-3.1"))
            assert answer.record.job is not None, answer.record
            task_ids.append(answer.record.task_id)

    async with anyio.create_task_group() as group:
        for number in range(count):
            group.start_soon(submit, number)
    return task_ids


async def _looked_at(engine: Engine, provider: Counting, task_ids: Sequence[str]) -> None:
    provider.done, provider.wanted = anyio.Event(), provider.looks + len(task_ids)
    for task_id in task_ids:
        engine._queue.schedule(task_id)  # pyright: ignore[reportPrivateUsage]
    await provider.done.wait()


async def _measured(port: int, home: Path, count: int) -> list[str]:
    provider = _provider(port)
    async with an_engine(home, provider, clock=SystemClock()) as engine:
        began, processor = time.perf_counter(), time.process_time()
        task_ids = await _submitted(engine, count)
        lines = [_line("submissions", count, began, processor)]
        for _ in range(ROUNDS):
            began, processor = time.perf_counter(), time.process_time()
            await _looked_at(engine, provider, task_ids)
            lines.append(_line("looks", count, began, processor))
    await provider.aclose()
    return lines


def _line(what: str, count: int, began: float, processor: float) -> str:
    seconds, worked = time.perf_counter() - began, time.process_time() - processor
    return f"{what:<12} {count / seconds:7.0f} a second   {1000 * worked / count:5.2f} ms of processor each"


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks looks")
    parser.add_argument("--tasks", type=int, default=1000)
    asked = parser.parse_args(arguments)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.answering"], stdout=subprocess.PIPE, text=True
    ) as gateway:
        assert gateway.stdout is not None
        port = int(gateway.stdout.readline())
        try:
            with tempfile.TemporaryDirectory() as home:
                print("\n".join(anyio.run(_measured, port, Path(home), asked.tasks)))  # noqa: T201
        finally:
            gateway.kill()
    return 0
