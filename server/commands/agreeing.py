"""Asking the person at the terminal whether a price is right."""

import sys
from typing import TYPE_CHECKING

import anyio.to_thread

from ...tools import Asked

if TYPE_CHECKING:
    from .terminal import ProgressLine


async def asked_at_terminal(question: str, line: "ProgressLine") -> Asked:
    """Yes or no, as the person types it; `nobody` where there is no terminal to ask at."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return "nobody"
    line.stop()
    try:
        typed = await anyio.to_thread.run_sync(_typed, question, abandon_on_cancel=True)
    finally:
        line.start()
    return "yes" if typed.strip().lower() in {"y", "yes"} else "no"


def _typed(question: str) -> str:
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline()
