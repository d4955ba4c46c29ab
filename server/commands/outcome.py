"""How a command ends: what a tool's answer means for the exit code.

A script can tell apart: done (0), failed (1), a wrong command or setting (2), still running (3).
"""

from collections.abc import Iterable, Mapping
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
    """It has not ended, or its file is not on disk."""
    INTERRUPTED = 130


def exit_of(document: Mapping[str, JsonValue]) -> Exit:
    """The exit code for a tool's answer. An answer without a state (a list, a dry run) is done."""
    if "error" in document:
        return Exit.FAILED if _is_fault(document) else Exit.WRONG
    match document.get("state"):
        case None:
            return Exit.DONE
        case "succeeded":
            return Exit.DONE if _is_on_disk(document) else Exit.RUNNING
        case "queued" | "running":
            return Exit.RUNNING
        case _:
            return Exit.FAILED if document.get("task_id") or _is_fault(document) else Exit.WRONG


def _is_on_disk(document: Mapping[str, JsonValue]) -> bool:
    """Whether every file that was made is where it says, or is not to be kept here at all, and where `-o` wants it."""
    return document.get("saved") != [] and not {"keeping", "lost"} & keeping_words(document)


def keeping_words(document: Mapping[str, JsonValue]) -> set[str]:
    """How far the outputs of a task are kept, in the words of the tools."""
    outputs = document.get("outputs")
    listed = outputs if isinstance(outputs, list) else []
    return {str(output.get("keeping")) for output in listed if isinstance(output, dict)}


def worst(codes: Iterable[Exit]) -> Exit:
    """Of several: a failure before what is still to come, and that before what is done."""
    return min(codes, key=_BADNESS.index, default=Exit.DONE)


_BADNESS = (Exit.FAILED, Exit.WRONG, Exit.RUNNING, Exit.INTERRUPTED, Exit.DONE)


def _is_fault(document: Mapping[str, JsonValue]) -> bool:
    """Whether a call without a task ended by a fault (of the store, say), and not because it was wrong itself."""
    told = document.get("failure") or document.get("error")
    return isinstance(told, Mapping) and told.get("reason") == "internal"
