"""Standard input and output as a pair of streams that can be let go at any moment.

The SDK's own reader blocks in a worker thread until the host closes stdin, so a signal could not end the process.
Ours is a daemon thread on a raw descriptor: nothing waits for it, and the interpreter can exit while it blocks.
"""

import os
import queue
import select
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

import anyio
import anyio.from_thread
import anyio.lowlevel

from ...domain.nesting import without_deep_values
from ...domain.surrogates import without_lone_surrogates

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

STDIN, STDOUT, STDERR = 0, 1, 2
CHUNK_BYTES = 65_536
LINES_AHEAD = 16
HUNG_UP_LOOK_SECONDS = 0.25


class Lines:
    """The lines of a descriptor, read by a daemon thread; what `async for` sees of a text file."""

    def __init__(self, descriptor: int, ended: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._ended = ended
        streams = anyio.create_memory_object_stream[str](LINES_AHEAD)
        self._sender: MemoryObjectSendStream[str] = streams[0]
        self._receiver: MemoryObjectReceiveStream[str] = streams[1]
        self._room = threading.Semaphore(LINES_AHEAD)

    def start(self) -> None:
        """Begin to read; call it on the event loop."""
        token = anyio.lowlevel.current_token()
        threading.Thread(target=self._read, args=(token,), name="rushes-stdin", daemon=True).start()

    def close(self) -> None:
        """Take no more lines; the thread ends with its next one, or with the process."""
        self._receiver.close()
        self._sender.close()
        self._room.release()

    def __aiter__(self) -> "Lines":
        return self

    async def __anext__(self) -> str:
        try:
            line = await self._receiver.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None
        self._room.release()
        return line

    def _await_room(self) -> None:
        """Wait until a line can be handed on. That the host has gone is seen before the last line that it left."""
        got = False
        while not got:
            if _hung_up(self._descriptor):
                self._ended()
            got = self._room.acquire(timeout=HUNG_UP_LOOK_SECONDS)

    def _read(self, token: anyio.lowlevel.EventLoopToken) -> None:
        # The thread waits outside the event loop for room: a coroutine that waits in it would be cancelled with it, and
        # logged as an error. RuntimeError: the loop is gone, or goes; the stream errors: nobody listens any more.
        try:
            for line in lines_of(self._descriptor):
                self._await_room()
                anyio.from_thread.run_sync(self._sender.send_nowait, line, token=token)
            self._ended()
            anyio.from_thread.run_sync(self._sender.close, token=token)
        except (RuntimeError, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return


def _hung_up(descriptor: int) -> bool:
    """Whether the other end of a pipe is closed, whatever is still in it."""
    if sys.platform == "win32":
        return False
    poller = select.poll()
    poller.register(descriptor, 0)
    return any(event & select.POLLHUP for _, event in poller.poll(0))


def lines_of(descriptor: int) -> Iterator[str]:
    """The lines of a descriptor as text; bytes that are not UTF-8 are replaced, and refused as JSON later."""
    # Joined once a line: a line may hold media of many megabytes.
    parts: list[bytes] = []
    while chunk := _read_chunk(descriptor):
        *ends, begun = chunk.split(b"\n")
        for end in ends:
            yield _as_text([*parts, end])
            parts.clear()
        parts.append(begun)
    if any(parts):
        yield _as_text(parts)


def _as_text(parts: list[bytes]) -> str:
    # The SDK takes a message with half an emoji for none at all, and its call would never be answered.
    # The same is true of a message that is nested more deeply than its reader goes.
    return without_deep_values(without_lone_surrogates(b"".join(parts))).decode("utf-8", "replace")


def _read_chunk(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, CHUNK_BYTES)
    except OSError:
        return b""


class Writer:
    """Text to a descriptor; what the SDK needs of an open file.

    A daemon thread writes: a host that reads nothing blocks it for ever, and the interpreter's end waits for others.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._asked: queue.SimpleQueue[tuple[bytes, Callable[[OSError | None], None]]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="rushes-stdout", daemon=True)

    async def write(self, text: str) -> None:
        """Wait until the text is written; whoever stops waiting leaves it to the thread.

        Raises:
            OSError: nobody reads any more.
        """
        if not self._thread.is_alive():
            self._thread.start()
        token = anyio.lowlevel.current_token()
        done = anyio.Event()
        problems: list[OSError] = []

        def written(problem: OSError | None) -> None:
            if problem is not None:
                problems.append(problem)
            # RuntimeError: the loop ended meanwhile.
            with suppress(RuntimeError):
                anyio.from_thread.run_sync(done.set, token=token)

        self._asked.put((text.encode(), written))
        await done.wait()
        if problems:
            raise problems[0]

    async def flush(self) -> None:
        """Nothing is buffered."""

    def _work(self) -> None:
        while True:
            data, written = self._asked.get()
            problem: OSError | None = None
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError as error:
                problem = error
            written(problem)


@asynccontextmanager
async def standard_streams(ended: Callable[[], None]) -> AsyncGenerator[tuple[Lines, Writer]]:
    """Standard input and output for the protocol alone; `ended` is called, on another thread, at the end of input.

    Meanwhile descriptor 0 is empty and descriptor 1 goes to stderr, so that stray output of a library or a child
    process never reaches the host.
    """
    with _diverted(STDIN, os.devnull) as source, _diverted(STDOUT, None) as target:
        lines = Lines(source, ended)
        lines.start()
        try:
            yield lines, Writer(target)
        finally:
            lines.close()


@contextmanager
def _diverted(descriptor: int, instead: str | None) -> Generator[int]:
    """A private duplicate of a descriptor, which itself points elsewhere (stderr by default) until the end."""
    private = os.dup(descriptor)
    other = os.open(instead, os.O_RDONLY) if instead else os.dup(STDERR)
    os.dup2(other, descriptor)
    os.close(other)
    # What was printed before goes where the descriptor leads now, too.
    sys.stdout.flush()
    try:
        yield private
    finally:
        sys.stdout.flush()
        os.dup2(private, descriptor)
