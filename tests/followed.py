"""Which processes coverage follows in `.ci/run`: pytest's own, and of what tests start those that ask for it.

A followed process takes a third as much time again, and its start twice as much; one that is killed tells nothing. What
runs only in a process that a test starts is followed by the fixture below.
"""

import os
from typing import Final

import pytest

from .forks.zygote import STARTS_COVERAGE

_settings: Final = os.environ.get(STARTS_COVERAGE)

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.pop(STARTS_COVERAGE, None)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Write down what was followed: pytest-xdist kills a worker that has not ended 10 s after this."""
    if _settings:
        from coverage import Coverage

        following = Coverage.current()
        if following is not None:
            following.stop()
            following.save()


@pytest.fixture
def followed_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test starts is followed by coverage, if pytest itself is."""
    if _settings:
        monkeypatch.setenv(STARTS_COVERAGE, _settings)
