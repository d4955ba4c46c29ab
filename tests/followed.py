"""What coverage follows in `.ci/run`: pytest's own processes, and of what tests start those that ask for it.

To be followed doubles what a test takes of the processor. So the tests of a file are followed as long as they bring
something new, and the cases of one test likewise: what is left out can make the figure smaller, never larger. A
followed process takes a third as much time again, and its start twice as much; one that is killed tells nothing. What
runs only in a process that a test starts is followed by the fixture below.
"""

import os
import time
from collections import defaultdict
from collections.abc import Collection, Generator, Mapping
from typing import TYPE_CHECKING, Final

import pytest

from .forks.zygote import STARTS_COVERAGE

if TYPE_CHECKING:
    from coverage import Coverage

BARREN_SECONDS: Final = 1.0
"""Of processor, in which the tests of a file bring nothing new before the rest of them is not followed."""
BARREN_CASES_SECONDS: Final = 0.05
"""The same for the cases of one test. Both together leave out a quarter of the time, and 0.2 points of the figure."""


class Follower:
    """Coverage as it runs in this process, which can be held up."""

    def __init__(self, coverage: "Coverage") -> None:
        self._coverage = coverage
        self._follows = True

    def turn(self, *, on: bool) -> None:
        if on != self._follows:
            (self._coverage.start if on else self._coverage.stop)()
            self._follows = on

    def seen(self) -> int:
        """How many steps from a line to the next it has seen."""
        # By its name, because whatever is public writes them into the file first.
        files: Mapping[str, Collection[object]] = getattr(self._coverage, "_collector").data  # noqa: B009
        return sum(map(len, tuple(files.values())))

    def save(self) -> None:
        self.turn(on=False)
        self._coverage.save()


def _follower() -> Follower | None:
    """Of this process, if coverage has started with it."""
    if not _settings:
        return None
    from coverage import Coverage

    current = Coverage.current()
    return None if current is None else Follower(current)


_settings: Final = os.environ.get(STARTS_COVERAGE)
_following: Final = _follower()
_barren: Final = defaultdict[str, float](float)
"""Seconds since a file, or a test of several cases, has brought something new in this process; by node id."""

if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ.pop(STARTS_COVERAGE, None)
    if _following and worker != "gw0":
        # All import the same while they collect tests: it is enough to see it once.
        _following.turn(on=False)


def pytest_xdist_setupnodes() -> None:
    """Whoever has workers runs no test."""
    if _following:
        _following.turn(on=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if not _following:
        return (yield)
    file, test = item.nodeid.partition("::")[0], item.nodeid.partition("[")[0]
    followed = _barren[file] < BARREN_SECONDS and _barren[test] < BARREN_CASES_SECONDS
    _following.turn(on=followed)
    if not followed:
        return (yield)
    seen, began = _following.seen(), time.process_time()
    ran = yield
    brought, used = _following.seen() > seen, time.process_time() - began
    for group in (file, test):
        _barren[group] = 0 if brought else _barren[group] + used
    return ran


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Write down what was followed: pytest-xdist kills a worker that has not ended 10 s after this."""
    if _following:
        _following.save()


@pytest.fixture
def followed_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test starts is followed by coverage, if pytest itself is."""
    if _settings:
        monkeypatch.setenv(STARTS_COVERAGE, _settings)
