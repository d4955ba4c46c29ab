"""A disk that gets full, with the stores and outputs of a soak on it."""

import errno
import os
import resource
import subprocess
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOM_MIB = 256
"""What is free at first, and again after the disk was full: what a long soak keeps must not fill it for good."""
PIECES = (2**20, 4096, 1)


@dataclass
class Disk:
    """A folder that can have no room left."""

    folder: Path
    own: bool
    """A file system of its own that is filled to the last byte; else its users may write no more to any file."""
    users: Callable[[], Iterable[int]]

    @property
    def how(self) -> str:
        return "a disk of its own, filled" if self.own else "RLIMIT_FSIZE 0 for the servers"

    @contextmanager
    def full(self) -> Generator[None]:
        """No room, until the end of the block."""
        if self.own:
            with self._filled():
                yield
        else:
            with self._forbidden():
                yield

    @contextmanager
    def _filled(self) -> Generator[None]:
        ballast = self.folder / "ballast"
        with ballast.open("wb", buffering=0) as file:
            for piece in PIECES:
                self._fill(file.fileno(), bytes(piece))
        try:
            yield
        finally:
            ballast.unlink()
            self.make_room()

    def make_room(self) -> None:
        """Let the disk be as large as what is on it and some more."""
        if self.own:
            room = os.statvfs(self.folder)
            used_mib = (room.f_blocks - room.f_bfree) * room.f_frsize // 2**20
            size = f"remount,size={used_mib + ROOM_MIB}m"
            subprocess.run(["mount", "-o", size, str(self.folder)], capture_output=True, check=True)

    def _fill(self, file: int, piece: bytes) -> None:
        try:
            while True:
                os.write(file, piece)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise

    @contextmanager
    def _forbidden(self) -> Generator[None]:
        pids = [pid for pid in self.users() if _limit(pid, 0)]
        try:
            yield
        finally:
            for pid in pids:
                _limit(pid, resource.RLIM_INFINITY)


def _limit(pid: int, size_bytes: int) -> bool:
    try:
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (min(size_bytes, hard) if hard >= 0 else size_bytes, hard))
    except (ProcessLookupError, PermissionError):
        return False
    return True


@contextmanager
def a_disk(folder: Path, users: Callable[[], Iterable[int]]) -> Generator[Disk]:
    """A small disk at the folder, where this process may mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM_MIB}m", "tmpfs", str(folder)]
    own = os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield Disk(folder, own, users)
    finally:
        if own:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)
