"""Nowhere to put what is paid for: found out before anything is sent, and never paid for twice."""

import resource
import shutil
import subprocess
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from rushes.cache.media.folder import MediaFolder
from rushes.domain.errors import RequestRefused, StoreFull, SubmissionRefused
from rushes.domain.job import Plan
from rushes.domain.model_facts import ModelFacts
from rushes.domain.principal import LOCAL
from rushes.domain.request import GenerationRequest
from rushes.providers.provider import Traits

from ..clocks import JumpingClock
from ..previews.here import measure_here
from ..tasks.engines import a_wish
from ..tasks.makers import ACCEPTED
from ..tasks.scripted import ScriptedProvider
from .answers import MIB, Gateway, images, png, serving
from .homes import ended, home, llmgateway, pictures

pytestmark = pytest.mark.anyio

ENDLESS = 10**18


def a_file(path: Path) -> Path:
    """A path where no folder can be made, whoever asks."""
    path.write_text("not a folder", "utf-8")
    return path / "outputs"


async def picture() -> AsyncIterator[bytes]:
    for piece in png(3 * MIB):
        yield piece


async def picture_without_end() -> AsyncIterator[bytes]:
    """Larger than what another test may free meanwhile."""
    while True:
        for piece in png(3 * MIB):
            yield piece


