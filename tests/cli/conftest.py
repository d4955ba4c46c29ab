"""Commands run in processes of their own only where that is the question; their lines count there too."""

import pytest


@pytest.fixture(autouse=True)
def processes_are_followed(followed_children: None) -> None:
    """By coverage, if pytest itself is."""
