"""A child process that decodes: bytes of strangers meet C code there, within bounds, and never in this process.

One child at a time, started by the first question, kept warm for the next ones and ended after a while without any. It
is killed where the asker is cancelled or its time is up, and the next question starts another. Why not
`anyio.to_process`: its children inherit the whole environment with its keys, run the parent's main module, take pickles
and answer with them (who takes over a decoder would take over its parent), and know no bounds.
"""

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import BinaryIO, Literal

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import ConfigDict, JsonValue, TypeAdapter

from ...domain.errors import DecodingEnded
from ...domain.kept_media import Bounds
from ...domain.value import Value

logger = logging.getLogger(__name__)

START_SECONDS = 30.0
"""A machine that is busy takes that long to load the decoders."""
DOCUMENT_BYTES_MAX = 65_536
DATA_BYTES_MAX = 8 * 2**20
"""Of an answer: whoever takes over the child by what it decodes must not fill the memory here."""

OUT_OF_MEMORY = 70
"""The child's exit code where it sees by itself that it has taken too much."""

ENDED = (OSError, anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, anyio.ClosedResourceError)

_ENVIRONMENT = frozenset(
    {
        "PATH",
        "SYSTEMROOT",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "TMPDIR",
        "TEMP",
        "TMP",
        "LD_LIBRARY_PATH",
        "PYTHONPYCACHEPREFIX",
    }
)
"""What a child sees of our own environment, which holds keys."""

_MEMORY = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(64 * 2**20),
    "PILLOW_BLOCKS_MAX": "4",
}
"""How the child has its memory. Each thread would reserve 64 MB of addresses, of which it has few. And what a picture
took is kept for the next one, in the C library up to what it would come to keep by itself, in Pillow four blocks of
16 MB: being given it anew takes as long as all the decoding of a JPEG."""

_MB = 2**20


MEASURING = Bounds(memory_bytes=256 * _MB, processor_seconds=2, wall_seconds=20)


class _EndedBefore(DecodingEnded):
    """The child had ended before it took the question up."""


@dataclass(frozen=True)
class Answered:
    """An answer: a document, and bytes."""

    document: dict[str, JsonValue]
    data: bytes


class _Head(Value):
    """What stands before an answer. A child that was taken over may say anything here."""

    model_config = ConfigDict(extra="forbid", strict=True)

    document: dict[str, JsonValue]
    data_bytes: int
    ended: Literal["memory"] | None = None
    going_on: bool = False
    """This is no answer yet, and tells how far the work is."""


_HEAD = TypeAdapter(_Head)

Tell = Callable[[dict[str, JsonValue]], object]
"""Hears how far a work is."""


def _not_told(document: dict[str, JsonValue]) -> None:
    """For questions that are answered at once."""


