"""Stands in for a process of the zygote where somebody wants a program to start.

`python -I -S standing_in.py DOOR MODULE ARGUMENTS…`
The process has this one's streams, environment and folder, and this one ends as it does. It imports little, so that it
begins at once.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType


def stand_in(door: str, module: str, *arguments: str) -> int:
    """The exit code of the process, after its end."""
    told, telling = os.pipe()
    order = {
        "module": module,
        "arguments": arguments,
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "own_session": False,
    }
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as orders, os.fdopen(told, "rb") as heard:
        orders.connect(door)
        socket.send_fds(orders, [json.dumps(order).encode()], [0, 1, 2, telling])
        os.close(telling)
        _let_go_of_streams()
        pid = int(heard.readline())

        def pass_on(number: int, frame: FrameType | None) -> None:
            os.kill(pid, number)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, pass_on)
        return int(heard.readline())


def _let_go_of_streams() -> None:
    """Their end is the end of the process's own."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nothing, stream)


if __name__ == "__main__":
    sys.exit(stand_in(*sys.argv[1:]) & 0xFF)
