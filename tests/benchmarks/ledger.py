"""`python -m tests.benchmarks ledger [--batches N] [--write]`: what the ledger adds to a submission, in processor time.

The same code over the same gateway, which answers at once in a process of its own, three times side by side: without
lines in the ledger, with them and a price to reserve, and with budgets to hold it against besides. They take turns with
batches of submissions in an order drawn by lot, so that a machine that is busy is busy for all.
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
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from random import Random

import anyio
from pydantic import SecretStr

from rushes.domain.budget import Budget
from rushes.domain.money import Price
from rushes.providers.client.gateway import HttpProvider
from rushes.providers.fact_files import load_facts
from rushes.providers.provider import ProviderSettings
from rushes.providers.registry import format_class
from rushes.server.process import GARBAGE_MIN
from rushes.tasks.clock import SystemClock
from rushes.tasks.engine import Engine, Limits
from rushes.tasks.journal import no_lines

from ..tasks.engines import a_wish, an_engine
from .pages import rewritten

GOAL = 0.05
"""Of a submission without the ledger, at most so much more."""

AT_ONCE = 32
BATCH = 64
FRESH_AFTER = 15
"""Batches, after which all three begin in new homes: the more tasks are in one, the more is done in the background."""
PRICES = {"routeany/veo-3.1": Price(per_second={"default": Decimal("0.05")})}
AMPLE = Budget(per_task=Decimal(10), per_day=Decimal(100_000), per_month=Decimal(100_000))
LIMITS = Limits(shutdown_grace_seconds=0.2)

WITHOUT, LEDGER, BUDGETS = "without the ledger", "with the ledger, a price reserved", "the same, with budgets"


async def _submit(engine: Engine, numbers: range, what: str) -> float:
    """Milliseconds of processor time of each submission; all threads of this process together."""
    slots = anyio.CapacityLimiter(AT_ONCE)

    async def submit(number: int) -> None:
        async with slots:
            wish = a_wish(f"a fox, {number}", model="veo-3.1", duration_seconds=4)
            record = (await engine.generate(wish)).record
            assert record.job is not None, record
            assert (record.estimate is not None) == (what != WITHOUT), record

    worked = time.process_time()
    async with anyio.create_task_group() as group:
        for number in numbers:
            group.start_soon(submit, number)
    return 1000 * (time.process_time() - worked) / len(numbers)


async def _engines(stack: AsyncExitStack, port: int, home: Path) -> Mapping[str, Engine]:
    engines: dict[str, Engine] = {}
    for number, what in enumerate((WITHOUT, LEDGER, BUDGETS)):
        settings = ProviderSettings(
            name="routeany",
            wire="routeany",
            base_url=f"http://127.0.0.1:{port}",
            api_key=SecretStr("sk-benchmark"),
            requests_per_minute=1_000_000,
        )
        provider = HttpProvider(settings, format_class("routeany")(settings), load_facts("routeany"))
        stack.push_async_callback(provider.aclose)
        engines[what] = await stack.enter_async_context(
            an_engine(
                home / str(number),
                provider,
                clock=SystemClock(),
                limits=LIMITS,
                prices={} if what == WITHOUT else PRICES,
                budgets=[AMPLE] if what == BUDGETS else [],
            )
        )
    engines[WITHOUT]._journal._lines_of = no_lines  # pyright: ignore[reportPrivateUsage]
    return engines


async def measured(port: int, home: Path, batches: int) -> Mapping[str, Sequence[float]]:
    """Milliseconds of each submission, batch by batch."""
    # As in the process that serves.
    gc.freeze()
    gc.set_threshold(GARBAGE_MIN)
    found: dict[str, list[float]] = {WITHOUT: [], LEDGER: [], BUDGETS: []}
    orders = Random(batches)
    for begun in range(0, batches, FRESH_AFTER):
        async with AsyncExitStack() as stack:
            engines = await _engines(stack, port, home / str(begun))
            for batch in range(min(FRESH_AFTER, batches - begun) + 1):
                # What one leaves to be done in the background falls on whichever comes next.
                for what in orders.sample(list(engines), len(engines)):
                    took = await _submit(engines[what], range(batch * BATCH, (batch + 1) * BATCH), what)
                    if batch:
                        found[what].append(took)
    return found


def table(found: Mapping[str, Sequence[float]]) -> str:
    """Medians, and the median of what each batch took beside the one without."""
    lines = ["| a submission | processor time | beside without | goal |", "|---|---|---|---|"]
    for what, times in found.items():
        more = statistics.median(time / least for time, least in zip(times, found[WITHOUT], strict=True)) - 1
        beside, goal = ("", "") if what == WITHOUT else (f"{100 * more:+.1f} %", f"≤ {100 * GOAL:.0f} %")
        lines.append(f"| {what} | {statistics.median(times):.2f} ms | {beside} | {goal} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Measure and print, and write if asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks ledger")
    parser.add_argument("--batches", type=int, default=30, help=f"of {BATCH} submissions each way")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    asked = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    command = [sys.executable, "-m", "tests.benchmarks.answering"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as gateway:
        assert gateway.stdout is not None
        try:
            with tempfile.TemporaryDirectory() as home:
                found = anyio.run(measured, int(gateway.stdout.readline()), Path(home), asked.batches)
        finally:
            gateway.kill()
    shown = table(found)
    print(shown)  # noqa: T201
    if asked.write:
        where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
        what = f"Medians of {asked.batches} batches of {BATCH} submissions each way, in turns"
        rewritten("ledger", f"{what}. {where}, load before it {load:.1f}.\n\n{shown}")
    return 0
