"""Outputs of earlier tasks as inputs: by every name that rushes itself gives them, and a frame of a video."""

import io
from pathlib import Path

import anyio
import pytest
from PIL import Image

from rushes.domain.errors import RequestRefused
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.domain.request import Kind, MediaInput, MediaRole
from rushes.tasks.engine import Engine
from rushes.tasks.intake.references import Reference, reference_of
from rushes.tasks.service import MediaSource

from ..previews.media_files import BLUE, GREEN, RED, Colour, a_video
from .engines import a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED, DONE, PNG

pytestmark = pytest.mark.anyio

ID = "01KABCDEFGHJKMNPQRSTVWXYZ0"


def a_gateway(*downloads: bytes) -> ScriptedProvider:
    forms: dict[str, object] = {"image_forms": ("url", "data")}
    return ScriptedProvider(answers=[ACCEPTED], looks=[DONE], downloads=[*downloads], facts_changes=forms)


async def made(engine: Engine, kind: Kind, prompt: str = "a red fox") -> TaskRecord:
    task_id = (await engine.generate(a_wish(prompt, kind=kind))).record.task_id
    with anyio.fail_after(10):
        record = await engine.wait(task_id, seconds=10, principal=LOCAL)
    assert record.outputs[0].path is not None
    return record


async def resolved(engine: Engine, gateway: ScriptedProvider, text: str, role: MediaRole = "image") -> MediaInput:
    await engine.preview(a_wish("another", kind="video", media=[MediaSource(role, text)]))
    return gateway.requests[-1].media[0]


def shown(medium: MediaInput) -> Image.Image:
    return Image.open(io.BytesIO(medium.data or b""))


def is_like(image: Image.Image, colour: Colour) -> bool:
    pixel = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return all(abs(got - wanted) < 40 for got, wanted in zip(pixel, colour, strict=True))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"task:{ID}", f"task:{ID}#1"),
        (f"task:{ID.lower()}#2", f"task:{ID}#2"),
        (ID, f"task:{ID}#1"),
        (ID.lower(), f"task:{ID}#1"),
        (f"{ID}#3", f"task:{ID}#3"),
        (f"rushes://tasks/{ID}", f"task:{ID}#1"),
        (f"rushes://tasks/{ID}/outputs/4", f"task:{ID}#4"),
        (f"task:{ID}#1@last", f"task:{ID}#1@last"),
        (f"rushes://tasks/{ID}/outputs/1@2.50", f"task:{ID}#1@2.5"),
        (f"{ID}@first", f"task:{ID}#1@0"),
        (f"task:{ID}@4s", f"task:{ID}#1@4"),
    ],
)
def test_every_name_of_an_output_is_read_as_one(text: str, name: str) -> None:
    found = reference_of(text)
    assert found is not None
    assert found.name == name
    assert reference_of(name) == found


@pytest.mark.parametrize(
    "text", ["a.png", "https://x.example/task:1", "01", "rushes://models", f"{ID}x", f"task:{ID}#"]
)
def test_what_names_no_output_is_none(text: str) -> None:
    assert reference_of(text) is None


def test_a_moment_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no moment"):
        reference_of(f"task:{ID}@soon")
    assert Reference(ID, 1, "last").at_seconds is None


async def test_a_resource_address_and_a_bare_id_are_taken_as_inputs(tmp_path: Path) -> None:
    gateway = a_gateway(PNG)
    async with an_engine(tmp_path, gateway) as engine:
        task_id = (await made(engine, "image")).task_id
        for text in (f"rushes://tasks/{task_id}/outputs/1", task_id, task_id.lower(), f"task:{task_id}"):
            medium = await resolved(engine, gateway, text)
            assert (medium.data, medium.given) == (PNG, f"task:{task_id}#1")


async def test_the_last_frame_of_a_video_is_an_input_in_its_full_size(tmp_path: Path) -> None:
    a_video(tmp_path / "v.mp4", [RED, GREEN, BLUE], size=(1280, 720), seconds_each=0.5)
    gateway = a_gateway((tmp_path / "v.mp4").read_bytes())
    async with an_engine(tmp_path, gateway) as engine:
        task_id = (await made(engine, "video")).task_id
        last = await resolved(engine, gateway, f"task:{task_id}#1@last")
        middle = await resolved(engine, gateway, f"task:{task_id}@0.7")
    assert (shown(last).size, last.mime_type, last.url) == ((1280, 720), "image/jpeg", None)
    assert is_like(shown(last), BLUE)
    assert is_like(shown(middle), GREEN)
    assert last.given == f"task:{task_id}#1@last"


