"""Files are what they were judged to be: a link, a pipe or another file in their place is not served and not sent."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from PIL import Image

from rushes.cache.media.folder import MediaFolder
from rushes.cache.media.kept_files import KeptFiles
from rushes.domain.errors import RequestRefused
from rushes.domain.job import Observation, RemoteOutput
from rushes.domain.kept_media import Kept, KeptFileChanged
from rushes.domain.principal import LOCAL
from rushes.domain.record import Output, TaskRecord
from rushes.tasks.engine import Engine
from rushes.tasks.service import MediaSource

from ..altered import remeasured
from ..cache.test_media import keep
from ..previews.media_files import RED, an_image
from ..server.clients import connected, document
from ..tasks.engines import a_wish, an_engine
from ..tasks.scripted import ScriptedProvider
from ..tasks.test_engine import ACCEPTED, PNG, RUNNING
from ..tools.fake_service import FakeService, record

PNG_HASH = hashlib.sha256(PNG).hexdigest()

pytestmark = pytest.mark.anyio

DONE = Observation(state="succeeded", outputs=(RemoteOutput(url="https://cdn.example/1.png", mime_type="image/png"),))


@contextmanager
def secret(folder: Path) -> Generator[Path]:
    """A picture that nobody asked for."""
    folder.mkdir()
    path = folder / "secret.png"
    Image.new("RGB", (9, 9), "black").save(path)
    yield path


def a_gateway() -> ScriptedProvider:
    return ScriptedProvider(
        answers=[ACCEPTED], looks=[DONE], downloads=[PNG], facts_changes={"image_forms": ("url", "data")}
    )


async def a_kept_output(engine: Engine) -> tuple[TaskRecord, Path]:
    made = await engine.generate(a_wish(kind="image"))
    ended = await engine.wait(made.record.task_id, seconds=20, principal=LOCAL)
    assert ended.outputs[0].path is not None
    return ended, Path(ended.outputs[0].path)


# What is kept


@pytest.mark.parametrize("put", ["link", "link to a folder's file", "other bytes", "pipe", "folder"])
async def test_what_was_put_in_a_kept_files_place_is_neither_read_nor_sent(tmp_path: Path, put: str) -> None:
    gateway = a_gateway()
    with secret(tmp_path / "elsewhere") as elsewhere:
        async with an_engine(tmp_path / "home", gateway) as engine:
            task, path = await a_kept_output(engine)
            path.unlink()
            match put:
                case "link":
                    path.symlink_to(elsewhere)
                case "link to a folder's file":
                    path.symlink_to(path.parent / "../../elsewhere/secret.png")
                case "other bytes":
                    path.write_bytes(elsewhere.read_bytes())
                case "pipe":
                    os.mkfifo(path)
                case _:
                    path.mkdir()

            with anyio.fail_after(10), pytest.raises(RequestRefused) as of_content:
                await engine.content(task.task_id, 1, bytes_max=750_000, principal=LOCAL)
            wish = a_wish("again", kind="image", media=[MediaSource("input_image", f"task:{task.task_id}")])
            with anyio.fail_after(10), pytest.raises(RequestRefused) as of_input:
                await engine.generate(wish)
            assert of_content.value.reason == of_input.value.reason == "invalid_media"
            assert len(gateway.plans) == 1
            if put != "other bytes":
                with pytest.raises(RequestRefused, match="is not the file that was kept"):
                    await engine.glimpse(task.task_id, 1, principal=LOCAL)


async def test_a_link_in_place_of_a_kept_file_is_not_served_as_a_resource(tmp_path: Path) -> None:
    output = an_image(tmp_path / "fox.png", (64, 64))
    (tmp_path / "fox.png").rename(tmp_path / "moved.png")
    (tmp_path / "fox.png").symlink_to(tmp_path / "moved.png")
    async with connected_to(output) as client:
        with pytest.raises(MCPError, match="is not the file that was kept"):
            await client.read_resource("rushes://tasks/01TASK/outputs/1")
        shown = await client.call_tool("view_output", {"task_id": "01TASK"})
        assert "is not the file that was kept" in str(document(shown)["error"])


async def test_a_kept_file_with_other_bytes_of_the_same_length_is_not_served_as_a_resource(tmp_path: Path) -> None:
    path = tmp_path / "fox.png"
    output = an_image(path, (64, 64), RED)
    async with connected_to(remeasured(output, sha256="0" * 64)) as client:
        with pytest.raises(MCPError, match="has changed since it was kept"):
            await client.read_resource("rushes://tasks/01TASK/outputs/1")


def connected_to(output: Output) -> AbstractAsyncContextManager[Client]:
    service = FakeService()
    service.put(record(state="succeeded", phase="done", open=False, outputs=(output,)))
    return connected(service)


async def test_no_link_is_followed_between_the_folder_of_outputs_and_a_kept_file(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.png").write_bytes(PNG)
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "sub").symlink_to(tmp_path / "elsewhere")
    files = KeptFiles(tmp_path / "outputs")

    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        await files.read(Kept(tmp_path / "outputs" / "sub" / "a.png", len(PNG), PNG_HASH), 10**6)
    with pytest.raises(OSError, match="regular"):
        await files.read(Kept(tmp_path / "outputs" / ".." / "elsewhere" / "a.png", len(PNG), PNG_HASH), 10**6)


async def test_a_folder_of_outputs_that_is_itself_a_link_is_the_persons_choice(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.png").write_bytes(PNG)
    (tmp_path / "outputs").symlink_to(tmp_path / "disk")
    kept = Kept(tmp_path / "outputs" / "a.png", len(PNG), PNG_HASH)

    assert await KeptFiles(tmp_path / "outputs").read(kept, 10**6) == PNG
    with pytest.raises(KeptFileChanged):
        await KeptFiles(tmp_path / "outputs").read(replace(kept, sha256="0" * 64), 10**6)


async def test_a_record_without_a_hash_opens_no_file_whatever_its_path(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(PNG)
    planted = Kept(tmp_path / "secret.png", len(PNG), None)

    with pytest.raises(KeptFileChanged):
        await KeptFiles(tmp_path / "outputs").read(planted, 10**6)
    file, same = await KeptFiles(tmp_path / "outputs").open(planted)
    file.close()
    assert not same


async def test_a_link_to_the_same_bytes_is_not_taken_for_the_output(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.png").write_bytes(PNG)
    folder = MediaFolder(tmp_path / "outputs")
    folder.root.mkdir()
    (folder.root / "fox.png").symlink_to(tmp_path / "elsewhere.png")

    assert (await keep(folder, PNG)).path == folder.root / "fox-2.png"


async def test_a_sidecar_that_is_a_link_or_a_pipe_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text('{"a": 1}')
    folder = MediaFolder(tmp_path / "outputs")
    folder.root.mkdir()
    (folder.root / "linked.png.json").symlink_to(tmp_path / "elsewhere.json")
    os.mkfifo(folder.root / "pipe.png.json")

    with anyio.fail_after(10):
        assert [path async for path, _ in folder.sidecars()] == []


# What a person names


SWAP = """
import os, sys
moves = list(zip(sys.argv[1::2], sys.argv[2::2]))
print(flush=True)
while os.getppid() == PARENT:
    for source, target in moves:
        os.rename(source, target)