@contextmanager
def largest_file(size_bytes: int) -> Generator[None]:
    """This process writes no larger file, wherever."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a disk can only be mounted by root")
    yield folder / "outputs"
    subprocess.run(["umount", str(folder)], check=True)


async def test_media_go_to_the_home_with_a_warning_where_the_folder_cannot_be_written(tmp_path: Path) -> None:
    media = MediaFolder(a_file(tmp_path / "file"), measure_here, fallback=tmp_path / "outputs")
    async with (
        serving(Gateway(partial(images, [MIB]))) as gateway,
        home(tmp_path, llmgateway(gateway.url), media) as engine,
    ):
        record = await ended(engine, pictures(1))
    assert record.state == "succeeded"
    assert Path(record.outputs[0].path or "").parent == tmp_path / "outputs"
    assert any("cannot be written" in text and str(tmp_path / "outputs") in text for text in record.warnings)


async def test_nothing_is_sent_where_an_answer_with_media_could_not_be_written(tmp_path: Path) -> None:
    media = MediaFolder(a_file(tmp_path / "file"), measure_here)
    async with (
        serving(Gateway(partial(images, [MIB]))) as gateway,
        home(tmp_path, llmgateway(gateway.url), media) as engine,
    ):
        with pytest.raises(RequestRefused, match="Nothing was sent") as refused:
            await engine.generate(pictures(1))
        assert (await engine.list_tasks(principal=LOCAL)).records == ()
    assert (refused.value.charged, gateway.posts) == ("no", 0)
    assert "RUSHES_OUTPUT_DIR" in (refused.value.hint or "")


async def test_an_answer_that_fills_the_disk_goes_on_in_the_home_with_all_its_bytes(
    tmp_path: Path, small_disk: Path
) -> None:
    media = MediaFolder(small_disk, measure_here, fallback=tmp_path / "outputs")
    async with (
        serving(Gateway(partial(images, [MIB // 4, 3 * MIB, MIB // 4]))) as gateway,
        home(tmp_path, llmgateway(gateway.url), media) as engine,
    ):
        record = await ended(engine, pictures(3))
    assert record.state == "succeeded"
    assert [output.kept.bytes for output in record.outputs if output.kept] == [MIB // 4, 3 * MIB, MIB // 4]
    assert [Path(output.path or "").parent for output in record.outputs] == [small_disk, *[tmp_path / "outputs"] * 2]
    assert not list(small_disk.glob(".*"))


async def test_a_paid_answer_that_can_be_written_nowhere_is_told_and_not_paid_for_again(tmp_path: Path) -> None:
    async with (
        serving(Gateway(partial(images, [MIB, 4 * MIB]))) as gateway,
        home(tmp_path, llmgateway(gateway.url)) as engine,
    ):
        with largest_file(2 * MIB):
            record = await ended(engine, pictures(2))
        assert record.failure is not None
        assert (record.state, record.failure.reason, record.failure.charged) == ("failed", "internal", "yes")
        assert "force_new" in (record.failure.hint or "")
        assert [output.kept.bytes for output in record.outputs if output.kept] == [MIB]
        again = await engine.generate(pictures(2))
        assert (again.deduplicated, again.record.task_id, gateway.posts) == (True, record.task_id, 1)
        anew = await engine.generate(replace(pictures(2), force_new=True))
        assert (anew.record.state, gateway.posts) == ("succeeded", 2)


async def test_a_job_is_still_begun_where_its_output_has_a_url_of_its_own_and_this_is_said(tmp_path: Path) -> None:
    provider = ScriptedProvider(answers=[ACCEPTED], looks=[ACCEPTED.observation])
    async with home(tmp_path, provider, MediaFolder(a_file(tmp_path / "file"))) as engine:
        record = (await engine.generate(a_wish())).record
    assert any(text.startswith("Outputs cannot be kept now.") for text in record.warnings)
    assert len(provider.plans) == 1


async def test_nothing_paid_is_sent_with_less_room_on_the_disk_than_is_to_stay_free(tmp_path: Path) -> None:
    media = MediaFolder(tmp_path / "outputs", measure_here, free_bytes_min=ENDLESS)
    async with (
        serving(Gateway(partial(images, [MIB]))) as gateway,
        home(tmp_path, llmgateway(gateway.url), media) as engine,
    ):
        with pytest.raises(RequestRefused, match=r"limits\.disk_free_min") as refused:
            await engine.generate(pictures(1))
    assert (refused.value.charged, gateway.posts) == ("no", 0)


async def test_an_equal_call_is_answered_with_its_task_although_nothing_new_could_be_begun(tmp_path: Path) -> None:
    async with serving(Gateway(partial(images, [MIB]))) as gateway:
        async with home(tmp_path, llmgateway(gateway.url)) as engine:
            record = await ended(engine, pictures(1))
        full = MediaFolder(tmp_path / "outputs", measure_here, free_bytes_min=ENDLESS)
        async with home(tmp_path, llmgateway(gateway.url), full) as engine:
            again = await engine.generate(pictures(1))
            with pytest.raises(RequestRefused):
                await engine.generate(replace(pictures(1), force_new=True))
    assert (again.deduplicated, again.record.task_id, gateway.posts) == (True, record.task_id, 1)


class Delivering(ScriptedProvider):
    """A gateway that answers with the media."""

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        return super().plan(request, facts).model_copy(update={"asynchronous": False})


async def test_a_request_that_was_held_is_not_sent_where_its_answer_can_no_longer_be_written(tmp_path: Path) -> None:
    refusal = SubmissionRefused("rate_limited", "too many requests", retry_after_seconds=5)
    gateway = Delivering(traits=Traits(streams=True), answers=[refusal, ACCEPTED])

    def spoil() -> None:
        (tmp_path / "outputs").rmdir()
        a_file(tmp_path / "outputs")

    gateway.submitted = spoil
    async with home(tmp_path, gateway, clock=JumpingClock()) as engine:
        answer = await engine.generate(a_wish(kind="image"))
        record = await engine.wait(answer.record.task_id, seconds=20, principal=LOCAL)
    assert record.failure is not None
    assert (record.state, record.failure.charged, len(gateway.plans)) == ("failed", "no", 1)
    assert "cannot be written" in record.failure.message


async def test_a_download_leaves_the_room_on_the_disk_that_is_to_stay_free(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    for least in (ENDLESS, free - MIB):
        folder = MediaFolder(tmp_path / "outputs", measure_here, free_bytes_min=least)
        with pytest.raises(StoreFull, match=r"limits\.disk_free_min"):
            await folder.keep(
                stem="x",
                chunks=picture_without_end(),
                kind="image",
                declared_mime=None,
                bytes_max=10**9,
                expected_bytes=None,
            )
    assert list((tmp_path / "outputs").iterdir()) == []
