"""The process that a command leaves behind, and how it ends."""

import os
import re
import select
import signal
from pathlib import Path

import filelock
import pytest

from .command import TIMEOUT_SECONDS, process, rushes

PROMPT = "a fox [slow:1]"
ON = {"RUSHES_KEEPER": "on"}


def ended(pid: int, seconds: float = TIMEOUT_SECONDS) -> bool:
    """Whether a process that is none of our children ends within so many seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def left_behind(said: str) -> int:
    found = re.search(r"A process of rushes stays behind \((\d+)\)", said)
    assert found, said
    return int(found[1])


pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for a process that is no child")


def test_a_process_stays_behind_keeps_the_file_and_ends(isolated_environment: Path) -> None:
    run = process("generate", "image", PROMPT, "--size", "128x128", "--no-wait", code=3, environment=ON)

    assert ended(left_behind(run.err))
    (kept,) = (isolated_environment / "outputs").glob("*.jpg")
    assert kept.stat().st_size > 0


def test_a_keeper_that_is_killed_loses_nothing() -> None:
    run = process("generate", "image", PROMPT, "--size", "128x128", "--no-wait", code=3, environment=ON)
    pid = left_behind(run.err)
    os.kill(pid, signal.SIGKILL)

    assert ended(pid)
    shown = rushes("check", "last", "--wait", "60", "--json").document
    assert shown["state"] == "succeeded"
    assert Path(shown["outputs"][0]["path"]).is_file()


def test_there_is_one_keeper_at_a_time(isolated_environment: Path) -> None:
    rushes("generate", "image", "a fox [slow:600]", "--no-wait", code=3)
    with filelock.FileLock(isolated_environment / "cache" / "keeper.lock"):
        rushes("keep")


def test_what_a_keeper_follows_already_needs_no_other(isolated_environment: Path) -> None:
    rushes("tasks")
    with filelock.FileLock(isolated_environment / "cache" / "keeper.lock"):
        run = rushes("generate", "image", "a fox [slow:600]", "--no-wait", code=3, RUSHES_KEEPER="on")

    assert "A process of rushes that runs already follows it" in run.err


def test_a_keeper_with_nothing_to_follow_ends() -> None:
    rushes("keep")
