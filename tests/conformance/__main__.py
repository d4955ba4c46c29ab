"""Run the conformance suite: `python -m tests.conformance [rushes|everything] [--install]`.

Both wires against each server, with what is expected to fail read from `expected/SERVER-WIRE.yml`; and the scenarios of
the Tasks extension, which are in no suite, against `everything`, where all must pass. Exits with 1 on any difference,
also where something passes that was expected to fail. `--install` only gets what is needed.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from ..node import NODE, environment, installed
from ..served import serving

HERE = Path(__file__).parent

SERVERS = {
    "rushes": ["-m", "rushes", "serve", "--transport", "http", "--port", "0"],
    "everything": ["-m", "tests.conformance.everything"],
}
WIRES = ("2025-11-25", "2026-07-28")
TASKS = "tasks-"

SUITE_SECONDS = 600
SCENARIO_MS = 60_000
"""Generous, so that a busy machine changes nothing."""


class Suite:
    """The suite's command, and where its results go."""

    def __init__(self, results: Path) -> None:
        self._command = [
            str(NODE),
            str(installed(HERE) / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"),
        ]
        self._results = results

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code, and what it said."""
        done = subprocess.run(
            [*self._command, *arguments],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=SUITE_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout

    def task_scenarios(self) -> list[str]:
        """The scenarios of the Tasks extension that this version of the suite has."""
        _, listing = self.run("list", "--server")
        return re.findall(rf"- ({TASKS}\S+)", listing)

    def on_wire(self, url: str, wire: str, expected: Path) -> bool:
        """All scenarios of one wire; whether exactly the expected ones fail."""
        code, said = self.run(
            *("server", "--url", url, "--spec-version", wire, "--suite", "all", "--timeout", str(SCENARIO_MS)),
            *("--expected-failures", str(expected), "--output-dir", str(self._results / expected.stem)),
        )
        summary = said[said.find("=== SUMMARY ===") :] if code == 0 else said
        totals = re.findall(r"^Total: .*", said, re.MULTILINE)
        report(expected.stem, totals[-1] if totals else "no totals", summary, code)
        return code == 0 and bool(totals)

    def scenario(self, url: str, name: str) -> bool:
        """One scenario; whether all its checks pass."""
        code, said = self.run("server", "--url", url, "--scenario", name, "--timeout", str(SCENARIO_MS))
        totals = re.findall(r"^Passed: .*", said, re.MULTILINE)
        total = totals[-1] if totals else "no totals"
        report(name, f"{total} (the suite skips it)" if "Passed: 0/0" in total else total, said, code)
        return code == 0 and bool(totals)


def report(name: str, total: str, details: str, code: int) -> None:
    """One line, and everything that was said where something is wrong."""
    print(f"{'ok  ' if code == 0 else 'FAIL'} {name}: {total}", flush=True)  # noqa: T201
    if code:
        print(details, flush=True)  # noqa: T201


def conforms(server: str, folder: Path) -> bool:
    """Whether everything that is run against one server goes as expected."""
    suite = Suite(folder)
    with serving(SERVERS[server], folder / server) as url:
        outcomes = [suite.on_wire(url, wire, HERE / "expected" / f"{server}-{wire}.yml") for wire in WIRES]
        if server == "everything":
            outcomes += [suite.scenario(url, name) for name in suite.task_scenarios()]
    return all(outcomes)


def main() -> int:
    """Run everything, or one server's part."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    parser.add_argument("servers", nargs="*", metavar="SERVER", help=" or ".join(SERVERS))
    parser.add_argument("--install", action="store_true", help="only get what is needed into the cache folder")
    asked = parser.parse_args()
    if asked.install:
        installed(HERE)
        return 0
    servers: list[str] = asked.servers
    if unknown := set(servers) - set(SERVERS):
        parser.error(f"no such server: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as folder:
        outcomes = [conforms(server, Path(folder)) for server in servers or SERVERS]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
