"""Kept files of a project: `output_dir` puts a copy there, inside the folders that rushes may use, and only there."""

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from rushes.domain.errors import RequestRefused
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.tasks.engine import Engine
from rushes.tasks.intake.output_folder import names_local_files
from rushes.tasks.service import MediaSource, Wish
from rushes.tools import task_of

from .engines import a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED, DONE, PNG

pytestmark = pytest.mark.anyio


def a_gateway() -> ScriptedProvider:
    return ScriptedProvider(answers=[ACCEPTED], looks=[DONE], downloads=[PNG] * 4)


def wish_into(folder: Path | str, prompt: str = "a red fox") -> Wish:
    return replace(a_wish(prompt, kind="image"), output_dir=str(folder))


async def made(engine: Engine, wish: Wish) -> TaskRecord:
    task_id = (await engine.generate(wish)).record.task_id
    with anyio.fail_after(10):
        return await engine.wait(task_id, seconds=10, principal=LOCAL)


async def test_the_kept_file_is_copied_into_a_folder_of_the_project(tmp_path: Path) -> None:
    async with an_engine(tmp_path, a_gateway()) as engine:
        record = await made(engine, wish_into(tmp_path / "film" / "shots"))
    (output,) = record.outputs
    assert output.kept is not None and output.kept.copied_to is not None
    copy = Path(output.kept.copied_to)
    assert (copy.parent, copy.read_bytes()) == (tmp_path / "film" / "shots", PNG)
    assert Path(output.kept.path).parent == tmp_path / "outputs"
    assert task_of(record).outputs[0].copied_to == str(copy)


async def test_a_folder_outside_is_refused_before_anything_is_sent_and_the_setting_is_named(tmp_path: Path) -> None:
    gateway, home = a_gateway(), tmp_path / "home"
    home.mkdir()
    (home / "out").symlink_to(tmp_path)
    async with an_engine(home, gateway) as engine:
        for folder in (tmp_path / "elsewhere", home / ".." / "elsewhere", home / "out" / "x", "/etc"):
            with pytest.raises(RequestRefused, match="outside the folders") as refused:
                await engine.generate(wish_into(folder))
            assert "[inputs] roots" in (refused.value.hint or "")
            with pytest.raises(RequestRefused, match="outside the folders"):
                await engine.preview(wish_into(folder))
        (home / "file").write_bytes(b"")
        with pytest.raises(RequestRefused, match="is a file"):
            await engine.generate(wish_into(home / "file"))
    assert gateway.plans == []
    assert not (tmp_path / "elsewhere").exists()


async def test_it_is_never_taken_over_http(tmp_path: Path) -> None:
    async with an_engine(tmp_path, a_gateway()) as engine:
        with pytest.raises(RequestRefused, match="only over stdio"):
            await engine.generate(replace(wish_into(tmp_path / "film"), local_files=False))


async def test_a_folder_that_the_host_has_open_counts_too_and_relative_paths_begin_there(tmp_path: Path) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    project.mkdir()
    (project / "a.png").write_bytes(PNG)
    async with an_engine(home, a_gateway()) as engine:
        wish = replace(wish_into("shots"), host_roots=(project,))
        media = (MediaSource("input_image", str(project / "a.png")),)
        request = replace(wish, media=media)
        record = await made(engine, wish)
        with pytest.raises(RequestRefused, match="by https URL only"):
            await engine.preview(request)
        with pytest.raises(RequestRefused, match="outside the folders"):
            await engine.preview(replace(request, host_roots=(), output_dir=None))
    assert record.output_dir == str(project / "shots")
    assert [path.read_bytes() for path in (project / "shots").iterdir()] == [PNG]


async def test_what_cannot_be_copied_is_kept_all_the_same_and_said(tmp_path: Path) -> None:
    gateway = a_gateway()
    gateway.submitted = lambda: (tmp_path / "film").symlink_to("/tmp")
    async with an_engine(tmp_path, gateway) as engine:
        record = await made(engine, wish_into(tmp_path / "film"))
    (output,) = record.outputs
    assert output.kept is not None and output.kept.copied_to is None
    assert record.state == "succeeded"
    assert any("was not copied into output_dir" in text for text in task_of(record).warnings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.png", True),
        ("/x/a.png", True),
        ("file:///x/a.png", True),
        ("https://x.example/a.png", False),
        ("data:image/png;base64,AA", False),
        ("task:01#1", False),
        ("rushes://tasks/1/outputs/1", False),
        ("01KABCDEFGHJKMNPQRSTVWXYZ0", False),
        ("01KABCDEFGHJKMNPQRSTVWXYZ0@soon", False),
    ],
)
def test_the_host_is_asked_only_where_a_call_names_a_file(text: str, expected: bool) -> None:
    assert names_local_files(replace(a_wish(), media=(MediaSource("image", text),))) is expected
