"""How a command ends: what a tool's answer means for the exit code.

A script can tell apart: done (0), failed (1), a wrong command or setting (2), still running (3).
"""

from collections.abc import Mapping
from enum import IntEnum

from pydantic import JsonValue


class Exit(IntEnum):
    """Exit codes of the command."""

    DONE = 0
    FAILED = 1
    """The task failed, or a fault kept the command from being done."""
    WRONG = 2
    """The command or the configuration is wrong; nothing was started."""
    RUNNING = 3
    INTERRUPTED = 130


def exit_of(document: Mapping[str, JsonValue]) -> Exit:
    """The exit code for a tool's answer. An answer without a state (a list, a dry run) is done."""
    if "error" in document:
        return Exit.FAILED if _is_fault(document) else Exit.WRONG
    match document.get("state"):
        case None | "succeeded":
            return Exit.DONE
        case "queued" | "running":
            return Exit.RUNNING
        case _:
            return Exit.FAILED if document.get("task_id") or _is_fault(document) else Exit.WRONG


def _is_fault(document: Mapping[str, JsonValue]) -> bool:
    """Whether a call without a task ended by a fault (of the store, say), and not because it was wrong itself."""
    told = document.get("failure") or document.get("error")
    return isinstance(told, Mapping) and told.get("reason") == "internal"
