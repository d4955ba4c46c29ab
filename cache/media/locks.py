"""The lock of an open file, which ends with the process that holds it."""

import errno
import os
import sys
from pathlib import Path
from typing import Literal

_BUSY = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES})


def locked(descriptor: int) -> Literal["ours", "busy", "unable"]:
    """Lock an open file without waiting: `busy` where another has it, `unable` where its file system has no locks."""
    if sys.platform == "win32":
        return "unable"
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return "busy" if error.errno in _BUSY else "unable"
    return "ours"


def still_named(descriptor: int, path: Path) -> bool:
    """Whether the open file still has that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
