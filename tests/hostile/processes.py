"""Who is whose child, as Linux tells it."""

import sys
from pathlib import Path

import anyio
import pytest

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")


def children_of(pid: int) -> list[int]:
    """The living children of a process."""
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and _parent(each) == pid]


def decoders_of(pid: int) -> list[int]:
    """Those of them that decode media; a test's process may have others, such as simulated gateways."""
    return [child for child in children_of(pid) if b"rushes.tasks.previews.child" in _command(child)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def is_alive(pid: int) -> bool:
    return _parent(Path(f"/proc/{pid}")) is not None


def _parent(process: Path) -> int | None:
    try:
        state, parent = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return None if state == "Z" else int(parent)


def busy_seconds(pid: int) -> float:
    """Processor time of a process so far."""
    user, system = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / 100


async def gone(pid: int) -> None:
    """Wait until a process is gone."""
    with anyio.fail_after(10):
        while is_alive(pid):
            await anyio.lowlevel.checkpoint()


async def at_work(pid: int, seconds: float = 0.3) -> None:
    """Wait until a process has worked for a while."""
    with anyio.fail_after(20):
        while busy_seconds(pid) < seconds:
            await anyio.lowlevel.checkpoint()


def peak_mib(pid: int) -> int:
    """Most memory that a process had."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))
