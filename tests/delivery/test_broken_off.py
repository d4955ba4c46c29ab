"""Answers that end before they are whole: what had come is not lost, and what is said is true."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import anyio
import pytest

from rushes.cache.embedded.store import TaskStore
from rushes.domain.record import SCHEMA, TaskRecord
from rushes.tasks.migrations import MIGRATIONS

from ..clocks import a_moment
from .answers import MIB, Gateway, images, serving
from .homes import ended, home, llmgateway, newest, pictures

pytestmark = pytest.mark.anyio

TWO = partial(images, [MIB, MIB])
IN_THE_SECOND = MIB * 3 // 2 * 4 // 3


def outputs(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "outputs").iterdir())


def assert_truthful(folder: Path, record: TaskRecord) -> None:
    """The first picture is an output, the second lies beside it under a name that tells that it is cut off."""
    assert (record.state, record.phase) == ("unknown", "done")
    assert record.failure is not None
    assert (record.failure.reason, record.failure.charged) == ("outcome_unknown", "unknown")
    (output,) = record.outputs
    assert output.kept is not None
    assert (output.kept.bytes, output.kept.width, output.kept.cut_off) == (MIB, 8, False)
    first = Path(output.kept.path).name
    cut_off = f"a-red-fox-{record.task_id.lower()}-2.incomplete.png"
    assert outputs(folder) == sorted([first, f"{first}.json", cut_off])
    assert 0 < (folder / "outputs" / cut_off).stat().st_size < MIB
    assert any("one medium had come whole" in text for text in record.warnings)
    assert any(cut_off in text for text in record.warnings)


async def test_of_an_answer_that_breaks_off_the_whole_media_are_outputs_and_the_rest_is_named(tmp_path: Path) -> None:
    async with serving(Gateway(TWO, cut_after=IN_THE_SECOND)) as gateway:
        async with home(tmp_path, llmgateway(gateway.url)) as engine:
            record = await ended(engine, pictures(2))
            again = await engine.generate(pictures(2))
        assert_truthful(tmp_path, record)
        assert (again.deduplicated, again.record.task_id, gateway.posts) == (True, record.task_id, 1)


async def test_after_a_kill_in_the_middle_of_an_answer_the_record_tells_what_came(tmp_path: Path) -> None:
    async with serving(Gateway(TWO, pause_after=IN_THE_SECOND)) as gateway:
        command = [sys.executable, "-m", "tests.delivery.worker", str(tmp_path), gateway.url, "image", "2", "0"]
        process = subprocess.Popen(command)  # noqa: ASYNC220 - ends by our signal alone
        try:
            with anyio.fail_after(30):
                await gateway.paused.wait()
                while not list((tmp_path / "outputs").glob(".*-1.whole.part")):
                    await a_moment()
                while not list((tmp_path / "outputs").glob(".*-2.part")):
                    await a_moment()
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        async with TaskStore.opened(tmp_path / "cache", schema=SCHEMA, migrations=MIGRATIONS) as store:
            (document,) = await store.page(limit=2)
        assert (document["phase"], document["answer_folder"]) == ("submitting", str(tmp_path / "outputs"))
        async with home(tmp_path, llmgateway(gateway.url)) as engine:
            record = await newest(engine)
            again = await engine.generate(pictures(2))
        assert record.state == "unknown"
        assert len(record.outputs) == 1
        assert (again.deduplicated, gateway.posts) == (True, 1)
        assert not list((tmp_path / "outputs").glob(".*"))


async def test_a_refusal_after_media_had_come_leaves_nothing_behind(tmp_path: Path) -> None:
    def refusing() -> Iterator[bytes]:
        yield b'{"error": {"message": "The prompt was rejected by the content filter"}, "thought": "'
        yield b"aGVsbG8g" * 20_000
        yield b'"}'

    async with serving(Gateway(refusing)) as gateway, home(tmp_path, llmgateway(gateway.url)) as engine:
        record = await ended(engine, pictures(1))
    assert (record.state, record.outputs) == ("failed", ())
    assert outputs(tmp_path) == []
