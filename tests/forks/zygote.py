"""The process that forks: it has imported what `rushes` loads in its life, and runs no thread and no event loop.

`python -m tests.forks` takes orders from whoever connects to the socket that is its standard input, until the
first of them leaves; a process ends at the latest with the connection over which it was ordered. With each order come
four descriptors: the standard input, output and error of the new process, and where to tell its id and later its exit
code, a line each.
"""

import atexit
import gc
import io
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import FrameType
from typing import Final, NoReturn, TextIO, TypedDict

from rushes.domain.value import Value

ORDER_BYTES_MAX = 2**20

READY = b"everything is loaded"
"""Told to the first who came."""

STARTS_COVERAGE: Final = "COVERAGE_PROCESS_START"
"""With it in its environment, coverage starts in every Python process that has the package."""

WORDS_LOST = 120
"""What Python itself leaves with where its last words cannot be written."""

LOADED: Final = (
    "anyio._backends._asyncio",
    "anyio.streams.tls",
    "h11",
    "httpcore",
    "httpx",
    "mcp.server.stdio",
    "rich.progress",
    "rushes.providers.client.downloads",
    "rushes.providers.client.gateway",
    "rushes.providers.client.multipart",
    "rushes.providers.sandbox.drawing",
    "rushes.server.assembly",
    "rushes.server.mcp.server",
    "rushes.server.preparation",
    "rushes.server.process",
    "rushes.server.transports.http",
    "rushes.server.transports.serve",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "tests.gateways.roster",
    "tests.gateways.server",
    "rushes.server.commands.app",
)


class Order(TypedDict):
    """How a process begins, besides its descriptors."""

    module: str
    """Run as by `python -m`."""
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    own_session: bool


def load() -> None:
    """Import everything once, for all processes."""
    for module in LOADED:
        import_module(module)
    _build(Value)
    gc.freeze()


def _build(kind: type[Value]) -> None:
    """Build these models, and those made from them, which every process would do anew at its first use."""
    kind.model_rebuild()
    for each in kind.__subclasses__():
        _build(each)


@dataclass(frozen=True)
class _Born:
    """A living process of ours."""

    told: int
    """Where to tell its exit code."""
    wanted_by: socket.socket


class Zygote:
    """Forks, and tells of the ends."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self._born: dict[int, _Born] = {}
        """By their ids."""
        self._woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _wake)

    def serve(self) -> None:
        """Until the first who came has left; then no child is left either."""
        first, _ = self._door.accept()
        first.send(READY)
        guests = [first]
        while first in guests:
            watched: list[int | socket.socket] = [self._woken, self._door, *guests]
            ready, _, _ = select.select(watched, [], [])
            if self._woken in ready:
                os.read(self._woken, 4096)
                self._reap()
            if self._door in ready:
                guests.append(self._door.accept()[0])
            for guest in [each for each in guests if each in ready]:
                data, descriptors = _received(guest)
                if data:
                    self._bear(json.loads(data), descriptors, guest)
                else:
                    guests.remove(guest)
                    self._end_those_of(guest)
        for guest in guests:
            self._end_those_of(guest)

    def _end_those_of(self, guest: socket.socket) -> None:
        for pid, born in self._born.items():
            if born.wanted_by is guest:
                os.kill(pid, signal.SIGKILL)
        guest.close()

    def _bear(self, order: Order, descriptors: list[int], guest: socket.socket) -> None:
        *streams, told = descriptors
        pid = os.fork()
        if pid == 0:
            _live(order, streams)
        for stream in streams:
            os.close(stream)
        self._born[pid] = _Born(told, guest)
        _tell(told, pid)

    def _reap(self) -> None:
        while self._born:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            told = self._born.pop(pid).told
            _tell(told, os.waitstatus_to_exitcode(status))
            os.close(told)


def _received(guest: socket.socket) -> tuple[bytes, list[int]]:
    """The next order with its descriptors; nothing where the guest has left."""
    try:
        data, descriptors, _, _ = socket.recv_fds(guest, ORDER_BYTES_MAX, 4)
    except ConnectionResetError:
        return b"", []  # the first one left without having read what it was told
    return data, descriptors


def _wake(number: int, frame: FrameType | None) -> None:
    """A handler must be there, or nothing is written to the wake-up descriptor."""


def _tell(where: int, number: int) -> None:
    try:
        os.write(where, b"%d\n" % number)
    except BrokenPipeError:
        return  # nobody wants to know any more


def _live(order: Order, streams: list[int]) -> NoReturn:
    """The child: what it was told to be, and nothing of the process that it comes from."""
    code = 1
    try:
        _leave_home(streams, own_session=order["own_session"])
        _settle(order["folder"], order["environment"])
        code = _run(order["module"], order["arguments"])
    except BaseException:  # noqa: BLE001 - the boundary of the process
        traceback.print_exc()
    finally:
        os._exit(code)


def _leave_home(streams: list[int], *, own_session: bool) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if own_session:
        os.setsid()
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
    # What is closed here are descriptors of objects that live as long as this process: it never returns to them.
    os.closerange(3, 1024)


def _settle(folder: str, environment: Mapping[str, str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    if STARTS_COVERAGE in environment:
        # What starts it in a Python that begins anew, which this one did without.
        import_module("coverage").process_startup()
    at_once = bool(environment.get("PYTHONUNBUFFERED"))
    sys.stdin = io.TextIOWrapper(open(0, "rb"), sys.stdin.encoding, sys.stdin.errors)  # noqa: SIM115
    sys.stdout = _written(1, sys.stdout, by_lines=os.isatty(1), at_once=at_once)
    sys.stderr = _written(2, sys.stderr, by_lines=True, at_once=at_once)


def _written(descriptor: int, like: TextIO, *, by_lines: bool, at_once: bool) -> TextIO:
    binary = open(descriptor, "wb")  # noqa: SIM115
    return io.TextIOWrapper(binary, like.encoding, like.errors, line_buffering=by_lines, write_through=at_once)


def _run(module: str, arguments: list[str]) -> int:
    """Run a module to its end, and do what Python does then; the exit code."""
    sys.argv = [module, *arguments]
    code, interrupted = 0, False
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
        if isinstance(left.code, str):
            sys.stderr.write(f"{left.code}\n")
    except BaseException as error:  # noqa: BLE001 - the boundary of the process
        traceback.print_exc()
        code, interrupted = 1, isinstance(error, KeyboardInterrupt)
    # By their names, as no type checker knows what the interpreter does at its end.
    for last in (getattr(threading, "_shutdown"), getattr(atexit, "_run_exitfuncs")):  # noqa: B009
        last()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or WORDS_LOST
    if interrupted:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return code
