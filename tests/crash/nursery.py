"""The nursery: one process that has imported everything, and forks a worker for each line it reads.

A worker so costs milliseconds instead of the second that Python and the libraries take to start. Each line on standard
output is an event: `{"order": …, "pid": …, "event": …}`; the last of every worker is `ended`, with its exit code.
"""

import gc
import json
import logging
import os
import select
import signal
import sys
import tempfile
import threading
from importlib import import_module
from pathlib import Path
from types import FrameType

import PIL.Image

from rushes.providers.client.certificates import certificates
from rushes.providers.fact_files import load_facts
from rushes.providers.registry import FORMATS, format_class

from .orders import ORDER, Fault, Order
from .worker import work

STDIN, STDOUT, STDERR = 0, 1, 2

IMPORTED_ON_USE = (
    "anyio._backends._asyncio",
    "anyio.streams.tls",
    "av",
    "h11",
    "httpcore",
    "rushes.providers.client.multipart",
    "rushes.providers.client.downloads",
    "rushes.providers.sandbox.drawing",
)
"""What a worker would import in the middle of its work, and need not once the nursery has."""


def prepare() -> None:
    """Import everything once, for all workers."""
    for module in IMPORTED_ON_USE:
        import_module(module)
    for wire in FORMATS:
        format_class(wire)
        load_facts(wire)
    load_facts("sandbox")
    certificates()
    PIL.Image.preinit()
    _live_once()
    gc.freeze()


def _live_once() -> None:
    """Do a worker's work here, for what each would make anew at its first use: models, patterns, tables of facts."""
    with tempfile.TemporaryDirectory() as folder:
        work(
            Order(
                order="first",
                home=Path(folder),
                gateway="sandbox",
                kind="image",
                asked={"size": "64x64"},
                calls=1,
                call_again=True,
            ),
            lambda _: None,
        )
    # The pools of threads end with their event loop, and a fork has only the thread that it was made in.
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join()


class Nursery:
    """Starts workers and tells of their ends."""

    def __init__(self) -> None:
        self._children: dict[int, str] = {}
        self._woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _wake)

    def serve(self) -> None:
        """Until standard input ends; then no child is left."""
        rest = b""
        while True:
            ready, _, _ = select.select([STDIN, self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, 4096)
                self._reap(os.WNOHANG)
            if STDIN in ready:
                data = os.read(STDIN, 65536)
                if not data:
                    break
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._bear(ORDER.validate_json(line))
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)

    def _bear(self, order: Order) -> None:
        pid = os.fork()
        if pid == 0:
            _become(order)
        self._children[pid] = order.order
        _tell(order.order, pid, "born")

    def _reap(self, how: int) -> None:
        while self._children:
            pid, status = os.waitpid(-1, how)
            if pid == 0:
                return
            _tell(self._children.pop(pid), pid, "ended", os.waitstatus_to_exitcode(status))


def _wake(number: int, frame: FrameType | None) -> None:
    """A handler must be there, or nothing is written to the wake-up descriptor."""


def _tell(order: str, pid: int, event: str, code: int | None = None) -> None:
    # Shorter than a pipe's buffer, so that the lines of several processes never mix.
    os.write(STDOUT, json.dumps({"order": order, "pid": pid, "event": event, "code": code}).encode() + b"\n")


def _become(order: Order) -> None:
    """The child: a worker, and nothing of the nursery."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), STDIN)
        logging.basicConfig(filename=order.log, level=logging.INFO)
        work(order, lambda event: _tell(order.order, os.getpid(), event))
        code = 0
    except BaseException as error:  # noqa: BLE001 - the boundary of the process
        order.fault.write_text(Fault.of(error).model_dump_json(), encoding="utf-8")
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    prepare()
    Nursery().serve()
