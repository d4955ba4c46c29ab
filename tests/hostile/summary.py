"""What a run says of the attacks: which tests of each passed, and the most memory that one of them took.

A plugin of pytest, because the process that prints the end of a run collects no tests. A test tells its figure with the
fixture `record_property`, under the name `PEAK_MIB`.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from .attacks import ATTACKS, Attack

PEAK_MIB: Final = "peak_mib"
TABLE_VARIABLE: Final = "HOSTILE_TABLE"
HEAD: Final = ("attack", "bound", "peak", "held")


@dataclass
class Seen:
    """Of one test function, all its cases together."""

    cases: set[str] = field(default_factory=set[str])
    faults: set[str] = field(default_factory=set[str])
    peak_mib: int | None = None


class Summary:
    """Listens to the reports of all tests; writes the table where one is asked for."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file, _, name = report.nodeid.partition("::")
        seen = self._seen.setdefault(f"{file.removeprefix('tests/')}::{name.partition('[')[0]}", Seen())
        if report.when == "call":
            seen.cases.add(report.nodeid)
            peaks = [int(str(value)) for key, value in report.user_properties if key == PEAK_MIB]
            seen.peak_mib = max([*peaks, *([] if seen.peak_mib is None else [seen.peak_mib])], default=None)
        if not report.passed:
            seen.faults.add(report.nodeid)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        target = os.environ.get(TABLE_VARIABLE)
        if target is None:
            return
        for test in (test for attack in ATTACKS for test in attack.tests if test not in self._seen):
            terminalreporter.write_line(f"there is no test {test}")
        Path(target).write_text(self.markdown(), encoding="utf-8")

    def markdown(self) -> str:
        """The table, under a sentence with its figures."""
        cases = sum(map(self._cases, ATTACKS))
        held = sum(self._cases(attack) > 0 and not self._faults(attack) for attack in ATTACKS)
        head = "| " + " | ".join(HEAD) + " |\n|---|---|---:|---|"
        rows = "\n".join(f"| {' | '.join(self._cells(attack))} |" for attack in ATTACKS)
        return f"One run, {held} of {len(ATTACKS)} attacks held, in {cases} cases:\n\n{head}\n{rows}\n"

    def _cells(self, attack: Attack) -> tuple[str, ...]:
        peaks = [seen.peak_mib for seen in self._of(attack) if seen.peak_mib is not None]
        cases, faults = self._cases(attack), self._faults(attack)
        held = "not tried" if not cases else "no" if faults else f"yes, {cases} {'case' if cases == 1 else 'cases'}"
        return attack.name, attack.bound, f"{max(peaks)} MiB" if peaks else "", held

    def _of(self, attack: Attack) -> list[Seen]:
        return [self._seen[test] for test in attack.tests if test in self._seen]

    def _cases(self, attack: Attack) -> int:
        """How many ran; none where one of its tests is not there, or was left out."""
        found = self._of(attack)
        whole = len(found) == len(attack.tests) and all(seen.cases for seen in found)
        return sum(len(seen.cases) for seen in found) if whole else 0

    def _faults(self, attack: Attack) -> int:
        return sum(len(seen.faults) for seen in self._of(attack))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Summary(), "attacks-summary")
