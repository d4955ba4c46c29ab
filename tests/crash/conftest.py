"""One nursery for all tests of this folder, and a tally for each."""

from collections.abc import AsyncIterator, Iterator

import pytest

from .crew import Crew, Nursery, crew_of, nursery_process
from .summary import tell
from .tally import Tally


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    with nursery_process() as process:
        yield process


@pytest.fixture
async def crew(nursery: Nursery) -> AsyncIterator[Crew]:
    async with crew_of(nursery) as crew:
        yield crew


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """What a test adds to the summary at the end of the run."""
    tally = Tally()
    yield tally
    tell(request.node, tally)
