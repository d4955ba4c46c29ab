"""The other side of the process that decodes: what it does with questions, where it may be watched."""

import io
import json
import socket
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from pydantic import JsonValue

from rushes.cache.media.decoder import framed
from rushes.tasks.previews.child import NoLimits, Question, from_pipe, from_socket, is_out_of_memory, serve

from ..hostile.processes import on_linux
from .media_files import a_sound, an_image

BOUNDS: dict[str, JsonValue] = {"memory_bytes": 1, "processor_seconds": 1, "wall_seconds": 1}


class Answers:
    """What was answered, as the parent would read it."""

    def __init__(self, data: bytes) -> None:
        self._rest = io.BytesIO(data)

    def next(self) -> dict[str, object]:
        head = json.loads(self._rest.read(int.from_bytes(self._rest.read(4), "big")))
        assert len(self._rest.read(head["data_bytes"])) == head["data_bytes"]
        answer: dict[str, object] = {**head["document"], **({"ended": head["ended"]} if head["ended"] else {})}
        return answer

    def are_over(self) -> bool:
        return not self._rest.read()


def measure(path: Path, mime_type: str) -> dict[str, JsonValue]:
    return {"do": "measure", "mime_type": mime_type, "bounds": BOUNDS, "files": [str(path)]}


def served(questions: bytes) -> Answers:
    """All answers to questions on a pipe whose other end is closed then."""
    written, gone, pipe = io.BytesIO(), threading.Event(), io.BytesIO(questions)

    def next_question() -> Question | None:
        return from_pipe(pipe)

    serve(next_question, written, NoLimits(), idle_seconds=0.5, leave=lambda _: gone.set())
    assert gone.is_set()
    return Answers(written.getvalue())


def test_each_question_is_taken_up_and_answered_and_an_idle_process_ends(tmp_path: Path) -> None:
    an_image(tmp_path / "i.png", (64, 48))
    a_sound(tmp_path / "s.wav", 0.5)
    asked = [measure(tmp_path / "i.png", "image/png"), measure(tmp_path / "s.wav", "audio/wav")]

    answers = served(b"".join(framed(question) for question in asked))

    assert answers.next() == {}  # it is ready
    assert [answers.next(), answers.next()["holds"]] == [{}, "image"]
    assert [answers.next(), answers.next()["holds"]] == [{}, "audio"]
    assert answers.are_over()


def test_an_unreadable_file_is_an_answer_too(tmp_path: Path) -> None:
    (tmp_path / "i.png").write_bytes(b"\x89PNG\r\n\x1a\nand then nothing")

    answers = served(framed(measure(tmp_path / "i.png", "image/png")))

    assert [answers.next(), answers.next()] == [{}, {}]
    assert "OSError" in str(answers.next()["unreadable"])


@on_linux
def test_a_file_comes_along_with_its_question(tmp_path: Path) -> None:
    an_image(tmp_path / "i.png", (64, 48))
    ours, its = socket.socketpair()
    with its, (tmp_path / "i.png").open("rb") as file:
        with ours:
            socket.send_fds(ours, [framed({"do": "measure"})], [file.fileno()])
        question = from_socket(its)
        assert question is not None
        with question[1][0] as received:
            assert (question[0], received.read(4)) == ({"do": "measure"}, b"\x89PNG")
        assert partial(from_socket, its)() is None


@pytest.mark.parametrize(
    ("error", "is_it"),
    [(MemoryError(), True), (OSError(12, "x"), True), (OSError(2, "x"), False), (ValueError(), False)],
)
def test_a_lack_of_memory_is_told_from_other_faults(error: Exception, is_it: bool) -> None:
    try:
        try:
            raise error
        except Exception as cause:
            raise RuntimeError from cause
    except RuntimeError as wrapped:
        assert is_out_of_memory(wrapped) is is_it


def test_it_starts_without_the_libraries_that_it_has_no_use_for() -> None:
    code = "import sys, rushes.tasks.previews.child; print(*{'pydantic', 'anyio', 'av'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.split() == []
