"""The child process that decodes: reads questions from stdin, answers on stdout, keeps to the bounds of each.

It ends with its parent, however that ends: its stdin closes then, and where C code holds the interpreter at that
moment, the bounds of the question under way end it. `cache/media/decoder.py` is the other side.
"""

import errno
import json
import math
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, NoReturn, Protocol, cast

from ...domain.errors import RequestRefused
from .measure import measure
from .preview import glimpse_of

IDLE_SECONDS = 120.0
OUT_OF_MEMORY = 70

Document = dict[str, object]


@dataclass(frozen=True)
class Answer:
    """What goes back: a document, and bytes."""

    document: Document
    data: bytes = b""


Tell = Callable[[Document], object]
"""Says how far the work on a question is."""


def _to_nobody(document: Document) -> None:
    """For work that is over at once."""


def answered(
    question: Mapping[str, object], file: BinaryIO, others: Sequence[BinaryIO] = (), tell: Tell = _to_nobody
) -> Answer:
    """The answer to one question, which may be about several files.

    Raises:
        MemoryError: it takes more than is allowed.
    """
    try:
        if question["do"] == "assemble":
            return _assembled(question, file, others, tell)
        return _ANSWERS[str(question["do"])](question, file)
    except RequestRefused as refused:
        return Answer({"refused": {"reason": refused.reason, "message": refused.message, "hint": refused.hint}})
    except Exception as error:  # the boundary to the decoders, which raise anything on hostile bytes
        if is_out_of_memory(error):
            raise MemoryError from error
        return Answer({"unreadable": f"{type(error).__name__}: {error}"[:500]})


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or what it came from, is a lack of memory."""
    while error is not None:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
            return True
        error = error.__cause__ or error.__context__
    return False


def _measured(question: Mapping[str, object], file: BinaryIO) -> Answer:
    found = measure(file, str(question["mime_type"]))
    return Answer({"facts": asdict(found.facts), "holds": found.holds})


def _probed(question: Mapping[str, object], file: BinaryIO) -> Answer:
    from ..films.probing import probe

    found = probe(file, str(question["mime_type"]))
    return Answer({"facts": asdict(found.facts), "holds": found.holds})


def _assembled(question: Mapping[str, object], into: BinaryIO, sources: Sequence[BinaryIO], tell: Tell) -> Answer:
    from ...domain.film import Film
    from ..films.assembling import assemble
    from ..films.headway import Progress

    paths = cast("list[str]", question["paths"])
    film = Film.model_validate(question["film"])
    progress = Progress(lambda done: tell({"progress": done}))
    return Answer(asdict(assemble(film, dict(zip(paths, sources, strict=True)), into, progress)))


def _glimpsed(question: Mapping[str, object], file: BinaryIO) -> Answer:
    seen = glimpse_of(
        file,
        str(question["mime_type"]),
        duration_seconds=cast("float | None", question["duration_seconds"]),
        at_seconds=cast("float | None", question["at_seconds"]),
    )
    return Answer({"shows": seen.shows}, seen.jpeg)


def _framed(question: Mapping[str, object], file: BinaryIO) -> Answer:
    from .frame import frame

    return Answer(
        {},
        frame(
            file,
            str(question["mime_type"]),
            duration_seconds=cast("float | None", question["duration_seconds"]),
            at_seconds=cast("float | None", question["at_seconds"]),
        ),
    )


def _gridded(question: Mapping[str, object], file: BinaryIO) -> Answer:
    from .grid import grid

    cells = cast("list[tuple[int, str]]", question["cells"])
    return Answer({}, grid(file, [(length, label) for length, label in cells]))


_ANSWERS: Mapping[str, Callable[[Mapping[str, object], BinaryIO], Answer]] = {
    "measure": _measured,
    "probe": _probed,
    "glimpse": _glimpsed,
    "frame": _framed,
    "grid": _gridded,
}


class Limiter(Protocol):
    """Holds this process to the bounds of a question."""

    def begin(self, bounds: Mapping[str, float]) -> None: ...

    def end(self) -> None: ...


class NoLimits:
    """Where the platform offers none (Windows): the parent's clock alone bounds a question."""

    def begin(self, bounds: Mapping[str, float]) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


