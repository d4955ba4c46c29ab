"""One nursery and one tally for all tests of this folder."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from .crew import Crew, crew_of, nursery_process
from .table import TABLE_VARIABLE
from .tally import Tally

TALLY = pytest.StashKey[Tally]()


@pytest.fixture(scope="session")
def nursery() -> Iterator[subprocess.Popen[bytes]]:
    with nursery_process() as process:
        yield process


@pytest.fixture
async def crew(nursery: subprocess.Popen[bytes]) -> AsyncIterator[Crew]:
    async with crew_of(nursery) as crew:
        yield crew


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Tally:
    """What the summary at the end of the run is made of."""
    return request.config.stash.setdefault(TALLY, Tally())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    tally = config.stash.get(TALLY, None)
    if tally is None or not tally.rows:
        return
    terminalreporter.section(f"durability: {tally.kills} kills")
    terminalreporter.write_line(tally.text())
    if target := os.environ.get(TABLE_VARIABLE):
        Path(target).write_text(f"{tally.kills}\n{tally.markdown()}\n", encoding="utf-8")
