"""The summary of a run: the tallies of all tests, whichever process of pytest they ran in.

A plugin, because the process that prints the end of a run collects no tests, and so reads no `conftest.py` below its
arguments.
"""

import os
from pathlib import Path
from typing import Final

import pytest
from pydantic import TypeAdapter

from .table import TABLE_VARIABLE
from .tally import Row, Tally

PROPERTY: Final = "durability"
_ROWS: Final = TypeAdapter(list[Row])


def tell(item: pytest.Item, tally: Tally) -> None:
    """Put a test's tally into the report of its teardown."""
    item.user_properties.append((PROPERTY, _ROWS.dump_json(list(tally.rows.values())).decode()))


class Summary:
    """Adds the tallies up and prints them; writes the table where one is asked for."""

    def __init__(self) -> None:
        self._tally = Tally()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            for name, value in report.user_properties:
                if name == PROPERTY:
                    self._tally.join(Tally(_ROWS.validate_json(str(value))))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._tally.rows:
            return
        terminalreporter.section(f"durability: {self._tally.kills} kills")
        terminalreporter.write_line(self._tally.text())
        terminalreporter.write_line(self._tally.sentence())
        if target := os.environ.get(TABLE_VARIABLE):
            Path(target).write_text(f"{self._tally.sentence()}\n\n{self._tally.markdown()}\n", encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Summary(), "durability-summary")