"""


@contextmanager
def swapping(moves: list[tuple[Path, Path]]) -> Generator[None]:
    """Meanwhile another process gives each first path the place of the second, again and again."""
    paths = [str(path) for move in moves for path in move]
    command = [sys.executable, "-c", SWAP.replace("PARENT", str(os.getpid())), *paths]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


@pytest.mark.parametrize("tries", [250, pytest.param(2_000, marks=pytest.mark.storm)])
@pytest.mark.parametrize("what", ["file", "folder"])
async def test_a_link_swapped_in_after_the_check_never_has_the_outside_file_read(
    tmp_path: Path, what: str, tries: int
) -> None:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING], facts_changes={"image_forms": ("url", "data")})
    home = tmp_path / "home"
    (home / "in").mkdir(parents=True)
    (home / "in" / "a.png").write_bytes(PNG)
    with secret(tmp_path / "outside") as outside:
        outside.rename(tmp_path / "outside" / "a.png")
        place = home / "in" / "a.png" if what == "file" else home / "in"
        link, aside = home / "link", home / "aside"
        link.symlink_to(tmp_path / "outside" / "a.png" if what == "file" else tmp_path / "outside")
        moves = [(place, aside), (link, place), (place, link), (aside, place)]
        read, refused = 0, 0
        async with an_engine(home, gateway) as engine:
            wish = a_wish(kind="image", media=[MediaSource("input_image", str(home / "in" / "a.png"))])
            with swapping(moves):
                for _ in range(tries):
                    try:
                        await engine.preview(wish)
                    except RequestRefused as error:
                        assert error.reason == "invalid_media"
                        refused += 1
                    else:
                        assert gateway.requests[-1].media[0].data == PNG
                        read += 1
    assert read + refused == tries


async def test_a_file_of_another_machine_is_refused_and_one_of_this_machine_is_read(tmp_path: Path) -> None:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING], facts_changes={"image_forms": ("url", "data")})
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    async with an_engine(tmp_path, gateway) as engine:
        for host in ("", "localhost"):
            await engine.preview(a_wish(kind="image", media=[MediaSource("input_image", f"file://{host}{path}")]))
            assert gateway.requests[-1].media[0].data == PNG
        with pytest.raises(RequestRefused, match="another machine"):
            await engine.preview(a_wish(kind="image", media=[MediaSource("input_image", f"file://otherhost{path}")]))


async def test_a_pipe_is_no_medium_and_holds_nothing_up(tmp_path: Path) -> None:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[RUNNING])
    os.mkfifo(tmp_path / "a.png")
    async with an_engine(tmp_path, gateway) as engine:
        with anyio.fail_after(10), pytest.raises(RequestRefused, match="not a regular file"):
            await engine.preview(a_wish(kind="image", media=[MediaSource("input_image", str(tmp_path / "a.png"))]))