async def test_a_frame_is_taken_out_once_and_kept_beside_the_video(tmp_path: Path) -> None:
    a_video(tmp_path / "v.mp4", [RED, BLUE], seconds_each=0.5)
    gateway = a_gateway((tmp_path / "v.mp4").read_bytes())
    async with an_engine(tmp_path, gateway) as engine:
        video = await made(engine, "video")
        first = await resolved(engine, gateway, f"task:{video.task_id}@last")
        (frame,) = (tmp_path / "outputs").glob("*-frame-last.jpg")
        written = frame.stat().st_mtime_ns
        Path(video.outputs[0].path or "").unlink()
        again = await resolved(engine, gateway, f"task:{video.task_id}@last")
        assert (again.data, frame.stat().st_mtime_ns) == (first.data, written)
        frame.write_bytes(PNG)
        with pytest.raises(RequestRefused) as gone:
            await resolved(engine, gateway, f"task:{video.task_id}@last")
    assert gone.value.reason == "invalid_media"


async def test_a_moment_after_the_end_and_a_frame_of_a_picture_are_refused_unpaid(tmp_path: Path) -> None:
    a_video(tmp_path / "v.mp4", [RED], seconds_each=0.5)
    gateway = a_gateway((tmp_path / "v.mp4").read_bytes(), PNG)
    async with an_engine(tmp_path, gateway) as engine:
        video = await made(engine, "video")
        image = await made(engine, "image", "another")
        for text, said in (
            (f"task:{video.task_id}@9", "long"),
            (f"task:{image.task_id}@last", "a frame is taken of a video"),
            (f"task:{video.task_id}@soon", "no moment"),
            (f"task:{video.task_id}#7@last", "no #7"),
            ("task:", "is not an output"),
        ):
            with pytest.raises(RequestRefused, match=said) as refused:
                await resolved(engine, gateway, text)
            assert (refused.value.reason, refused.value.charged) == ("invalid_media", "no")


async def test_a_video_for_a_picture_is_refused_with_a_frame_named_that_there_is(tmp_path: Path) -> None:
    a_video(tmp_path / "v.mp4", [RED], seconds_each=0.5)
    gateway = a_gateway((tmp_path / "v.mp4").read_bytes())
    async with an_engine(tmp_path, gateway) as engine:
        video = await made(engine, "video")
        with pytest.raises(RequestRefused, match="is video, not image") as refused:
            await resolved(engine, gateway, f"task:{video.task_id}#1")
        with pytest.raises(RequestRefused, match="no #3"):
            await resolved(engine, gateway, f"task:{video.task_id}#3")
    assert f"task:{video.task_id}#1@last" in (refused.value.hint or "")


async def test_the_record_keeps_what_it_comes_from_and_leads_to_what_came_of_it(tmp_path: Path) -> None:
    gateway = a_gateway(PNG, PNG, PNG)
    async with an_engine(tmp_path, gateway) as engine:
        first = await made(engine, "image")
        media = [MediaSource("input_image", first.task_id), MediaSource("input_image", f"task:{first.task_id}#1")]
        second = (await engine.generate(a_wish("two", kind="image", media=media))).record
        lineage = await engine.lineage(first)
    assert second.parents == (first.task_id,)
    assert (lineage.parents, lineage.children) == ((), (second.task_id,))


async def test_an_output_counts_in_a_fingerprint_by_its_name(tmp_path: Path) -> None:
    gateway = a_gateway(PNG, PNG)
    async with an_engine(tmp_path, gateway) as engine:
        first = await made(engine, "image")
        one = await engine.generate(a_wish("two", kind="image", media=[MediaSource("input_image", first.task_id)]))
        again = [MediaSource("input_image", f"rushes://tasks/{first.task_id}/outputs/1")]
        other = await engine.generate(a_wish("two", kind="image", media=again))
    assert (one.deduplicated, other.deduplicated) == (False, True)


async def test_the_refusal_of_a_path_names_the_setting_that_cures_it(tmp_path: Path) -> None:
    gateway = a_gateway()
    async with an_engine(tmp_path, gateway) as engine:
        with pytest.raises(RequestRefused, match="outside the folders") as refused:
            await resolved(engine, gateway, "/etc/hostname")
    assert "[inputs] roots" in (refused.value.hint or "")
    assert "rushes.toml" in (refused.value.hint or "")
