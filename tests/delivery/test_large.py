"""Answers of hundreds of megabytes: every byte is kept, in little memory."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import anyio
import pytest

from rushes.domain.record import TaskRecord

from .answers import MIB, Gateway, images, serving, wav

pytestmark = pytest.mark.anyio

HEADROOM_MIB = 96


async def made(folder: Path, gateway: Gateway, kind: str, count: int) -> TaskRecord:
    """The record of a generation in a process of its own, which has far less memory than the answer has bytes."""
    async with serving(gateway):
        command = [sys.executable, "-m", "tests.delivery.worker", str(folder), gateway.url, kind, str(count)]
        env = {"MALLOC_ARENA_MAX": "1", "PATH": ""}
        with anyio.fail_after(60):
            run = await anyio.run_process([*command, str(HEADROOM_MIB)], env=env, stderr=None)
    return TaskRecord.model_validate_json(run.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is Linux's")
@pytest.mark.parametrize(
    ("kind", "content_type", "answer", "sizes"),
    [
        ("image", "application/json", partial(images, [12 * MIB] * 10), [12 * MIB] * 10),
        ("image", "application/json", partial(images, [17 * MIB] * 3), [17 * MIB] * 3),
        ("audio", "audio/wav", partial(wav, 100 * MIB), [100 * MIB]),
    ],
    ids=["ten images of 12 MiB", "three images of 17 MiB", "a sound of 100 MiB"],
)
async def test_a_large_answer_is_kept_whole_in_little_memory(
    tmp_path: Path, kind: str, content_type: str, answer: Callable[[], Iterator[bytes]], sizes: list[int]
) -> None:
    record = await made(tmp_path, Gateway(answer, content_type), kind, len(sizes))
    assert (record.state, record.phase, record.failure, record.warnings) == ("succeeded", "done", None, ())
    media = [output.kept for output in record.outputs if output.kept is not None]
    assert [kept.bytes for kept in media] == sizes
    assert len({kept.sha256 for kept in media}) == len(sizes)
    assert all(kept.width == 8 if kind == "image" else kept.duration_seconds for kept in media)
    files = sorted(path.name for path in (tmp_path / "outputs").iterdir() if path.suffix != ".json")
    assert files == sorted(Path(output.path or "").name for output in record.outputs)