class PosixLimits:
    """The kernel's limits of a process; memory is counted from what it has once everything is loaded."""

    def __init__(self) -> None:
        import resource

        self._resource = resource
        self._idle_bytes = self._addresses_bytes()
        self._memory_max = math.inf
        self._soft(resource.RLIMIT_CORE, 0)
        # It has nothing to write to any file, unless a question comes with one for that.
        self._soft(resource.RLIMIT_FSIZE, 0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # Where memory is short this process is to go first, and not its parent.
        self._volunteer()
        if self._idle_bytes is None:
            threading.Thread(target=self._watch, daemon=True).start()

    def begin(self, bounds: Mapping[str, float]) -> None:
        """Hold the next piece of work to `bounds`."""
        resource = self._resource
        if self._idle_bytes is not None:
            self._soft(resource.RLIMIT_AS, self._idle_bytes + int(bounds["memory_bytes"]))
        self._memory_max = self._peak_bytes() + bounds["memory_bytes"]
        used = resource.getrusage(resource.RUSAGE_SELF)
        self._soft(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime) + int(bounds["processor_seconds"]))
        self._soft(resource.RLIMIT_FSIZE, int(bounds.get("file_bytes", 0)))
        # For a parent that is gone: this one looks at the time of day and needs no interpreter.
        signal.alarm(math.ceil(bounds["wall_seconds"]) + 1)

    def end(self) -> None:
        """The work is done."""
        signal.alarm(0)
        self._memory_max = math.inf
        self._soft(self._resource.RLIMIT_FSIZE, 0)

    def _soft(self, limit: int, value: int) -> None:
        hard = self._resource.getrlimit(limit)[1]
        within = value if hard == self._resource.RLIM_INFINITY else min(value, hard)
        self._resource.setrlimit(limit, (within, hard))

    def _addresses_bytes(self) -> int | None:
        """The size of this process as `RLIMIT_AS` counts it; `None` where that limit is not kept (macOS)."""
        try:
            return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * self._resource.getpagesize()
        except OSError:
            return None

    def _peak_bytes(self) -> int:
        unit = 1 if sys.platform == "darwin" else 1024
        return self._resource.getrusage(self._resource.RUSAGE_SELF).ru_maxrss * unit

    def _watch(self) -> NoReturn:
        pause = threading.Event()
        while not pause.wait(0.02) and self._peak_bytes() <= self._memory_max:
            pass
        os._exit(OUT_OF_MEMORY)

    def _volunteer(self) -> None:
        try:
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
        except OSError:
            return


FILES_MAX = 100
"""Files that one question may be about; systems hand over some 250 at once."""

Question = tuple[Document, Sequence[BinaryIO]]


def from_socket(questions: socket.socket) -> Question | None:
    """The next question with the files that came along; `None` once the parent is gone."""
    data, descriptors, _, _ = socket.recv_fds(questions, 4, FILES_MAX)
    if len(data) < 4 or not descriptors:
        return None
    document: Document = json.loads(questions.recv(int.from_bytes(data, "big"), socket.MSG_WAITALL))
    return document, [_opened(each, document, at) for at, each in enumerate(descriptors)]


def _opened(file: int | str, document: Document, at: int) -> BinaryIO:
    """One of a question's files, by its descriptor or path."""
    if at == 0 and document.get("do") == "assemble":
        # The one that the work goes into. What a buffer could not write would be tried once more on closing it.
        return cast(BinaryIO, open(file, "r+b", buffering=0))  # noqa: PTH123 - a descriptor too; closed by `serve`
    return open(file, "rb")  # noqa: PTH123


def from_pipe(questions: BinaryIO) -> Question | None:
    """The same where sockets carry no files: the question names the path."""
    head = questions.read(4)
    if len(head) < 4:
        return None
    document: Document = json.loads(questions.read(int.from_bytes(head, "big")))
    paths = cast("list[str]", document["files"])
    return document, [_opened(path, document, at) for at, path in enumerate(paths)]


def serve(
    next_question: Callable[[], Question | None],
    answers: BinaryIO,
    limits: Limiter,
    *,
    idle_seconds: float = IDLE_SECONDS,
    leave: Callable[[int], object] = os._exit,
) -> None:
    """Answer one question after the other, until there was none for a while.

    Args:
        next_question: Waits for one; `None` once the parent is gone.
        answers: Where they are written.
        limits: What each question is held to.
        idle_seconds: How long is waited for a question.
        leave: Called once the parent is gone, from another thread; ends the process at once.
    """
    asked: queue.SimpleQueue[Question] = queue.SimpleQueue()

    def read() -> None:
        # Reads ahead of what is answered: that the parent is gone is seen at once.
        while (question := next_question()) is not None:
            asked.put(question)
        leave(0)

    def tell(document: Document) -> None:
        _put(answers, Answer(document), going_on=True)

    threading.Thread(target=read, daemon=True).start()
    _put(answers, Answer({}))
    while True:
        try:
            question, files = asked.get(timeout=idle_seconds)
        except queue.Empty:
            return
        with ExitStack() as opened:
            for file in files:
                opened.enter_context(file)
            _put(answers, Answer({}))
            limits.begin(cast("Mapping[str, float]", question["bounds"]))
            try:
                answer = answered(question, files[0], files[1:], tell)
            except MemoryError:
                _put(answers, Answer({}), ended="memory")
                return
            finally:
                limits.end()
        _put(answers, answer)


def _put(answers: BinaryIO, answer: Answer, *, ended: str | None = None, going_on: bool = False) -> None:
    head = {"document": answer.document, "data_bytes": len(answer.data), "ended": ended, "going_on": going_on}
    document = json.dumps(head).encode()
    answers.write(len(document).to_bytes(4, "big") + document + answer.data)
    answers.flush()


def main() -> None:
    """Load the decoders, then serve."""
    # A library that prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    from PIL import Image

    Image.preinit()
    # Memory is bounded here, and Pillow's own bound of pixels would keep honest ones from being measured.
    Image.MAX_IMAGE_PIXELS = None
    if os.name == "posix":
        serve(partial(from_socket, socket.socket(fileno=0)), answers, PosixLimits())
    else:
        serve(partial(from_pipe, sys.stdin.buffer), answers, NoLimits())
    os._exit(0)


if __name__ == "__main__":
    main()
