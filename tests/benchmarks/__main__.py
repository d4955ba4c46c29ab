"""Measure rushes beside a bare server of the SDK: `python -m tests.benchmarks [--rounds N] [--write] [--check]`.

Both run on the same Python, in turns, so that a machine that is busy is busy for both; the table shows medians.
`--write` puts it into docs/benchmarks.md, `--check` exits with 1 where rushes starts more slowly than the goal.
`python -m tests.benchmarks looks` measures instead what one process can watch and submit (looks.py),
`python -m tests.benchmarks hooks` what is saved where gateways call back (hooks.py),
`python -m tests.benchmarks decoding` what an output takes in the process that decodes (decoding.py),
`python -m tests.benchmarks films` what a film does (films.py),
`python -m tests.benchmarks searching` how long a search in 100,000 tasks takes (searching.py), and
`python -m tests.benchmarks ledger` what the ledger adds to a submission (ledger.py).
"""

import argparse
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path

from . import decoding, films, hooks, ledger, looks, searching
from .host import Host, hosted
from .pages import DOCUMENT, rewritten

GOAL = 1.05
"""Start-up of rushes at most, in start-ups of the bare server."""

CALLS = 200

RUSHES = ["-m", "rushes", "serve"]
BARE = ["-m", "tests.benchmarks.bare"]


@dataclass(frozen=True)
class Measured:
    """One round with one server."""

    start_seconds: float
    start_processor_seconds: float
    listed_mib: float
    call_ms: float
    call_processor_ms: float
    idle_mib: float


ROWS = {
    "start_seconds": ("start to the answer of `tools/list`", "s", 3),
    "start_processor_seconds": ("the same, processor time", "s", 2),
    "listed_mib": ("memory then (RSS)", "MiB", 1),
    "call_ms": ("one call: `check_task` of a finished task, `add`", "ms", 2),
    "call_processor_ms": ("the same, processor time", "ms", 2),
    "idle_mib": ("memory after the calls, idle (RSS)", "MiB", 1),
}


def measured(arguments: list[str], home: Path, prepare: Callable[[Host], tuple[str, dict[str, object]]]) -> Measured:
    """One round: start, list, prepare a call, and make it many times."""
    with hosted(arguments, home) as (host, started):
        host.greet()
        start_seconds, start_processor_seconds = time.perf_counter() - started, host.processor_seconds()
        listed_mib = host.resident_mib()
        tool, given = prepare(host)
        host.call(tool, **given)
        processor, begun = host.processor_seconds(), time.perf_counter()
        for _ in range(CALLS):
            host.call(tool, **given)
        return Measured(
            start_seconds=start_seconds,
            start_processor_seconds=start_processor_seconds,
            listed_mib=listed_mib,
            call_ms=1000 * (time.perf_counter() - begun) / CALLS,
            call_processor_ms=1000 * (host.processor_seconds() - processor) / CALLS,
            idle_mib=host.resident_mib(),
        )


def add(_: Host) -> tuple[str, dict[str, object]]:
    return "add", {"a": 1, "b": 2}


def check_task(host: Host) -> tuple[str, dict[str, object]]:
    """A finished task: the newest, or a new picture of the sandbox."""
    tasks = host.call("list_tasks", state="succeeded", limit=1)["tasks"]
    if tasks:
        return "check_task", {"task_id": tasks[0]["task_id"]}
    made = host.call("generate_image", prompt="a red fox", provider="sandbox", wait_seconds=45)
    assert made["state"] == "succeeded", made
    return "check_task", {"task_id": made["task_id"]}


def medians(rounds: Sequence[Measured]) -> Measured:
    return Measured(*(statistics.median(getattr(each, field.name) for each in rounds) for field in fields(Measured)))


def table(rushes: Measured, bare: Measured) -> str:
    """The medians as Markdown."""
    lines = ["| | rushes | bare `MCPServer` | ratio |", "|---|---|---|---|"]
    for name, (words, unit, digits) in ROWS.items():
        ours, theirs = getattr(rushes, name), getattr(bare, name)
        ratio = f"{ours / theirs:.2f}" if theirs else "-"
        lines.append(f"| {words} | {ours:.{digits}f} {unit} | {theirs:.{digits}f} {unit} | {ratio} |")
    return "\n".join(lines)


def part(shown: str, rounds: int) -> str:
    """What the page says of this run."""
    where = f"Python {platform.python_version()}, mcp {version('mcp')}, {platform.system()} {platform.machine()}"
    return f"Medians of {rounds} rounds. {where}.\n\n{shown}"


def main() -> int:
    """Measure, print, and write or check if asked."""
    if sys.argv[1:2] == ["looks"]:
        return looks.main(sys.argv[2:])
    if sys.argv[1:2] == ["hooks"]:
        return hooks.main(sys.argv[2:])
    if sys.argv[1:2] == ["decoding"]:
        return decoding.main(sys.argv[2:])
    if sys.argv[1:2] == ["films"]:
        return films.main(sys.argv[2:])
    if sys.argv[1:2] == ["ledger"]:
        return ledger.main(sys.argv[2:])
    if sys.argv[1:2] == ["searching"]:
        return searching.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--write", action="store_true", help=f"write docs/{DOCUMENT.name}")
    parser.add_argument("--check", action="store_true", help="exit with 1 where the start is slower than the goal")
    asked = parser.parse_args()
    ours: list[Measured] = []
    theirs: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for _ in range(asked.rounds + 1):
            theirs.append(measured(BARE, home, add))
            ours.append(measured(RUSHES, home, check_task))
    # The first round fills the caches of the machine.
    rushes, bare = medians(ours[1:]), medians(theirs[1:])
    shown = table(rushes, bare)
    print(shown)  # noqa: T201
    if asked.write:
        rewritten("overhead", part(shown, asked.rounds))
    slow = rushes.start_processor_seconds > GOAL * bare.start_processor_seconds
    return 1 if asked.check and slow else 0


if __name__ == "__main__":
    sys.exit(main())