class Decoder:
    """Asks the child. Use `async with Decoder.opened(module)`."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._one_at_a_time = anyio.Lock()
        self._child: _Child | None = None

    @classmethod
    @asynccontextmanager
    async def opened(cls, module: str) -> AsyncGenerator["Decoder"]:
        """A decoder whose child runs `module`, and ends with the block at the latest."""
        decoder = cls(module)
        try:
            yield decoder
        finally:
            await decoder._end()

    async def ask(self, question: Mapping[str, JsonValue], file: BinaryIO, bounds: Bounds) -> Answered:
        """The child's answer to a question about an open file; it reads that very file, from its beginning on.

        Raises:
            DecodingEnded: it took more than its bounds, crashed, or could not be started.
        """
        return await self.work(question, [file], bounds, _not_told)

    async def work(
        self, question: Mapping[str, JsonValue], files: Sequence[BinaryIO], bounds: Bounds, tell: Tell
    ) -> Answered:
        """The child's answer to a question about several open files, of which it may be told to write the first.

        `tell` hears how far the work is; what it hears comes from the child, which may have been taken over.

        Raises:
            DecodingEnded: as for `ask`.
        """
        async with self._one_at_a_time:
            try:
                return await self._asked(question, files, bounds, tell)
            except _EndedBefore:
                return await self._asked(question, files, bounds, tell)

    async def _asked(
        self, question: Mapping[str, JsonValue], files: Sequence[BinaryIO], bounds: Bounds, tell: Tell
    ) -> Answered:
        child = await self._ready()
        answer: Answered | None = None
        try:
            with anyio.fail_after(bounds.wall_seconds):
                await child.put({**question, "bounds": asdict(bounds)}, files)
                answer = await child.answer(tell)
        except TimeoutError as error:
            raise DecodingEnded(f"took more than {bounds.wall_seconds:g} s") from error
        except ENDED as error:
            raise await child.end_of(bounds) from error
        except ValueError as error:
            raise DecodingEnded("was answered with nonsense by the process that decodes") from error
        finally:
            if answer is None:
                await self._end()
        if answer is None:
            raise _too_much_memory(bounds)
        return answer

    async def _ready(self) -> "_Child":
        if self._child is not None and not self._child.is_alive:
            await self._end()
        if self._child is None:
            try:
                with anyio.fail_after(START_SECONDS):
                    self._child = await _Child.started(self._module)
                    await self._child.answer()
            except (TimeoutError, ValueError, *ENDED) as error:
                await self._end()
                logger.error("the process that decodes could not be started", extra={"problem": repr(error)})
                raise DecodingEnded("needs a process of its own, which could not be started") from error
            except BaseException:
                await self._end()
                raise
        return self._child

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            with anyio.CancelScope(shield=True):
                await child.end()


class _Child:
    """One child process. Questions go in by a socket that carries files along; answers come out by a pipe."""

    def __init__(self, process: Process, questions: socket.socket | None) -> None:
        if process.stdout is None:
            raise ValueError("no answers can come")
        self._process = process
        self._questions = questions
        self._answers = BufferedByteReceiveStream(process.stdout)

    @classmethod
    async def started(cls, module: str) -> "_Child":
        # Its own session: Ctrl-C on a terminal is for us alone, and the child ends with us. `-P`: a file `av.py` in the
        # folder that rushes is started in is nobody's decoder.
        command = [sys.executable or "python3", "-P", "-s", "-m", module]
        if sys.platform == "win32":
            flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
            process = await anyio.open_process(
                command, stderr=subprocess.DEVNULL, env=_environment(), creationflags=flags
            )
            return cls(process, None)
        ours, its = socket.socketpair()
        try:
            with its:
                process = await anyio.open_process(
                    command, stdin=its.fileno(), stderr=subprocess.DEVNULL, env=_environment(), start_new_session=True
                )
        except BaseException:
            ours.close()
            raise
        ours.setblocking(False)
        return cls(process, ours)

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def put(self, question: Mapping[str, JsonValue], files: Sequence[BinaryIO]) -> None:
        """Ask, and hear that the question was taken up.

        Raises:
            _EndedBefore: it was not, so that another child may be asked.
        """
        try:
            await self._send(question, files)
            await self.answer()
        except ENDED as error:
            raise _EndedBefore("ended as soon as it was asked") from error

    async def _send(self, question: Mapping[str, JsonValue], files: Sequence[BinaryIO]) -> None:
        if self._questions is not None:
            # A question is shorter than a socket's buffer, and there is never more than one in it.
            socket.send_fds(self._questions, [framed(question)], [file.fileno() for file in files])
        elif self._process.stdin is not None:
            await self._process.stdin.send(framed({**question, "files": [str(file.name) for file in files]}))

    async def answer(self, tell: Tell | None = None) -> Answered | None:
        """The next answer; `None` where the child ran out of memory. `tell` hears what comes before it."""
        while (head := await self._head()).going_on and tell is not None:
            tell(head.document)
        data = await self._answers.receive_exactly(head.data_bytes) if head.data_bytes else b""
        return None if head.ended else Answered(head.document, data)

    async def _head(self) -> _Head:
        length = int.from_bytes(await self._answers.receive_exactly(4), "big")
        if length > DOCUMENT_BYTES_MAX:
            raise ValueError("too long an answer")
        head = _HEAD.validate_json(await self._answers.receive_exactly(length))
        if not 0 <= head.data_bytes <= DATA_BYTES_MAX:
            raise ValueError("too many bytes")
        return head

    async def end_of(self, bounds: Bounds) -> DecodingEnded:
        """Why it has ended without an answer."""
        with anyio.move_on_after(1):
            await self._process.wait()
        match self._process.returncode:
            case code if code == OUT_OF_MEMORY:
                return _too_much_memory(bounds)
            case code if code == -_number("SIGXCPU"):
                return DecodingEnded(f"took more than {bounds.processor_seconds} s of a processor")
            case code if code == -_number("SIGKILL"):
                return DecodingEnded("was too much for this machine's memory")
            case _:
                return DecodingEnded("crashed the process that decodes")

    async def end(self) -> None:
        if self._questions is not None:
            self._questions.close()
        if self.is_alive:
            _kill(self._process)
        await self._process.aclose()


def _kill(process: Process) -> None:
    """Kill a process, and leave it to asyncio's own waiting to learn how it ended.

    Before Python 3.13 `process.kill()` looks first whether it has ended by itself: whoever sees that first takes it
    from the other, who then says on stderr that the process is unknown and takes its exit code for 255.
    """
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.kill(process.pid, signal.SIGKILL)


def _too_much_memory(bounds: Bounds) -> DecodingEnded:
    return DecodingEnded(f"took more than {bounds.memory_bytes // _MB} MB of memory")


def framed(document: Mapping[str, JsonValue]) -> bytes:
    """A document behind its length in four bytes."""
    data = json.dumps(document).encode()
    return len(data).to_bytes(4, "big") + data


def _environment() -> dict[str, str]:
    """Enough to start Python and find what this process finds."""
    kept = {name: value for name, value in os.environ.items() if name.upper() in _ENVIRONMENT}
    paths = os.pathsep.join(os.path.abspath(path) for path in sys.path if path)  # noqa: PTH100 - not only folders
    return {**kept, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", **_MEMORY}


def _number(name: str) -> int:
    return int(getattr(signal, name, 0)) or -1
