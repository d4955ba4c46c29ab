"""Processes of the zygote as a test sees them: as `subprocess` shows one, or as anyio does."""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import anyio
from anyio import to_thread
from anyio.abc import ByteReceiveStream, ByteSendStream, Process

from .zygote import LOADED, READY, STARTS_COVERAGE, Order

ROOT = Path(__file__).parents[2]

STANDS_IN = Path(__file__).with_name("standing_in.py")

DOOR_VARIABLE = "FORKS_DOOR"
"""Names the socket of a zygote that several processes of tests share."""

CAN_FORK = sys.platform == "linux"
"""Elsewhere each process is started anew: macOS's own libraries do not take a fork."""


class Forked:
    """A process, with our ends of the pipes to it. `returncode` is known once it was waited for."""

    def __init__(self, pid: int, told: int, pipes: "Pipes") -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin, self.stdout, self.stderr = pipes.stdin, pipes.stdout, pipes.stderr
        self.told = told
        """Becomes readable with its end."""

    def poll(self) -> int | None:
        """The exit code, or the negative number of the signal that ended it, where it has ended."""
        if self.returncode is None and select.select([self.told], [], [], 0)[0]:
            self._heard()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The same, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not.
        """
        if self.returncode is None and not select.select([self.told], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired([str(self.pid)], timeout or 0.0)
        return self.returncode if self.returncode is not None else self._heard()

    def _heard(self) -> int:
        self.returncode = _number(self.told)
        os.close(self.told)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()
        self.wait()


@dataclass(frozen=True)
class Ran:
    """How a process ended, and all that it wrote."""

    code: int
    out: str
    err: str


class Pipes:
    """The streams of a new process: a pipe where `subprocess.PIPE` stands, nothing for `DEVNULL`, else a descriptor."""

    def __init__(self, stdin: int, stdout: int, stderr: int) -> None:
        self.passed: list[int] = []
        self._ours: list[int] = []
        self.stdin = self._opened(stdin, "wb")
        self.stdout = self._opened(stdout, "rb")
        self.stderr = self._opened(stderr, "rb")

    def close_passed(self) -> None:
        for each in self._ours:
            os.close(each)

    def _opened(self, wanted: int, mode: str) -> IO[bytes] | None:
        if wanted == subprocess.STDOUT:
            self.passed.append(self.passed[-1])
            return None
        if wanted not in (subprocess.PIPE, subprocess.DEVNULL):
            self.passed.append(wanted)
            return None
        if wanted == subprocess.DEVNULL:
            theirs, ours = os.open(os.devnull, os.O_RDWR), None
        else:
            source, target = os.pipe()
            theirs, end = (source, target) if mode == "wb" else (target, source)
            ours = os.fdopen(end, mode, buffering=0 if mode == "wb" else -1)
        self.passed.append(theirs)
        self._ours.append(theirs)
        return ours


class Zygote:
    """The process that forks, for as long as this one wants it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="forks-")
        door = Path(self._folder.name) / "door"
        environment = {name: value for name, value in os.environ.items() if name != STARTS_COVERAGE}
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(str(door))
            listener.listen(32)
            # A session of its own: Ctrl-C is for the tests, which end it by ending.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forks"],
                cwd=ROOT,
                env=environment,
                stdin=listener.fileno(),
                start_new_session=True,
            )
            self.orders = _connected(str(door))
        self.door = str(door)

    def end(self) -> None:
        self.orders.close()
        self._process.wait()
        self._folder.cleanup()


def _connected(door: str) -> socket.socket:
    orders = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    orders.connect(door)
    return orders


@contextmanager
def shared_zygote() -> Generator[None]:
    """Within this block the processes that this one starts have one zygote between them.

    In a new clone the block begins when that has loaded, and so compiled, what all of them would compile at once.
    """
    if not CAN_FORK:
        yield
        return
    zygote = Zygote()
    if not _is_compiled():
        zygote.orders.recv(len(READY))
    os.environ[DOOR_VARIABLE] = zygote.door
    try:
        yield
    finally:
        os.environ.pop(DOOR_VARIABLE, None)
        zygote.end()


def _is_compiled() -> bool:
    last = find_spec(LOADED[-1])
    return last is not None and last.cached is not None and Path(last.cached).exists()


@cache
def _door() -> str:
    """Where to order a process: from the zygote of those who started this process, or from one of its own."""
    if door := os.environ.get(DOOR_VARIABLE):
        return door
    zygote = Zygote()
    atexit.register(zygote.end)
    return zygote.door


@cache
def _orders() -> socket.socket:
    return _connected(_door())


