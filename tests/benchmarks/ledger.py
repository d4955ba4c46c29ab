"""`python -m tests.benchmarks ledger [--batches N] [--write]`: what the ledger adds to a submission, in processor time.

The same code over the same gateway, which answers at once in a process of its own, four times side by side: twice
without lines in the ledger, so that the run shows its own noise, with them and a price to reserve, and with budgets to
hold it against besides. They take turns in an order drawn by lot: with a single submission each, so that neighbours
are a few milliseconds apart and a machine that is busy is busy for all; and with many at once, which share their
transactions and so are cheaper.
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
SINGLES = 8
"""Turns of one submission for each of `AT_ONCE`: their times differ more."""
WARM_AFTER = 4
"""Turns."""
FRESH_AFTER = 960
"""Submissions, after which all begin in new homes: the more tasks are in one, the more is done in the background."""
PRICES = {"routeany/veo-3.1": Price(per_second={"default": Decimal("0.05")})}
AMPLE = Budget(per_task=Decimal(10), per_day=Decimal(100_000), per_month=Decimal(100_000))
LIMITS = Limits(shutdown_grace_seconds=0.2)

WITHOUT, TWIN = "without the ledger", "the same once more"
LEDGER, BUDGETS = "with the ledger, a price reserved", "the same, with budgets"
WAYS = (WITHOUT, TWIN, LEDGER, BUDGETS)

Found = Mapping[str, Sequence[float]]
"""Milliseconds of processor time of a submission, turn by turn."""


async def _submit(engine: Engine, numbers: range, what: str) -> float:
    """Milliseconds of processor time of each submission; all threads of this process together."""

    async def submit(number: int) -> None:
        wish = a_wish(f"a fox, {number}", model="veo-3.1", duration_seconds=4)
        record = (await engine.generate(wish)).record
        assert record.job is not None, record
        assert (record.estimate is not None) == (what in (LEDGER, BUDGETS)), record

    worked = time.process_time()
    async with anyio.create_task_group() as group:
        for number in numbers:
            group.start_soon(submit, number)
    return 1000 * (time.process_time() - worked) / len(numbers)


async def _engines(stack: AsyncExitStack, port: int, home: Path) -> Mapping[str, Engine]:
    engines: dict[str, Engine] = {}
    for number, what in enumerate(WAYS):
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
                prices=PRICES if what in (LEDGER, BUDGETS) else {},
                budgets=[AMPLE] if what == BUDGETS else [],
            )
        )
    for what in (WITHOUT, TWIN):
        engines[what]._journal._lines_of = no_lines  # pyright: ignore[reportPrivateUsage]
    return engines


async def measured(port: int, home: Path, turns: int, at_once: int) -> Found:
    """So many turns of each, with so many submissions at once."""
    # As in the process that serves.
    gc.freeze()
    gc.set_threshold(GARBAGE_MIN)
    found: dict[str, list[float]] = {what: [] for what in WAYS}
    orders, fresh_after = Random(turns), FRESH_AFTER // at_once
    for begun in range(0, turns, fresh_after):
        async with AsyncExitStack() as stack:
            engines = await _engines(stack, port, home / f"{at_once} {begun}")
            for turn in range(min(fresh_after, turns - begun) + WARM_AFTER):
                # What one leaves to be done in the background falls on whichever comes next.
                for what in orders.sample(WAYS, len(WAYS)):
                    took = await _submit(engines[what], range(turn * at_once, (turn + 1) * at_once), what)
                    if turn >= WARM_AFTER:
                        found[what].append(took)
    return found


def beside(found: Found, what: str) -> Sequence[float]:
    """What a submission takes more than one without the ledger, as parts of that: the median of the differences within
    each turn, and the bounds between which it lies with 95 of 100 chances."""
    # From each twin by itself: their mean lies above their medians, as times have a long end.
    usual = [found[WITHOUT]] if what == TWIN else [found[WITHOUT], found[TWIN]]
    more = sorted(time - least for times in usual for time, least in zip(found[what], times, strict=True))
    # The order statistics that bound a median: its rank is binomial, and only turns are independent.
    middle, far = (len(more) - 1) / 2, 0.98 * len(more) / len(found[what]) ** 0.5
    low, high = max(0, round(middle - far)), min(len(more) - 1, round(middle + far))
    whole = statistics.median(time for times in usual for time in times)
    return [each / whole for each in (statistics.median(more), more[low], more[high])]


def rows_of(found: Found, at_once: int) -> Sequence[str]:
    """The rows of the table."""
    rows: list[str] = []
    for what in WAYS:
        more, low, high = (100 * part for part in beside(found, what))
        goal = f"≤ {100 * GOAL:.0f} %" if what in (LEDGER, BUDGETS) else ""
        told = "" if what == WITHOUT else f"{more:+.1f} % ({low:+.1f} … {high:+.1f})"
        rows.append(f"| {what} | {at_once} | {statistics.median(found[what]):.2f} ms | {told} | {goal} |")
    return rows


HEAD = ("| a submission | at once | processor time | beside without (95 % sure) | goal |", "|---|---:|---:|---:|---|")


def main(arguments: Sequence[str]) -> int:
    """Measure and print, and write if asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks ledger")
    parser.add_argument("--batches", type=int, default=120, help=f"of {AT_ONCE} at once, and {SINGLES} x of one")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    asked = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    turns = {1: SINGLES * asked.batches, AT_ONCE: asked.batches}
    rows: list[str] = []
    command = [sys.executable, "-m", "tests.benchmarks.answering"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as gateway:
        assert gateway.stdout is not None
        try:
            port = int(gateway.stdout.readline())
            for at_once, how_many in turns.items():
                with tempfile.TemporaryDirectory() as home:
                    rows += rows_of(anyio.run(measured, port, Path(home), how_many, at_once), at_once)
        finally:
            gateway.kill()
    shown = "\n".join((*HEAD, *rows))
    print(shown)  # noqa: T201
    if asked.write:
        where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
        what = f"Medians of {turns[1]} turns with one submission, and of {turns[AT_ONCE]} with {AT_ONCE} at once"
        rewritten("ledger", f"{what}. {where}, load before it {load:.1f}.\n\n{shown}")
    return 0