def as_command(module: str, *arguments: str) -> tuple[str, list[str]]:
    """A forked process for who starts one by program and arguments, as the SDK's client does; it runs a module as by
    `python -m`."""
    if not CAN_FORK:
        return sys.executable, ["-m", module, *arguments]
    return sys.executable, ["-I", "-S", str(STANDS_IN), _door(), module, *arguments]


def fork(
    module: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    stdin: int = subprocess.PIPE,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    own_session: bool = False,
) -> Forked | subprocess.Popen[bytes]:
    """A process that runs a module as by `python -m`; streams and the rest are as for `subprocess.Popen`."""
    if not CAN_FORK:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            bufsize=0,
            env=environment,
            cwd=folder,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=own_session,
        )
    return _fork(
        Order(
            module=module,
            arguments=list(arguments),
            environment=dict(os.environ if environment is None else environment),
            folder=str(folder or Path.cwd()),
            own_session=own_session,
        ),
        Pipes(stdin, stdout, stderr),
    )


def _fork(order: Order, pipes: Pipes) -> Forked:
    told, telling = os.pipe()
    try:
        socket.send_fds(_orders(), [json.dumps(order).encode()], [*pipes.passed, telling])
    finally:
        os.close(telling)
        pipes.close_passed()
    return Forked(_number(told), told, pipes)


def _number(source: int) -> int:
    """The next line. Lines are told one at a time, and the second only at the end."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(source, 1)
        assert byte, "the process that forks has ended"
        line += byte
    return int(line)


class _Reading(ByteReceiveStream):
    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe

    async def receive(self, max_bytes: int = 65536) -> bytes:
        await anyio.wait_readable(self._pipe)
        data = os.read(self._pipe.fileno(), max_bytes)
        if not data:
            raise anyio.EndOfStream
        return data

    async def aclose(self) -> None:
        self._pipe.close()


class _Writing(ByteSendStream):
    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        os.set_blocking(pipe.fileno(), False)

    async def send(self, item: bytes) -> None:
        rest = memoryview(item)
        while rest:
            await anyio.wait_writable(self._pipe)
            try:
                rest = rest[os.write(self._pipe.fileno(), rest) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise anyio.BrokenResourceError from error

    async def aclose(self) -> None:
        self._pipe.close()


class _AsyncForked(Process):
    """The same as anyio shows one."""

    def __init__(self, forked: Forked | subprocess.Popen[bytes]) -> None:
        self._forked = forked
        self._waiting = anyio.Lock()
        self._stdin = None if forked.stdin is None else _Writing(forked.stdin)
        self._stdout = None if forked.stdout is None else _Reading(forked.stdout)
        self._stderr = None if forked.stderr is None else _Reading(forked.stderr)

    async def wait(self) -> int:
        async with self._waiting:
            if self._forked.returncode is None:
                if isinstance(self._forked, Forked):
                    await anyio.wait_readable(self._forked.told)
                else:
                    await to_thread.run_sync(self._forked.wait, abandon_on_cancel=True)
            return self._forked.wait()

    def terminate(self) -> None:
        self._forked.terminate()

    def kill(self) -> None:
        self._forked.kill()

    def send_signal(self, signal: int) -> None:
        self._forked.send_signal(signal)

    @property
    def pid(self) -> int:
        return self._forked.pid

    @property
    def returncode(self) -> int | None:
        return self._forked.poll()

    @property
    def stdin(self) -> ByteSendStream | None:
        return self._stdin

    @property
    def stdout(self) -> ByteReceiveStream | None:
        return self._stdout

    @property
    def stderr(self) -> ByteReceiveStream | None:
        return self._stderr

    async def aclose(self) -> None:
        for pipe in (self._forked.stdin, self._forked.stdout, self._forked.stderr):
            if pipe is not None:
                pipe.close()
        await self.wait()


@asynccontextmanager
async def forked(
    module: str,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    stdin: int = subprocess.PIPE,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    own_session: bool = False,
) -> AsyncGenerator[Process]:
    """As `fork`, for the event loop; killed at the end of the block if it still runs."""
    born = fork(
        module,
        *arguments,
        environment=environment,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        own_session=own_session,
    )
    process = _AsyncForked(born)
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.aclose()


def ran(module: str, *arguments: str, environment: Mapping[str, str] | None = None, seconds: float = 120.0) -> Ran:
    """Run a module to its end, without input.

    Raises:
        subprocess.TimeoutExpired: it took longer; it is killed.
    """
    with fork(module, *arguments, environment=environment, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            with ThreadPoolExecutor(2) as readers:
                out, err = (readers.submit(each.read) for each in (process.stdout, process.stderr))
                code = process.wait(seconds)
                return Ran(code, out.result().decode(), err.result().decode())
        except BaseException:
            process.kill()
            raise
